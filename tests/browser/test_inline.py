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


def test_forms_of_a_channel_open_in_its_place(visit: Visit, channel: Channel, live_server: LiveServer) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/notifications")
    stay(page)
    card = page.locator(f"#{channel.pk}")
    card.get_by_role("link", name="Send a test").click()
    expect(card.get_by_role("button", name="Send this example")).to_be_visible()
    card.get_by_role("link", name="Edit", exact=True).click()
    expect(card.get_by_role("button", name="Send this example")).to_have_count(0)
    visit.look("inline-edit")
    card.get_by_role("link", name="Cancel").click()
    expect(card.get_by_label("URL")).to_have_count(0)
    assert stayed(page)

    card.get_by_role("link", name="Edit", exact=True).click()
    card.get_by_label("URL").fill("http://10.0.0.1/")
    card.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The address is outside the public internet.")).to_be_visible()
    expect(page.get_by_label("URL")).to_have_value("http://10.0.0.1/")
    visit.complaints[:] = [said for said in visit.complaints if "422" not in said]  # the console notes every 4xx
    page.get_by_label("URL").fill(channel.url)
    page.get_by_label("Name").first.fill("New CRM")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text("Saved.")
    expect(page.locator("main")).to_contain_text("New CRM")


def test_a_channel_is_switched_tested_and_removed(
    visit: Visit, channel: Channel, program: Receiver, live_server: LiveServer
) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/notifications/channels/{channel.pk}")
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#messages")).to_contain_text("CRM is disabled.")
    expect(page.locator("h1")).to_contain_text("Disabled")
    page.get_by_role("button", name="Enable").click()
    expect(page.locator("#messages")).to_contain_text("CRM is enabled.")
    page.get_by_role("button", name="Send this example").click()
    expect(page.get_by_text("The test is on its way.")).to_be_visible()
    visit.look("inline-test-moving")
    in_a_thread(drain_deliveries)
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()
    expect(page.get_by_text("HTTP 200").first).to_be_visible()
    visit.look("inline-test-arrived")
    page.goto(f"{live_server.url}/notifications/channels/{channel.pk}")
    page.get_by_text("Remove", exact=True).click()
    page.get_by_role("button", name="Remove channel").click()
    expect(page.locator("#messages")).to_contain_text("CRM was removed.")
    assert program.requests


def test_a_part_that_asks_again_keeps_the_focus_until_there_is_news(
    visit: Visit, channel: Channel, agency: Agency, live_server: LiveServer
) -> None:
    record_event(agency, EventType.LINKEDIN_BLOCKED, linkedin_account_name="Ada")
    fan_out_due_events()
    page = visit.page
    page.goto(f"{live_server.url}/notifications/deliveries/{channel.deliveries.get().pk}")
    link = page.locator("#delivery a").first
    link.focus()
    for _ in range(2):
        with page.expect_response(lambda answer: answer.request.headers.get("hx-request") == "true"):
            pass
    expect(link).to_be_focused()
    in_a_thread(drain_deliveries)
    expect(page.get_by_text("HTTP 200").first).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(1500)
    assert asked == []


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
    page.locator("#id_event_type").select_option("lead_replied")
    expect(page.get_by_text("No deliveries match")).to_be_visible()
    assert "event_type=lead_replied" in page.url
    visit.look("inline-log-nothing")
    page.locator("#id_event_type").select_option("linkedin_blocked")
    expect(page.get_by_text("Person 59")).to_be_visible()
    assert stayed(page)
    page.reload()  # the address says what is shown
    expect(page.locator("#id_event_type")).to_have_value("linkedin_blocked")
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
    page.locator(f"#{channel.pk}").get_by_role("link", name="Send a test").click()
    page.get_by_role("button", name="Send this example").click()
    expect(page.get_by_text("The test is on its way.")).to_be_visible()
    in_a_thread(drain_deliveries)
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("HTTP 200").first).to_be_visible()
    page.goto(f"{live_server.url}/notifications/channels/{channel.pk}")
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#messages")).to_contain_text("CRM is disabled.")
    page.goto(f"{live_server.url}/notifications/deliveries")
    page.locator("#id_event_type").select_option("lead_replied")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No deliveries match")).to_be_visible()
    context.close()
