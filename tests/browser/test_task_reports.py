"""How it goes this week, and what converts best: one click from the overview. New agencies find their way."""

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from accounts.core.enums import Role
from accounts.models import Agency, Member
from tests.browser.conftest import Visit
from tests.browser.tasks import Clicks
from tests.browser.test_frame import assert_none, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_last_week_stands_beside_the_week_before(clicks: Clicks) -> None:
    clicks.click("Last week against the week before")
    page = clicks.page
    expect(page.locator("h1")).to_have_text("Reports")
    expect(page.locator(".tabs [aria-current]")).to_have_text("Last week")
    leads = page.locator(".tile", has_text="leads")
    expect(leads.locator("strong")).to_have_text(re.compile(r"^[1-9]\d*$"))
    expect(leads.locator(".trend")).to_have_text(re.compile("%"))
    expect(leads).to_contain_text("before")
    clicks.assert_at_most(1)
    expect(page.locator("#leads canvas")).to_be_visible()
    clicks.look("task-reports-last-week")


def test_the_campaign_that_converts_best_is_named(clicks: Clicks) -> None:
    clicks.click(clicks.page.locator(".tile a", has_text="conversions"))
    expect(clicks.page.locator("#campaigns")).to_be_in_viewport()
    expect(clicks.page.locator("#campaigns .lead-cell").first).to_be_visible()
    clicks.assert_at_most(1)
    clicks.page.get_by_role("link", name="Last 30 days").click()
    expect(clicks.page.locator("#campaigns")).to_contain_text("converts best")


def test_a_bar_leads_to_the_leads_of_its_day(clicks: Clicks) -> None:
    clicks.open("/reports")
    page = clicks.page
    canvas = page.locator("#leads canvas")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box
    tip = page.locator("#leads .chart-tip")
    expect(tip).to_be_hidden()
    place = {"x": box["width"] - 24, "y": box["height"] / 2}
    canvas.hover(position=place)
    numbers = page.locator("#leads tbody tr").last.locator("th, td").all_text_contents()
    expect(tip.locator("p").first).to_have_text(numbers[0])
    expect(tip.locator("p").last).to_have_text(f"Total: {numbers[-2].strip()}")
    expect(tip).to_contain_text(f"7 days before: {numbers[-1].strip()}")
    clicks.look("reports-tooltip")
    page.locator("h1").hover()
    expect(tip).to_be_hidden()
    canvas.click(position=place)
    expect(page).to_have_url(re.compile(r"/leads\?received_after=\d{4}-\d\d-\d\d&received_before="))


def test_reports_are_drawn_in_both_themes_and_print_the_servers_picture(clicks: Clicks) -> None:
    page, faults = clicks.page, []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        clicks.open("/reports?period=30d")
        expect(page.locator("#leads canvas")).to_be_visible()
        page.locator("summary", has_text="Show the numbers").click()
        faults += faults_of(page)
        clicks.look(f"reports-{scheme}")
        clicks.open()
        clicks.look(f"overview-{scheme}")
    assert_none(faults)
    clicks.open("/reports")
    expect(page.locator("#leads canvas")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#leads .bars-plot svg")).to_be_visible()
    expect(page.locator("#leads canvas")).to_be_hidden()
    expect(page.locator("#sidebar")).to_be_hidden()


@pytest.fixture
def owner(agency: Agency) -> User:
    """The owner of an agency that is new. Made before there is a browser."""
    user = User.objects.create_user("owner@example.com", "owner@example.com")
    Member.objects.create(agency=agency, user=user, role=Role.OWNER)
    return user


def test_a_new_agency_is_led_through_its_first_steps(owner: User, visit: Visit, live_server: LiveServer) -> None:
    browser = Clicks(visit, live_server.url)
    browser.sign_in(owner)
    browser.open()
    browser.look("first-steps")
    browser.click("Set time zone and hours")
    expect(browser.page.get_by_label("Time zone")).to_be_visible()
    browser.assert_at_most(1)
