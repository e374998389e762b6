"""A source is taken away: LinkedIn hears of it, again and again if it must, and then the permission is forgotten."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from accounts.core.enums import Scope
from accounts.models import Account, AccountToken, Agency, Source
from config.demo.linkedin_api.world import World
from leads.lead_sync import backfill, backfill_pages
from leads.lead_sync.disconnect import GONE
from leads.lead_sync.health_checks import check_due
from leads.lead_sync.problems import problems_of
from leads.models import LeadFetch, LeadSync, Pull, Subscription
from tests.api.client import api_with
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, sync_of, work
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def world() -> Iterator[World]:
    with linkedin() as stand_in:
        yield stand_in.world


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as clock:
        yield clock


def removed(agency: Agency) -> Source:
    """Connected, subscribed, and taken away by the agency's program."""
    source = connected(agency)
    work()
    assert api_with(agency, Scope.ADMIN).delete(f"sources/{source.pk}").status_code == 204
    return source


def test_linkedin_is_told_and_the_token_goes(agency: Agency, world: World) -> None:
    removed(agency)
    assert len(world.subscriptions) == 1
    work()
    assert world.subscriptions == {}
    assert not Subscription.objects.exists()
    assert not AccountToken.objects.exists()
    sync = LeadSync.objects.get()
    assert (sync.account, sync.next_attempt_at, problems_of(sync)) == (None, None, [])


def test_it_is_told_again_until_it_listens(agency: Agency, clock: time_machine.Traveller, world: World) -> None:
    source = removed(agency)
    world.broken["leadNotifications"] = 2
    work()
    [problem] = problems_of(sync_of(source))
    assert problem.code == "left_at_linkedin"
    assert "told again" in problem.message
    clock.shift(timedelta(minutes=6))
    work()
    assert len(world.subscriptions) == 1
    clock.shift(timedelta(minutes=16))
    work()
    assert (world.subscriptions, problems_of(sync_of(source))) == ({}, [])
    assert not AccountToken.objects.exists()


def test_after_a_day_it_is_left_to_a_person_and_the_token_goes_all_the_same(
    agency: Agency, clock: time_machine.Traveller, world: World
) -> None:
    source = removed(agency)
    world.broken["leadNotifications"] = 10_000
    for _ in range(26):
        work()
        clock.shift(timedelta(hours=1))
    sync = sync_of(source)
    assert "by hand" in problems_of(sync)[0].message
    assert (sync.next_attempt_at, AccountToken.objects.exists()) == (None, False)
    assert Subscription.objects.get().external_id


def test_without_a_permission_it_is_left_to_a_person_at_once(agency: Agency, world: World) -> None:
    source = connected(agency)
    work()
    world.revoke()
    assert api_with(agency, Scope.ADMIN).delete(f"sources/{source.pk}").status_code == 204
    work()
    assert "by hand" in problems_of(sync_of(source))[0].message
    assert Account.objects.get().status == "active"  # nobody can sign in for it any more


def test_another_source_of_the_same_person_works_on(
    agency: Agency, clock: time_machine.Traveller, world: World
) -> None:
    gone = connected(agency)
    work()
    clock.shift(timedelta(seconds=1))
    kept = connected(agency)
    work()
    assert len(world.subscriptions) == 2
    assert api_with(agency, Scope.ADMIN).delete(f"sources/{gone.pk}").status_code == 204
    work()
    assert [row["webhook"] for row in world.subscriptions.values()] == [kept.webhook_url]
    assert AccountToken.objects.count() == 1


def test_a_pull_whose_source_is_taken_away_while_a_page_is_asked_for_stays_ended(
    agency: Agency, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.submit_many(15)
    source = connected(agency)
    check_due()
    import_leads = backfill_pages.import_leads  # type: ignore[attr-defined]

    def take_away(*args: Any) -> tuple[int, int]:
        assert api_with(agency, "admin").delete(f"sources/{source.pk}").status_code == 204
        return import_leads(*args)

    monkeypatch.setattr(backfill_pages, "import_leads", take_away)
    backfill.pull_due()
    pull = Pull.objects.get()
    assert (pull.next_attempt_at, pull.leased_until, pull.position, pull.error) == (None, None, 0, GONE)
    assert backfill.pull_due() is None


def test_nothing_more_is_fetched_or_pulled(agency: Agency, world: World) -> None:
    source = connected(agency)
    work()
    notify(source, world.submit())
    process_due_receipts()
    world.calls.clear()
    assert api_with(agency, Scope.ADMIN).delete(f"sources/{source.pk}").status_code == 204
    work()
    assert "GET leadFormResponses" not in world.calls
    assert not LeadFetch.objects.filter(next_attempt_at__isnull=False).exists()
    assert not Pull.objects.filter(next_attempt_at__isnull=False).exists()
