"""The inbox is worked through by keyboard alone: open, reply, send, next, done."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.fixtures import Settings

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus
from accounts.models import Account, Agency
from accounts.sources.service import create_source
from leads.inbox.dispatch import send_due
from leads.models import Message, Thread
from leads.pipeline.changes import create_lead
from leads.sequences.templates import create_template
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded
from tests.browser.test_frame import assert_none, faults_by_day_and_by_night
from tests.factories import make_message
from tests.reactions import react
from tests.standins import StandIn, provider

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ANSWER = "Tuesday at ten?"
TIMEOUT = 15_000  # milliseconds: `test_inbox.py` is about how soon; this is about the keys


@pytest.fixture
def sendpilot(settings: Settings) -> Iterator[StandIn]:
    with provider() as stand_in:
        settings.SENDPILOT_API_BASE = f"{stand_in.base}/v1"
        stand_in.answers["/v1/inbox/send"] = (200, {"success": True, "messageId": "m1", "status": "sent"})
        yield stand_in


def two_wait(agency: Agency) -> None:
    """Two leads of one account at SendPilot wait for an answer, Ada longer than Grace."""
    Thread.objects.filter(agency=agency).delete()
    now = timezone.now()
    agency.sources.filter(provider="sendpilot").delete()
    create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})
    account = Account.objects.create(
        agency=agency, provider="sendpilot", external_id="ann", name="Ann Smith", email="ann@example.com",
        status=AccountStatus.ACTIVE, status_since=now, reported_at=now,
    )  # fmt: skip
    set_senders(account, ["sender-1"])
    create_template(agency, name="Short hello", channel="linkedin", text="Hello {{ name }}")
    for hours, name in ((3, "Ada Byron"), (2, "Grace Hopper")):
        url = f"https://www.linkedin.com/in/{name.split()[0].lower()}"
        lead = create_lead(agency, name=name, linkedin_url=url, country="Germany", account=account)
        make_message(lead, text="Tell me more about prices", at=now - timedelta(hours=hours))


def test_a_reply_is_sent_and_the_next_lead_done_without_a_mouse(
    seeded: Seeded, clicks: Clicks, sendpilot: StandIn
) -> None:
    page = clicks.page
    in_a_thread(lambda: two_wait(seeded.agency))
    clicks.open("/inbox")
    expect(page.locator("#threads .item")).to_have_count(2)
    clicks.press("j")
    clicks.press("Enter")
    expect(page.locator("h1")).to_contain_text("Ada Byron")
    expect(page.get_by_text("Before you send")).to_be_visible()
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0, timeout=TIMEOUT)
    clicks.look("conversation-preflight")
    assert_none(faults_by_day_and_by_night(page))
    clicks.press("r")
    clicks.type(ANSWER)
    clicks.press("Control+Enter")
    expect(page.locator("#conversation")).to_contain_text(ANSWER)
    expect(page.locator("#conversation")).to_contain_text("Will be sent")
    clicks.look("conversation-queued")
    in_a_thread(lambda: (send_due(), react()))
    expect(page.locator("#conversation")).not_to_contain_text("Will be sent", timeout=TIMEOUT)
    assert [call.body["message"] for call in sendpilot.calls if call.method == "POST"] == [ANSWER]
    clicks.press("j")
    expect(page.locator("h1")).to_contain_text("Grace Hopper")
    clicks.press("e")
    expect(page.get_by_text("Nobody waits for an answer")).to_be_visible()
    clicks.look("inbox-done")
    assert_none(faults_by_day_and_by_night(page))
    in_a_thread(lambda: _assert_states(seeded.agency))


def _assert_states(agency: Agency) -> None:
    assert Message.objects.get(agency=agency, author="member").state == "sent"
    assert agency.leads.get(name="Grace Hopper").status == "DONE"
