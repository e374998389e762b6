"""The watch over sources: what is said of one that goes quiet, is refused, misses checks, is answered slowly."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.core.enums import IssueKind
from accounts.models import Agency, Event, Source, SourceIssue
from accounts.sources.service import create_source, delete_source
from webhooks.models import LatencyTally, Receipt, RejectedRequest, SourceMonitor
from webhooks.monitoring.source_monitor import check_sources
from webhooks.monitoring.traffic_baseline import (
    MAX_SURPRISE_LIMIT,
    MIN_SURPRISE_LIMIT,
    TrafficBaseline,
    slot_of,
    surprise_limit,
)

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY + timedelta(weeks=3, hours=9), tick=False) as traveller:
        yield traveller


def office_hours(at: datetime) -> bool:
    return at.weekday() < 5 and 9 <= at.hour < 17


def learned(chance: float, *, seed: int = 1, weeks: int = 3) -> TrafficBaseline:
    """What a source teaches that reports in office hours, in each minute with this chance."""
    dice, baseline = random.Random(seed), TrafficBaseline()
    for hour in range(weeks * 168):
        at = MONDAY + timedelta(hours=hour)
        busy = sum(dice.random() < chance for _ in range(60)) if office_hours(at) else 0
        baseline.learn_hour(slot_of(at), busy)
    return baseline


def watched(agency: Agency, provider: str = "salesflow", *, chance: float = 0.9) -> Source:
    """A source that was heard a minute ago, and whose rhythm is known: a quarter of an hour of quiet is much."""
    secret = "client-secret" if provider == "linkedin" else None
    source, _ = create_source(agency=agency, provider=provider, secret=secret, name="Sales team")
    now = timezone.now()
    Source.objects.filter(pk=source.pk).update(last_receipt_at=now - MINUTE)
    baseline = learned(chance)
    SourceMonitor.objects.create(
        source=source, checked_at=now - MINUTE, heard_at=now - MINUTE, busy=baseline.busy, weeks=baseline.weeks
    )
    return source


def rounds(clock: time_machine.Traveller, minutes: int) -> None:
    for _ in range(minutes):
        clock.shift(MINUTE)
        check_sources()


def recorded_types(agency: Agency) -> list[str]:
    return list(agency.events.order_by("id").values_list("event_type", flat=True))


def open_kinds(source: Source) -> set[str]:
    return set(source.issues.filter(closed_at=None).values_list("kind", flat=True))


def receive_report(source: Source) -> None:
    Source.objects.filter(pk=source.pk).update(last_receipt_at=timezone.now())


def minutes_until_silent(baseline: TrafficBaseline, since: datetime) -> int:
    surprise, minutes = 0.0, 0
    while surprise < surprise_limit(0):
        surprise += baseline.surprise(slot_of(since + minutes * MINUTE))
        minutes += 1
        assert minutes < 14 * 1440
    return minutes


@pytest.mark.parametrize(("chance", "at_most"), [(0.9, 15), (0.2, 90), (0.05, 360)])
def test_the_busier_an_hour_the_sooner_its_quiet_is_noticed(chance: float, at_most: int) -> None:
    assert minutes_until_silent(learned(chance), MONDAY + timedelta(weeks=3, hours=10)) <= at_most


def test_a_night_and_a_weekend_are_as_quiet_as_always() -> None:
    baseline = learned(0.2)
    friday_evening = MONDAY + timedelta(weeks=3, days=4, hours=17)
    assert minutes_until_silent(baseline, friday_evening) > (2 * 24 + 16) * 60


def test_a_first_week_teaches_and_tells_nothing() -> None:
    baseline = TrafficBaseline()
    assert baseline.surprise(10) == 0
    baseline.learn_hour(10, 60)
    assert baseline.surprise(11) == 0


def test_what_pauses_now_and_then_has_a_higher_limit_of_its_own() -> None:
    assert surprise_limit(0) == MIN_SURPRISE_LIMIT
    assert surprise_limit(12) == 18
    assert surprise_limit(1000) == MAX_SURPRISE_LIMIT


@pytest.mark.parametrize("seed", range(5))
def test_a_source_that_keeps_its_rhythm_is_seldom_called_silent(seed: int) -> None:
    """Four weeks after three of learning, at a pace where ten minutes of quiet are common."""
    dice, baseline = random.Random(seed), learned(0.1, seed=seed)
    surprise = natural = 0.0
    alarms = 0
    for minute in range(4 * 7 * 1440):
        at = MONDAY + timedelta(weeks=3) + minute * MINUTE
        if office_hours(at) and dice.random() < 0.1:
            alarms += surprise >= surprise_limit(natural)
            natural, surprise = max(natural, surprise), 0.0
        surprise += baseline.surprise(slot_of(at))
    assert alarms <= 1


def test_a_quiet_source_is_told_once_and_so_is_its_return(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency)

    rounds(clock, 30)
    assert recorded_types(agency) == ["source_silent"]
    event = Event.objects.get()
    assert (event.payload["source_id"], event.payload["source_name"]) == (source.pk, "Sales team")
    assert event.payload["error_detail"].startswith("Nothing has come for ")
    assert open_kinds(source) == {"silent"}

    receive_report(source)
    rounds(clock, 1)
    assert recorded_types(agency) == ["source_silent", "source_recovered"]
    assert open_kinds(source) == set()


def test_a_source_that_reports_is_left_alone(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency)
    for _ in range(6):
        rounds(clock, 5)
        receive_report(source)
    assert recorded_types(agency) == []
    assert SourceMonitor.objects.get().busy_minutes is not None


def test_an_outage_of_ours_is_no_silence_of_theirs(agency: Agency, clock: time_machine.Traveller) -> None:
    watched(agency)
    clock.shift(timedelta(hours=5))
    check_sources()
    monitor = SourceMonitor.objects.get()
    assert (monitor.surprise, monitor.busy_minutes) == (0, None)
    assert recorded_types(agency) == []


def test_what_waits_to_be_processed_was_heard(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency)
    Receipt.objects.create(
        source=source, agency=agency, provider="salesflow", dedupe_key=b"1", body=b"{}", received_at=timezone.now()
    )
    rounds(clock, 30)
    assert recorded_types(agency) == []


def test_two_rounds_at_once_count_as_one(agency: Agency, clock: time_machine.Traveller) -> None:
    watched(agency)
    rounds(clock, 3)
    once = SourceMonitor.objects.get().surprise
    check_sources()
    check_sources()
    assert SourceMonitor.objects.get().surprise == once


def refuse(source: Source, count: int, diagnosis: str = "An old secret.") -> None:
    row, _ = RejectedRequest.objects.get_or_create(
        source=source, reason="wrong_signature", defaults={"first_seen": timezone.now(), "last_seen": timezone.now()}
    )
    row.count, row.last_seen, row.diagnosis = row.count + count, timezone.now(), diagnosis
    row.save()


def test_refused_requests_are_told_once_with_the_doctors_words(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency, chance=0.2)
    rounds(clock, 11)
    refuse(source, 2)
    rounds(clock, 1)
    assert recorded_types(agency) == []
    refuse(source, 1)
    rounds(clock, 1)
    refuse(source, 40)
    rounds(clock, 1)
    assert recorded_types(agency) == ["source_rejected"]
    assert Event.objects.get().payload["error_detail"] == "3 requests were refused. An old secret."

    clock.shift(timedelta(minutes=4))
    receive_report(source)
    rounds(clock, 4)
    assert recorded_types(agency) == ["source_rejected"]
    rounds(clock, 6)
    assert recorded_types(agency) == ["source_rejected", "source_recovered"]


def test_a_few_forged_requests_among_good_ones_are_no_trouble(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency)
    for _ in range(6):
        refuse(source, 3)
        receive_report(source)
        rounds(clock, 1)
    assert recorded_types(agency) == []
    refuse(source, 5)
    rounds(clock, 1)
    assert recorded_types(agency) == ["source_rejected"]


def test_what_was_refused_before_the_watch_began_is_old_news(agency: Agency, clock: time_machine.Traveller) -> None:
    source, _ = create_source(agency=agency, provider="salesflow")
    refuse(source, 500)
    rounds(clock, 5)
    assert recorded_types(agency) == []


def test_linkedins_missed_checks_are_told_one_by_one(agency: Agency, clock: time_machine.Traveller) -> None:
    source, _ = create_source(agency=agency, provider="linkedin", secret="client-secret", name="Lead forms")
    Source.objects.filter(pk=source.pk).update(validated_at=timezone.now())
    check_sources()
    for hours, expected in (
        (2.2, []),
        (2.3, ["source_at_risk"]),
        (4.2, ["source_at_risk"]),
        (4.3, ["source_at_risk"] * 2),
        (6.3, ["source_at_risk"] * 2 + ["source_blocked"]),
        (30, ["source_at_risk"] * 2 + ["source_blocked"]),
    ):
        clock.move_to(MONDAY + timedelta(weeks=3, hours=9 + hours))
        check_sources()
        assert recorded_types(agency) == expected, hours
    details = [event.payload["error_detail"] for event in agency.events.order_by("id")]
    assert details == ["1 of 3 checks was missed.", "2 of 3 checks were missed.", "3 of 3 checks were missed."]
    assert open_kinds(source) == {"blocked"}

    Source.objects.filter(pk=source.pk).update(validated_at=timezone.now())
    rounds(clock, 1)
    assert recorded_types(agency)[-1] == "source_recovered"
    assert open_kinds(source) == set()


def test_one_late_check_ends_the_risk(agency: Agency, clock: time_machine.Traveller) -> None:
    source, _ = create_source(agency=agency, provider="linkedin", secret="client-secret")
    Source.objects.filter(pk=source.pk).update(validated_at=timezone.now() - timedelta(hours=3))
    check_sources()
    rounds(clock, 1)
    Source.objects.filter(pk=source.pk).update(validated_at=timezone.now())
    rounds(clock, 1)
    assert recorded_types(agency) == ["source_at_risk", "source_recovered"]


def test_a_source_that_was_never_checked_or_is_not_linkedins_is_at_no_risk(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    create_source(agency=agency, provider="linkedin", secret="client-secret")
    watched(agency, "linkedconnector", chance=0)
    rounds(clock, 5)
    clock.shift(timedelta(days=2))
    check_sources()
    assert recorded_types(agency) == []


def test_slow_answers_are_warned_about_by_their_99th_percentile(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency)
    tally = LatencyTally.objects.create(source=source, began_at=timezone.now(), requests=200, slow=2)
    rounds(clock, 1)
    assert open_kinds(source) == set()
    tally.slow = 3
    tally.save()
    rounds(clock, 1)
    issue = source.issues.get()
    assert (issue.kind, issue.detail) == ("slow", "3 of 200 answers of the last hour took more than a second.")
    assert recorded_types(agency) == ["staff_alert"]
    clock.shift(timedelta(hours=1))
    receive_report(source)
    rounds(clock, 1)
    assert "slow" not in open_kinds(source)


def test_staff_hears_once_of_slow_answers_wherever_they_are_and_once_when_they_are_over(
    agency: Agency, stranger: Agency, clock: time_machine.Traveller
) -> None:
    tallies = [
        LatencyTally.objects.create(source=source, began_at=timezone.now(), requests=200, slow=slow)
        for source, slow in ((watched(agency), 3), (watched(stranger, "linkedconnector"), 4))
    ]
    rounds(clock, 2)
    alert = Event.objects.get(event_type="staff_alert")
    assert (alert.agency, alert.payload["count"]) == (agency, 2)
    assert alert.payload["error_detail"] == "3 of 200 answers of the last hour took more than a second."
    for tally, slow in zip(tallies, (1, 2), strict=True):
        LatencyTally.objects.filter(pk=tally.pk).update(slow=slow)
    rounds(clock, 2)
    assert Event.objects.filter(event_type="staff_alert").count() == 1  # at one of them it is not well yet
    LatencyTally.objects.update(slow=1)
    rounds(clock, 2)
    assert [event.payload["count"] for event in Event.objects.filter(event_type="staff_alert").order_by("id")] == [2, 0]
    LatencyTally.objects.update(slow=9)
    rounds(clock, 1)
    delete_source(tallies[0].source)
    delete_source(tallies[1].source)
    rounds(clock, 1)
    counts = [event.payload["count"] for event in Event.objects.filter(event_type="staff_alert").order_by("id")]
    assert counts == [2, 0, 2, 0]


def test_a_source_that_is_taken_away_has_no_troubles(agency: Agency, clock: time_machine.Traveller) -> None:
    source = watched(agency)
    rounds(clock, 30)
    delete_source(source)
    check_sources()
    assert open_kinds(source) == set()
    assert recorded_types(agency) == ["source_silent"]


def test_a_marketplace_source_without_an_agency_is_watched_too(db: None, clock: time_machine.Traveller) -> None:
    source, _ = create_source(agency=None, provider="highlevel")
    check_sources()
    refuse(source, 5)
    rounds(clock, 1)
    assert SourceIssue.objects.get().kind == IssueKind.REJECTING
    assert not Event.objects.exists()


def test_rounds_learn_the_hours_they_watch(agency: Agency, clock: time_machine.Traveller) -> None:
    source, _ = create_source(agency=agency, provider="salesflow")
    clock.shift(timedelta(minutes=50))
    receive_report(source)
    for _ in range(8):
        for minute in range(0, 10, 2):
            rounds(clock, 2)
            if minute < 4:
                receive_report(source)
    monitor = SourceMonitor.objects.get()
    assert monitor.busy[slot_of(MONDAY + timedelta(hours=10))] == 12
    assert monitor.weeks[slot_of(MONDAY + timedelta(hours=10))] == 1
    assert monitor.weeks[slot_of(MONDAY + timedelta(hours=9))] == 0
