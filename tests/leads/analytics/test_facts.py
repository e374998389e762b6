"""What reports count of a lead is what its history says, whatever happened to it, and however often it is computed."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from accounts.core.enums import EventType
from accounts.models import Agency, Event
from accounts.tenancy.agencies import update_agency
from leads.analytics.rebuilding import rebuild_facts
from leads.analytics.settings import choose_conversions
from leads.enums import ChangedBy, LeadStatus
from leads.models import Assignment, Lead, LeadChange, LeadFact, LeadStep, ResponseClock
from leads.pipeline.changes import create_lead, set_status
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.pipeline.unmerge import unmerge
from tests.leads.analytics.playing import MONDAY, Play
from tests.reactions import react

ANSWERED = ("message", "call", "elsewhere")


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


def converted_events(lead: Lead) -> int:
    return Event.objects.filter(subject=lead.pk, event_type=EventType.LEAD_CONVERTED).count()


def history(lead: Lead) -> dict[str, Any]:
    """Read from the rows of one lead, one by one, what its fact has to say."""
    first: dict[str, datetime] = {}
    for row in LeadChange.objects.filter(lead=lead, is_report=True):
        if row.applied or row.stated:
            first[row.new_status] = min(first.get(row.new_status, row.occurred_at), row.occurred_at)
    clocks = [row for row in ResponseClock.objects.filter(lead=lead) if row.stop_reason != "merged"]
    wait = sorted(clocks, key=lambda row: (row.started_at, row.pk))[0] if clocks else None
    is_answered = wait is not None and wait.stop_reason in ANSWERED
    zone = ZoneInfo(lead.agency.timezone)
    received = lead.received_at.astimezone(zone)
    converted = [first[status] for status in ("OPPORTUNITY", "MEETING_BOOKED", "DONE") if status in first]
    lost = lead.status_since if lead.status == "NOT_INTERESTED" else None
    return {
        "received": (lead.received_at, received.date(), received.hour),
        "owner": lead.assigned_to_id,
        "steps": first,
        "replied_at": first.get("REPLY_RECEIVED"),
        "converted": (min(converted), min(converted).astimezone(zone).date()) if converted else (None, None),
        "lost": (lost, _cause(lead, wait, lost)) if lost else (None, ""),
        "asked_at": wait.started_at if wait else None,
        "response": int(wait.elapsed_seconds or 0) if wait and is_answered else None,
        "working": int(wait.working_seconds or 0) if wait and is_answered else None,
    }


def _cause(lead: Lead, wait: ResponseClock | None, lost: datetime) -> str:
    down = 0.0
    if lead.account:
        times = [*lead.account.reports.filter(applied=True).order_by("occurred_at")]
        spans = [(row.to_status, row.occurred_at, after.occurred_at) for row, after in pairwise(times)]
        spans += [(times[-1].to_status, times[-1].occurred_at, lost)] if times else []
        for status, begin, end in spans:
            if status != "active":
                down += max((min(end, lost) - max(begin, lead.received_at)).total_seconds(), 0)
    if down >= 2 * 86_400:
        return "account_down"
    if not Assignment.objects.filter(lead=lead, user__isnull=False, at__lte=lost).exists():
        return "no_owner"
    if wait is None or wait.started_at > lost:
        return "other"
    if wait.stop_reason not in ANSWERED or wait.stopped_at is None or wait.stopped_at > lost:
        return "never_answered"
    return "late" if wait.stopped_at >= wait.due_at + timedelta(hours=3) else "other"


def said(fact: LeadFact) -> dict[str, Any]:
    """Say what a fact says in the words of `history`."""
    return {
        "received": (fact.received_at, fact.received_on, fact.received_hour),
        "owner": fact.assigned_to_id,
        "steps": dict(LeadStep.objects.filter(lead=fact.lead_id).values_list("status", "reached_at")),
        "replied_at": fact.replied_at,
        "converted": (fact.converted_at, fact.converted_on),
        "lost": (fact.lost_at, fact.loss_cause),
        "asked_at": fact.asked_at,
        "response": fact.response_seconds,
        "working": fact.response_working_seconds,
    }


def rows() -> dict[str, list[tuple[Any, ...]]]:
    steps = LeadStep.objects.order_by("lead", "status").values_list("lead", "status", "reached_at", "reached_on")
    return {"facts": list(LeadFact.objects.order_by("pk").values_list()), "steps": list(steps)}


def check() -> None:
    leads = list(Lead.objects.select_related("agency", "account").order_by("pk"))
    assert list(LeadFact.objects.order_by("pk").values_list("pk", flat=True)) == [lead.pk for lead in leads]
    for lead in leads:
        assert said(LeadFact.objects.get(pk=lead.pk)) == history(lead)


@pytest.mark.parametrize("seed", range(4))
def test_facts_are_what_the_history_says(agency: Agency, clock: time_machine.Traveller, seed: int) -> None:
    update_agency(agency, timezone="America/New_York")
    play = Play(agency, seed)
    for _ in range(40):
        clock.shift(timedelta(minutes=play.chance.choice([1, 20, 400, 1500])))
        play.step()
        if play.chance.random() < 0.5:
            react()
    react()
    check()
    before = rows()
    assert rebuild_facts() == Lead.all_records.count()
    assert rows() == before
    update_agency(agency, timezone="Asia/Tokyo")
    react()
    check()


def test_a_lead_converts_once_whatever_becomes_of_it(agency: Agency, clock: time_machine.Traveller) -> None:
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    for status in (LeadStatus.OPPORTUNITY, LeadStatus.NOT_INTERESTED, LeadStatus.PENDING, LeadStatus.MEETING_BOOKED):
        clock.shift(3600)
        set_status(lead, status=status, changed_by=ChangedBy.USER)
        react()
    fact = LeadFact.objects.get()
    assert (fact.converted_at, fact.lost_at) == (MONDAY + timedelta(hours=1), None)
    assert converted_events(lead) == 1
    event = Event.objects.get(event_type=EventType.LEAD_CONVERTED)
    assert (event.payload["status"], event.occurred_at) == ("OPPORTUNITY", fact.converted_at)


def test_two_records_of_one_person_convert_once(agency: Agency, clock: time_machine.Traveller) -> None:
    one, other = (create_lead(agency, name="Ada", email=f"{name}@example.com") for name in ("a", "b"))
    react()
    set_status(other, status=LeadStatus.OPPORTUNITY, changed_by=ChangedBy.USER)
    react()
    merge_by_hand(agency, one.pk, other.pk)
    react()
    assert (converted_events(one), converted_events(other)) == (0, 1)
    assert LeadFact.objects.get().converted_at == MONDAY
    unmerge(agency, other.pk)
    react()
    assert (converted_events(one), converted_events(other)) == (0, 1)
    assert LeadFact.objects.get(pk=one.pk).converted_at is None


def test_an_agency_chooses_what_a_conversion_is(
    agency: Agency, stranger: Agency, clock: time_machine.Traveller
) -> None:
    lead, theirs = (create_lead(of, name="Ada", email="ada@example.com") for of in (agency, stranger))
    choose_conversions(agency, [LeadStatus.MEETING_BOOKED])
    for each in (lead, theirs):
        set_status(each, status=LeadStatus.OPPORTUNITY, changed_by=ChangedBy.USER)
    react()
    assert (converted_events(lead), converted_events(theirs)) == (0, 1)
    clock.shift(timedelta(days=2))
    set_status(lead, status=LeadStatus.MEETING_BOOKED, changed_by=ChangedBy.USER)
    react()
    assert LeadFact.objects.get(pk=lead.pk).converted_at == MONDAY + timedelta(days=2)
    choose_conversions(agency, [LeadStatus.OPPORTUNITY, LeadStatus.MEETING_BOOKED])
    react()
    assert LeadFact.objects.get(pk=lead.pk).converted_at == MONDAY
    assert converted_events(lead) == 1


def test_test_leads_and_old_news_are_not_reported(agency: Agency, clock: time_machine.Traveller) -> None:
    test = create_lead(agency, name="Test", email="test@example.com", is_test=True, status=LeadStatus.OPPORTUNITY)
    old = create_lead(agency, name="Old", email="old@example.com", status=LeadStatus.OPPORTUNITY)
    clock.shift(timedelta(days=2))
    react()
    assert (converted_events(test), converted_events(old)) == (0, 0)
    assert LeadFact.objects.filter(converted_at=MONDAY).count() == 2
