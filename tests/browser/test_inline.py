"""The portal's pages change where somebody works on them, without a full reload; and as well without JavaScript."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from accounts.core.enums import EventType, Role
from accounts.events.outbox import record_event
from accounts.models import Agency, Member
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.models import Channel
from tests.browser.conftest import Visit, in_a_thread
from tests.notifications.receiver import Receiver, receiver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def program() -> Iterator[Receiver]:
    """It begins before the browser, and ends after it: both have loops."""
    with receiver() as it:
        yield it


@pytest.fixture
def channel(program: Receiver, visit: Visit, agency: Agency, live_server: LiveServer, settings: Settings) -> Channel:
    """A webhook of an agency whose owner is signed in to the browser."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    client = Client()
    client.force_login(owner)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    visit.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    return create_channel(agency, kind="webhook", url=program.url, name="CRM")[0]


def stay(page: Page) -> None:
    """From here on a full reload would be noticed."""
    page.evaluate("window.stayed = true")


def stayed(page: Page) -> bool:
    return bool(page.evaluate("window.stayed === true"))


def test_a_channel_is_switched_tested_and_edited_in_its_place(
    visit: Visit, channel: Channel, program: Receiver, live_server: LiveServer
) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/notifications")
    stay(page)
    card = page.locator(f"#{channel.pk}")
    card.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("CRM is disabled. What happens meanwhile can be replayed later.")).to_be_visible()
    expect(card.locator(".badge", has_text="Disabled")).to_be_visible()
    card.get_by_role("button", name="Enable").click()
    expect(page.get_by_text("CRM is enabled.")).to_be_visible()

    card.get_by_role("button", name="Send a test").click()
    expect(card.get_by_text("The test is on its way.")).to_be_visible()
    visit.look("inline-test-moving")
    in_a_thread(drain_deliveries)
    expect(card.get_by_text("The test was delivered: HTTP 200")).to_be_visible()
    expect(page.locator("#log").get_by_text("Delivered").first).to_be_visible()
    visit.look("inline-test-arrived")

    card.get_by_text("Edit", exact=True).click()
    card.get_by_label("URL").fill("http://10.0.0.1/")
    card.get_by_role("button", name="Save").click()
    complaints = "Failed to load resource: the server responded with a status of 422"
    expect(card.get_by_text("The address is outside the public internet.")).to_be_visible()
    visit.complaints[:] = [said for said in visit.complaints if complaints not in said]  # the console notes every 4xx
    card.get_by_label("URL").fill(program.url)
    card.get_by_label("Name").first.fill("New CRM")
    card.get_by_role("button", name="Save").click()
    expect(card.get_by_text("New CRM").first).to_be_visible()
    expect(page.get_by_text("Saved.")).to_be_visible()

    card.get_by_text("Remove", exact=True).click()
    card.get_by_role("button", name="Remove channel").click()
    expect(page.get_by_text("New CRM was removed.")).to_be_visible()
    expect(card).to_have_count(0)
    assert stayed(page)


def test_the_log_is_filtered_and_turned_in_its_place(
    visit: Visit, channel: Channel, agency: Agency, live_server: LiveServer
) -> None:
    for number in range(60):
        record_event(agency, EventType.LINKEDIN_BLOCKED, linkedin_account_name=f"Person {number}")
    fan_out_due_events()
    page = visit.page
    page.goto(f"{live_server.url}/notifications/deliveries")
    stay(page)
    expect(page.get_by_text("Person 59")).to_be_visible()
    page.get_by_role("link", name="Older →").click()
    expect(page.get_by_text("Person 5", exact=True)).to_be_visible()
    page.get_by_label("Status").select_option("failed")
    expect(page.get_by_text("No deliveries match")).to_be_visible()
    assert "status=failed" in page.url
    visit.look("inline-log-nothing")
    page.get_by_label("Status").select_option("pending")
    expect(page.get_by_text("Person 59")).to_be_visible()
    assert stayed(page)
    page.reload()  # the address says what is shown
    expect(page.get_by_label("Status")).to_have_value("pending")
    page.locator("#deliveries tbody a").first.click()
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()


def test_messages_are_looked_at_one_after_the_other_in_their_place(
    visit: Visit, channel: Channel, live_server: LiveServer
) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/notifications/preview")
    stay(page)
    link = page.locator("nav.index").get_by_role("link").nth(4)
    name = link.inner_text()
    link.click()
    expect(page.locator("nav.index [aria-current]")).to_have_text(name)
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    assert "/notifications/preview/" in page.url
    assert stayed(page)
    visit.look("inline-preview")


def test_without_javascript_everything_works_with_full_pages(
    visit: Visit, channel: Channel, live_server: LiveServer
) -> None:
    browser = visit.page.context.browser
    assert browser is not None
    context = browser.new_context(java_script_enabled=False, viewport={"width": visit.width, "height": 900})
    context.add_cookies(visit.page.context.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{live_server.url}/notifications")
    card = page.locator(f"#{channel.pk}")
    card.get_by_role("button", name="Send a test").click()
    expect(card.get_by_text("The test is on its way.")).to_be_visible()
    in_a_thread(drain_deliveries)
    card.get_by_role("link", name="Refresh").click()
    expect(card.get_by_text("The test was delivered: HTTP 200")).to_be_visible()
    card.get_by_role("button", name="Disable").click()
    expect(page.get_by_text("CRM is disabled.")).to_be_visible()
    page.goto(f"{live_server.url}/notifications/deliveries")
    page.get_by_label("Status").select_option("failed")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No deliveries match")).to_be_visible()
    context.close()
