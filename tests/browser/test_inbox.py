"""The inbox in a browser: what comes in is there by itself, and is read, labelled and handed over."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from leads.pipeline.changes import create_lead
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded
from tests.browser.test_frame import assert_none, faults_by_day_and_by_night
from tests.factories import make_message

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LIVE = 5_000  # milliseconds: a request every two seconds, and its answer by a machine that does other things


def write(seeded: Seeded, text: str, author: str = "lead") -> None:
    """Let Ada, or a sequence, write a message now."""

    def add() -> None:
        lead = seeded.agency.leads.get(name="Ada Lovelace")
        make_message(lead, text=text, author=author)
        now = timezone.now()
        lead.threads.update(last_message_at=now, last_received_at=now)

    in_a_thread(add)


def test_a_message_is_there_by_itself_read_and_labelled(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    clicks.sign_in(seeded.owner)
    clicks.open("/inbox")
    expect(page.locator("#threads .item").first).to_contain_text("Waits for an answer")
    clicks.look("inbox-waiting")
    clicks.open("/inbox?view=all")
    in_a_thread(lambda: create_lead(seeded.agency, name="Ada Lovelace", title="CEO", company="Analytical"))
    write(seeded, "Hello, we saw your talk", author="automation")
    write(seeded, "Tell me more about prices")
    expect(page.get_by_role("link", name="Ada Lovelace")).to_be_visible(timeout=LIVE)
    clicks.look("inbox")
    assert_none(faults_by_day_and_by_night(page))
    page.get_by_role("link", name="Ada Lovelace").click()
    expect(page.locator("#conversation")).to_contain_text("Tell me more about prices")
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0, timeout=LIVE)
    write(seeded, "Are you there?")
    expect(page.locator("#conversation")).to_contain_text("Are you there?", timeout=LIVE)
    page.get_by_label("Label").fill("pricing")
    page.get_by_role("button", name="Save label").click()
    expect(page.locator("h1")).to_contain_text("pricing")
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="(me)")).to_be_visible()
    page.get_by_role("button", name="(me)").click()
    expect(page.locator("#messages")).to_contain_text("is assigned to")
    clicks.look("conversation")
    assert_none(faults_by_day_and_by_night(page))
