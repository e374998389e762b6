"""Notifications and deliveries in as few clicks as people should need."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from notifications.delivery import drain_deliveries
from notifications.models import Channel, Delivery
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded
from tests.browser.test_frame import assert_none, faults_by_day_and_by_night
from tests.notifications.receiver import Receiver, answering, receiver

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def program(settings: Settings) -> Iterator[Receiver]:
    """A receiver. Made before there is a browser: both want the thread's event loop."""
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiver(answering(200, body="thank you")) as program:
        yield program


def go_to_notifications(clicks: Clicks) -> None:
    if clicks.on_phone:
        clicks.click(clicks.page.get_by_role("button", name="Menu", exact=True))
    clicks.click(clicks.page.locator(".sidebar").get_by_role("link", name="Notifications"))


def test_a_slack_channel_for_opportunities_only_takes_four_clicks(seeded: Seeded, clicks: Clicks) -> None:
    go_to_notifications(clicks)
    clicks.look("notifications")
    clicks.click(clicks.page.get_by_role("region", name="Slack").get_by_role("link", name="Opportunities only"))
    expect(clicks.page.get_by_label("Opportunities only")).to_be_checked()
    clicks.type("https://hooks.slack.com/services/T0/B0/opportunities")
    clicks.look("notifications-slack")
    clicks.click(clicks.page.locator("#new-slack").get_by_role("button", name="Add", exact=True))
    expect(clicks.page.get_by_role("status").get_by_text("Added.")).to_be_visible()
    clicks.assert_at_most(4)
    channel = Channel.objects.get(kind="slack", url__isnull=False, event_types=["lead_opportunity"])
    assert channel.url.endswith("/opportunities")


def test_a_webhook_and_its_first_test_take_five_clicks(program: Receiver, seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    go_to_notifications(clicks)
    clicks.click("Add a webhook URL")
    page.locator("#new-webhook input:focus").wait_for()
    clicks.type(program.url)
    clicks.click(page.locator("#new-webhook").get_by_role("button", name="Add", exact=True))
    expect(page.get_by_label("Signing secret")).to_have_value(re.compile(r"^whsec_"))
    expect(page.get_by_text("def is_from_leadline")).to_be_visible()
    clicks.look("notifications-secret")
    clicks.click("Lead replied")
    expect(page.get_by_text("The test is on its way.")).to_be_visible()
    in_a_thread(drain_deliveries)
    expect(page.get_by_text("webhook-signature: v1,")).to_be_visible()
    expect(page.get_by_text("thank you")).to_be_visible()
    expect(page.get_by_text('"event_type": "lead_replied"')).to_be_visible()
    clicks.assert_at_most(5)
    clicks.look("notifications-first-test")


def test_a_channel_is_limited_to_leads_by_the_same_builder_as_rules(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    go_to_notifications(clicks)
    clicks.click("Add a webhook URL")
    page.locator("#new-webhook input:focus").wait_for()
    clicks.type("https://crm.example.com/in")
    form = page.locator("#new-webhook")
    clicks.click(form.get_by_text("Which leads"))
    clicks.click(form.get_by_role("button", name="Add a condition"))
    form.get_by_label("Field", exact=True).select_option("seniority")
    form.get_by_label("Comparison").select_option("in")
    form.get_by_label("Value", exact=True).select_option(["owner", "c_level"])
    expect(form.locator("[data-sentence]")).to_have_text("The seniority is owner or C level")
    clicks.look("notifications-conditions")
    assert_none(faults_by_day_and_by_night(page))
    form.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_label("Signing secret")).to_have_value(re.compile(r"^whsec_"))
    channel = Channel.objects.get(kind="webhook", conditions__all__0__field="seniority")
    clicks.open(f"/notifications/channels/{channel.pk}")
    expect(page.locator("dl.facts").first).to_contain_text("leads: The seniority is owner or C level")
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("#asked").get_by_label("Comparison")).to_have_value("in")


def test_a_failing_webhook_says_why_and_is_tried_again_in_two_clicks(seeded: Seeded, clicks: Clicks) -> None:
    channel = Channel.objects.get(consecutive_failures__gt=3)
    page = clicks.page
    clicks.click(page.locator("main").get_by_role("link", name=str(channel), exact=True).first)
    card = page.locator(f"#{channel.pk}")
    for words in ("HTTP 500", "zap is turned off", "attempts", "waiting"):
        expect(card.get_by_text(words).first).to_be_visible()
    clicks.look("notifications-failing")
    clicks.click(card.get_by_role("button", name="Try now"))
    expect(page.get_by_role("status").get_by_text("is being tried now")).to_be_visible()
    clicks.assert_at_most(2)


def test_a_delivery_that_failed_is_resent_in_two_clicks_from_the_log(seeded: Seeded, clicks: Clicks) -> None:
    page, failed = clicks.page, Delivery.objects.filter(status="failed", channel__status="enabled").order_by("-pk")[0]
    clicks.open("/notifications/deliveries?status=failed")
    clicks.look("delivery-log")
    clicks.click(page.locator(f"a[href$='/{failed.pk}']").first)
    clicks.look("delivery")
    clicks.click("Resend")
    expect(page.get_by_role("status").get_by_text("It is being resent")).to_be_visible()
    clicks.assert_at_most(2)
    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == ("pending", 0)
