"""One timeline: everything that happened to an account, newest first, and every page at the same price."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.campaigns.service import campaign_of, update_campaign
from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.events.timeline import Entry, timeline_page
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency
from accounts.services import report_status
from notifications.channels.service import create_channel
from notifications.delivery import fan_out_due_events
from tests.cases import one_by_one
from tests.reactions import react


def report(agency: Agency, status: str, number: int = 1) -> Account:
    account = report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id=str(number), name=f"Ada {number}", email=f"ada{number}@example.com"),
        status=AccountStatus(status),
        origin=Origin(by="salesflow", at=timezone.now()),
    )
    react()
    return account


def staff_did(account: Account, user: User, what: str) -> None:
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Account),
        object_id=account.pk,
        object_repr=account.pk,
        action_flag=CHANGE,
        change_message=what,
    )


def words(entry: Entry) -> str:
    row = entry.row
    for name in ("to_status", "kind", "event_type", "change_message"):
        if hasattr(row, name):
            return f"{entry.kind} {getattr(row, name)}"
    raise AssertionError


@pytest.fixture
def lived(agency: Agency, staff: User) -> Account:
    """An account that dropped, was asked about, was touched by staff and came back, a minute a step."""
    create_channel(agency=agency, kind="webhook", name="CRM", url="https://crm.example.com/hook")
    with time_machine.travel(timezone.now() - timedelta(hours=1), tick=False) as clock:
        account = report(agency, "active")
        campaign = campaign_of(agency, provider="sendpilot", external_id="c1", name="Founders")
        update_campaign(campaign, account=account)
        clock.shift(60)
        report(agency, "disconnected")
        fan_out_due_events()
        clock.shift(60)
        staff_did(account, staff, "Asked the owner.")
        clock.shift(60)
        report(agency, "active")
        report(agency, "disconnected", number=2)
    return account


def test_everything_stands_in_one_line(lived: Account) -> None:
    page = timeline_page(lived)
    assert page.older == ""
    times = [entry.at for entry in page.entries]
    assert times == sorted(times, reverse=True)
    assert sorted(words(entry) for entry in page.entries) == sorted(
        [
            *("report active", "report disconnected", "report active"),
            *("event linkedin_connected", "event linkedin_disconnected", "event linkedin_reconnected"),
            *("event reauth_requested", "event reauth_requested"),
            *("prompt opened", "prompt mailed", "prompt closed"),
            *("pause campaign_paused", "pause campaign_resumed"),
            "staff Asked the owner.",
        ]
    )


def test_an_event_says_whom_it_reached(lived: Account) -> None:
    deliveries = {
        words(entry): [(one.recipient, one.state) for one in entry.deliveries] for entry in timeline_page(lived).entries
    }
    assert deliveries["event linkedin_disconnected"] == [("CRM", "pending")]
    assert deliveries["event linkedin_reconnected"] == []


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_pages_join_without_a_gap_and_without_a_double(lived: Account, size: int) -> None:
    whole = [(entry.kind, entry.row.pk) for entry in timeline_page(lived).entries]
    found: list[tuple[str, object]] = []
    cursor = ""
    while True:
        page = timeline_page(lived, cursor, size)
        found += [(entry.kind, entry.row.pk) for entry in page.entries]
        cursor = page.older
        if not cursor:
            break
    assert found == whole


def test_no_page_skips_rows_and_a_long_life_asks_no_more(lived: Account, agency: Agency) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(connection) as captured:
            timeline_page(lived, timeline_page(lived, "", 4).older, 4)
        return [query["sql"].upper() for query in captured.captured_queries]

    before = asked()
    for status in ["disconnected", "active"] * 20:
        report(agency, status)
    after = asked()
    assert len(after) <= len(before) + 1
    assert not any("OFFSET" in sql or "COUNT(" in sql for sql in after)


@one_by_one("cursor", ["x", "report-0", "report-" + "9" * 30, "report-x.event-", "event-zzz", "\x00", "staff--1"])
def test_a_cursor_that_is_none_breaks_nothing(lived: Account, cursor: str) -> None:
    assert timeline_page(lived, cursor).older == ""


def test_a_campaigns_pauses_stay_with_the_account_they_were_for(lived: Account, agency: Agency) -> None:
    other = report(agency, "active", number=3)
    update_campaign(lived.campaigns.get(), account=other)
    assert [words(entry) for entry in timeline_page(other).entries if entry.kind == "pause"] == []
