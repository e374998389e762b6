"""What is held while an account is not ready goes on by itself; a blocked source is got going again by a button."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import AccountStatus, IssueKind
from accounts.linkedin.readiness import Action, held
from accounts.models import Account, Agency, Source
from accounts.sources import issues
from leads.lead_sync.recovery import recover
from leads.models import Lead, LeadFetch, LeadSync, Pull, Subscription
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, source_of, work

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_fetch_a_pull_and_a_check_wait_for_the_end_of_a_limit(agency: Agency) -> None:
    with linkedin() as stand_in, time_machine.travel(NOW, tick=False) as clock:
        source = connected(agency)
        work()
        until = NOW + timedelta(hours=2)
        Account.objects.update(rate_limited_until=until)
        stand_in.world.calls.clear()
        notify(source, stand_in.world.submit())
        Pull.objects.update(next_attempt_at=NOW, attempts=0, finished_at=None)
        LeadSync.objects.update(next_attempt_at=NOW)
        work()

        assert not stand_in.world.calls
        fetch, pull = LeadFetch.objects.get(), Pull.objects.get()
        assert (fetch.next_attempt_at, fetch.attempts) == (until, 0)
        assert (pull.next_attempt_at, pull.attempts) == (until, 0)
        assert LeadSync.objects.get().next_attempt_at == until
        assert fetch.error == pull.error == "LinkedIn limits this account for now."

        clock.move_to(until + timedelta(seconds=1))
        work()
        assert Lead.objects.get().details_pending is False
        assert stand_in.world.calls


@pytest.mark.parametrize(
    ("status", "limited", "message"),
    [
        ("active", False, None),
        ("active", True, "LinkedIn limits this account for now."),
        ("blocked", False, "The account is blocked by LinkedIn."),
        ("disconnected", True, "The account is disconnected. LinkedIn limits this account for now."),
    ],
)
def test_what_is_held_and_until_when(agency: Agency, status: str, limited: bool, message: str | None) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)  # noqa: TID251
    account = Account(
        agency=agency,
        provider="linkedin",
        status=AccountStatus(status),
        status_since=until - timedelta(days=400),
        rate_limited_until=until if limited else None,
    )
    hold = held(account, Action.SYNC)
    assert (hold.message if hold else None) == message
    assert (hold.until if hold else None) == (until if limited and status == "active" else None)


def test_recovering_makes_the_subscriptions_anew_and_pulls_the_gap(agency: Agency, staff: User) -> None:
    client = Client()
    client.force_login(staff)
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        missed = stand_in.world.submit()
        issues.open_issue(source, IssueKind.BLOCKED, detail="3 of 3 checks were missed.", level=3)

        page = client.get(f"/admin/accounts/source/{source.pk}/change/").content.decode()
        assert "Recover now" in page
        answer = client.post(f"/admin/accounts/source/{source.pk}/press/recover/", follow=True)

        assert (
            "Subscriptions made anew: 1. The leads of the gap are being fetched (1 pulls)." in answer.content.decode()
        )
        calls = stand_in.world.calls
        assert (calls["POST leadNotifications"], calls["DELETE leadNotifications"]) == (2, 1)
        assert Subscription.objects.get().external_id in {str(key) for key in stand_in.world.subscriptions}
        work()
    assert Lead.objects.get().references.get().external_id == missed["id"]


def test_what_cannot_be_recovered_says_why(agency: Agency) -> None:
    source = source_of(agency)
    with pytest.raises(ValueError, match="has to connect the source first"):
        recover(source)
    Subscription.objects.all().delete()
    with pytest.raises(ValueError, match="no subscriptions"):
        recover(source)
    with linkedin() as stand_in:
        other = connected(agency)
        work()
        stand_in.world.broken["leadNotifications"] = 5
        with pytest.raises(ValueError, match="LinkedIn"):
            recover(other)
        linkedin_account_of(other)
        with pytest.raises(ValueError, match="blocked by LinkedIn"):
            recover(other)


def linkedin_account_of(source: Source) -> None:
    Account.objects.filter(lead_syncs__source=source).update(status="blocked")
