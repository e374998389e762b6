"""What comes in, from any page: a source of each provider, a refused request, an unknown word."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.core.enums import PROVIDERS, ProviderSlug
from accounts.models import Source
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded
from tests.receiving import drain, receive_sample
from webhooks.models import Receipt, RejectedRequest
from webhooks.portal.guides import GUIDES, Secret

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def refused(seeded: Seeded) -> RejectedRequest:
    source = seeded.agency.sources.filter(provider="sendpilot").first()
    now = timezone.now()
    RejectedRequest.objects.filter(source=source).delete()
    return RejectedRequest.objects.create(
        source=source,
        reason="wrong_signature",
        diagnosis="The signature would match but for this. The sender uses an old secret of this source.",
        count=3,
        first_seen=now - timedelta(hours=1),
        last_seen=now,
    )


@pytest.fixture
def waiting(seeded: Seeded) -> int:
    """Events of the seeded agency that wait for the word of the largest group."""
    receipts = Receipt.objects.filter(agency=seeded.agency, status="quarantined", reason="unknown_status")
    source = seeded.agency.sources.get(provider="sendpilot")
    body = b'{"eventId":"evt_w%d","eventType":"lead.updated","data":{"leadId":"lead-w","newStatus":"GHOSTED"}}'
    for number in range(4):
        Receipt.objects.create(
            source=source,
            agency=seeded.agency,
            provider="sendpilot",
            dedupe_key=b"w%d" % number,
            body=body % number,
            received_at=timezone.now(),
            status="quarantined",
            reason="unknown_status",
            event_type="lead.updated",
            correlation="GHOSTED",
        )
    return receipts.filter(correlation="GHOSTED").count()


def to_sources(clicks: Clicks) -> None:
    if clicks.on_phone:
        clicks.click(clicks.page.get_by_role("button", name="Menu"))
    clicks.click(clicks.page.locator("#sidebar").get_by_role("link", name="Sources"))


def test_a_source_of_each_provider_is_added_and_says_what_to_paste_where(seeded: Seeded, clicks: Clicks) -> None:
    for slug in ProviderSlug:
        clicks.open()
        add_source(slug, clicks)
        clicks.assert_at_most(4)
        clicks.look(f"task-source-{slug}")


def add_source(slug: ProviderSlug, clicks: Clicks) -> None:
    to_sources(clicks)
    clicks.click(clicks.page.locator(".provider-tile", has=clicks.page.get_by_text(PROVIDERS[slug], exact=True)))
    if GUIDES[slug].secret is Secret.APP:
        clicks.type("client-secret-of-the-app")
    clicks.click("Add source")
    expect(clicks.page.get_by_text("Waiting for the first request")).to_be_visible()
    expect(clicks.page.get_by_text(str(GUIDES[slug].steps[0].text))).to_be_visible()
    if slug is not ProviderSlug.LINKEDIN:
        url = clicks.page.get_by_label("Webhook URL").input_value()
        assert f"/webhooks/{slug}/" in url


def test_the_light_turns_green_at_the_first_request(seeded: Seeded, clicks: Clicks) -> None:
    clicks.open("/new-source/sendpilot")
    clicks.click("Add source")
    clicks.page.get_by_label("Webhook secret").fill("theirs")
    clicks.click("Save secret")
    expect(clicks.page.locator(".badge", has_text="Secret set")).to_be_visible()
    lamp = clicks.page.get_by_role("status").filter(has=clicks.page.locator(".lamp"))
    expect(lamp).to_contain_text("Waiting for the first request")
    source_id = clicks.page.url.rpartition("/")[2]
    in_a_thread(lambda: receive_sample(Source.objects.get(pk=source_id), "lead_updated"))
    expect(lamp).to_contain_text("First event received")
    expect(lamp).to_have_class(re.compile("light-good"))
    assert lamp.get_attribute("hx-get") is None
    clicks.look("task-source-green")


def test_a_sample_shows_what_would_become_of_it(seeded: Seeded, clicks: Clicks) -> None:
    clicks.open("/new-source/linkedconnector")
    clicks.click("Add source")
    clicks.click("Send sample")
    expect(clicks.page.get_by_text("200 accepted")).to_be_visible()
    clicks.assert_at_most(2)
    in_a_thread(drain)
    clicks.page.reload()
    expect(clicks.page.get_by_text("A sample changes test leads only")).to_be_visible()
    clicks.look("task-sample")


def test_what_a_refused_request_was_is_one_click_away(refused: RejectedRequest, clicks: Clicks) -> None:
    clicks.click(clicks.page.get_by_role("link", name="refused request"))
    expect(clicks.page.get_by_text("The sender uses an old secret of this source.")).to_be_visible()
    clicks.assert_at_most(1)
    clicks.look("task-refused")


def test_an_unknown_word_is_treated_as_a_known_one_for_all_that_wait(waiting: int, clicks: Clicks) -> None:
    clicks.open()
    clicks.click(clicks.page.get_by_role("link", name="unrecognised event"))
    group = clicks.page.locator(".word-group", has_text="GHOSTED")
    expect(group).to_contain_text(f"{waiting} events wait")
    clicks.look("task-unrecognised")
    clicks.click(group.get_by_text("Treat as…"))
    clicks.look("task-treat-as")
    clicks.click(group.get_by_role("button", name="Not interested"))
    expect(clicks.page.get_by_text(f"{waiting} events are processed now.")).to_be_visible()
    expect(clicks.page.locator(".word-group", has_text="GHOSTED")).to_have_count(0)
    clicks.assert_at_most(3)
    in_a_thread(drain)
    counts: list[int] = []
    in_a_thread(lambda: counts.append(Receipt.objects.filter(correlation="GHOSTED", status="processed").count()))
    assert counts == [waiting]


def test_receipts_and_a_receipt_read_well(seeded: Seeded, clicks: Clicks) -> None:
    clicks.open("/received")
    clicks.look("received")
    clicks.click(clicks.page.locator("main tbody a").first)
    clicks.look("receipt")
    clicks.open("/sources")
    clicks.look("sources")
    clicks.open("/received/refused")
    clicks.look("refused")
