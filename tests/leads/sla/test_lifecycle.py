"""What becomes of clocks when records are merged, leads erased, and workers do the same work at once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.models import Agency
from leads.models import ClockSegment, Lead, ResponseClock
from leads.pipeline.changes import create_lead
from leads.pipeline.merge import lock_root, merge_leads
from leads.pipeline.unmerge import unmerge
from leads.privacy.erasure import erase_lead
from leads.sla.alerts import alert_due
from leads.sla.responses import answer_elsewhere
from tests.reactions import react
from tests.threads import at_once


def two_records(agency: Agency) -> tuple[Lead, Lead]:
    older = create_lead(agency, email="ada@example.com")
    younger = create_lead(agency, phone="+4930123")
    react()
    return older, younger


def merge(older: Lead, younger: Lead) -> Lead:
    return merge_leads(lock_root(older.pk), lock_root(younger.pk))  # type: ignore[arg-type]


def test_a_merged_lead_has_one_open_clock_the_earlier_one(agency: Agency) -> None:
    older, younger = two_records(agency)
    first = older.clocks.get()
    root = merge(older, younger)
    assert list(root.clocks.order_by("pk").values_list("stop_reason", "origin")) == [
        ("", None),
        ("merged", younger.pk),
    ]
    root.refresh_from_db()
    assert root.response_due_at == first.due_at
    assert Lead.all_records.get(pk=younger.pk).response_due_at is None


def test_the_clock_of_the_younger_record_goes_on_for_the_lead(agency: Agency) -> None:
    older, younger = two_records(agency)
    answer_elsewhere(older)
    due = younger.clocks.get().due_at
    root = merge(older, younger)
    root.refresh_from_db()
    assert root.response_due_at == due
    answer_elsewhere(root)
    assert not root.clocks.filter(stopped_at__isnull=True).exists()
    root.refresh_from_db()
    assert root.response_due_at is None


def test_undoing_a_merge_lets_both_clocks_run_again(agency: Agency) -> None:
    older, younger = two_records(agency)
    before = {lead.pk: (lead.clocks.get().started_at, lead.clocks.get().due_at) for lead in (older, younger)}
    merge(older, younger)
    unmerge(agency, younger.pk)
    for pk, (started_at, due_at) in before.items():
        lead, clock = Lead.objects.get(pk=pk), ResponseClock.objects.get(lead=pk)
        assert (clock.is_open, clock.started_at, clock.due_at) == (True, started_at, due_at)
        assert (clock.elapsed_seconds, clock.stop_reason, clock.goes_on_in) == (None, "", None)
        assert (lead.response_due_at, clock.next_attempt_at) == (due_at, clock.warn_at)


def test_what_was_answered_before_two_records_part_was_answered_for_both(agency: Agency) -> None:
    older, younger = two_records(agency)
    answer_elsewhere(merge(older, younger))
    unmerge(agency, younger.pk)
    assert not ResponseClock.objects.filter(stopped_at__isnull=True).exists()
    assert Lead.objects.get(pk=younger.pk).response_due_at is None


def test_parting_one_of_three_records_lets_only_its_own_clock_run_again(agency: Agency) -> None:
    older, younger = two_records(agency)
    third = create_lead(agency, linkedin_url="https://www.linkedin.com/in/ada")
    react()
    for record in (younger, third):
        merge(older, record)
    unmerge(agency, younger.pk)
    assert [ResponseClock.objects.get(lead=younger).is_open, third.clocks.count()] == [True, 0]
    states = older.clocks.order_by("pk").values_list("origin", "stop_reason")
    assert list(states) == [(None, ""), (third.pk, "merged")]
    unmerge(agency, third.pk)
    assert ResponseClock.objects.filter(stopped_at__isnull=True).count() == 3


def test_the_lead_gets_its_own_clock_back_when_the_record_takes_the_earlier_one_along(agency: Agency) -> None:
    older, younger = two_records(agency)
    ResponseClock.objects.filter(lead=younger).update(started_at=timezone.now() - timedelta(minutes=9))
    root = merge(older, younger)
    assert root.clocks.get(stopped_at__isnull=True).origin_id == younger.pk
    unmerge(agency, younger.pk)
    assert ResponseClock.objects.filter(stopped_at__isnull=True).count() == 2
    assert Lead.objects.get(pk=older.pk).response_due_at == older.clocks.get().due_at


def test_erasure_takes_the_clocks_and_their_parts(agency: Agency) -> None:
    lead = create_lead(agency, email="ada@example.com")
    react()
    ResponseClock.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    answer_elsewhere(lead)
    assert ClockSegment.objects.exists()
    erase_lead(lead)
    assert (ResponseClock.objects.count(), ClockSegment.objects.count()) == (0, 0)
    react()


@pytest.mark.django_db(transaction=True)
def test_no_event_fires_twice_with_several_workers_at_once(agency: Agency) -> None:
    for number in range(6):
        create_lead(agency, email=f"lead{number}@example.com")
    react()
    past = timezone.now() - timedelta(hours=1)
    ResponseClock.objects.update(warn_at=past, next_attempt_at=past, due_at=timezone.now() + timedelta(hours=1))

    def work() -> None:
        while alert_due(limit=2):
            pass

    at_once(work)
    ResponseClock.objects.update(due_at=past, next_attempt_at=past)
    at_once(work)
    fired = agency.events.filter(event_type__in=(EventType.LEAD_DUE_SOON, EventType.LEAD_OVERDUE))
    assert sorted(fired.values_list("event_type", flat=True)) == ["lead_due_soon"] * 6 + ["lead_overdue"] * 6
    assert len(set(fired.values_list("event_type", "subject"))) == 12
