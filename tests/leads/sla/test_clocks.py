"""How long leads wait for an answer: what starts a clock, what stops it, and what it has measured then."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from accounts.core.enums import EventType
from accounts.core.errors import FieldError
from accounts.models import Agency, AuditEntry, Member
from accounts.tenancy.calendars.service import create_calendar
from accounts.tenancy.team import remove_member
from leads.enums import ChangedBy, LeadStatus, SegmentKind
from leads.models import Lead, ResponseClock
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.sla.alerts import alert_due
from leads.sla.figures import figures_of
from leads.sla.responses import answer_elsewhere
from tests.reactions import react
from tests.receiving import drain, receive, receive_sample, source_of

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
NINE_TO_FIVE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def open_weekdays(agency: Agency) -> None:
    create_calendar(agency, name="Office", timezone="UTC", week=NINE_TO_FIVE)


@pytest.fixture
def anna(agency: Agency) -> Member:
    return Member.objects.create(agency=agency, user=User.objects.create_user("anna"), role="manager")


@pytest.fixture
def ben(agency: Agency) -> Member:
    return Member.objects.create(agency=agency, user=User.objects.create_user("ben"), role="manager")


def new_lead(agency: Agency, **fields: Any) -> Lead:
    lead = create_lead(agency, email="ada@example.com", **fields)
    react()
    return lead


def in_outreach(agency: Agency, **fields: Any) -> Lead:
    """A lead whom a campaign writes to, and who has not answered."""
    return new_lead(agency, status=LeadStatus.MESSAGE_SENT, **fields)


def to_status(lead: Lead, status: LeadStatus, by: ChangedBy = ChangedBy.PROVIDER) -> None:
    set_status(lead, status=status, changed_by=by)
    react()


def clocks_of(lead: Lead) -> list[tuple[str, str]]:
    return list(lead.clocks.order_by("pk").values_list("kind", "stop_reason"))


def only_clock(lead: Lead) -> ResponseClock:
    return lead.clocks.get()


def sendpilot(agency: Agency, event: str, number: int, at: datetime, **data: Any) -> None:
    source = agency.sources.filter(provider="sendpilot").first() or source_of(agency, "sendpilot")
    body = {
        "eventId": f"evt_{number}",
        "eventType": event,
        "timestamp": at.isoformat(),
        "workspaceId": "ws_1",
        "data": {"leadId": "person_1", "linkedinUrl": "https://www.linkedin.com/in/ada", **data},
    }
    receive(source, body)
    drain()


def events_of(agency: Agency) -> list[str]:
    kinds = (EventType.LEAD_DUE_SOON, EventType.LEAD_OVERDUE)
    return list(agency.events.filter(event_type__in=kinds).order_by("pk").values_list("event_type", flat=True))


def test_a_submitted_form_is_measured_from_the_time_of_the_provider(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    occurred_at = int((MONDAY - timedelta(minutes=4)).timestamp() * 1000)
    receive_sample(source_of(agency, "linkedin"), "lead_created", occurredAt=occurred_at)
    clock.shift(timedelta(minutes=2))
    drain()
    found = only_clock(agency.leads.get())
    assert (found.kind, found.started_at) == ("first_response", MONDAY - timedelta(minutes=4))
    assert found.due_at == MONDAY + timedelta(minutes=11)
    clock.shift(timedelta(minutes=3))
    assert {
        part.value: seconds for part, seconds in figures_of(found, MONDAY + timedelta(minutes=5)).parts.items()
    } == {
        "provider": 240.0,
        "hub": 120.0,
        "waiting": 0.0,
        "person": 180.0,
    }


def test_a_form_from_the_future_is_measured_from_its_receipt(agency: Agency, clock: time_machine.Traveller) -> None:
    ahead = int((MONDAY + timedelta(minutes=3)).timestamp() * 1000)
    receive_sample(source_of(agency, "linkedin"), "lead_created", occurredAt=ahead)
    drain()
    assert only_clock(agency.leads.get()).started_at == MONDAY


def test_a_lead_of_outreach_starts_no_clock_until_it_answers(agency: Agency, clock: time_machine.Traveller) -> None:
    sendpilot(agency, "connection.sent", 1, MONDAY)
    lead = agency.leads.get()
    assert clocks_of(lead) == []
    clock.shift(timedelta(minutes=2))
    sendpilot(agency, "message.received", 2, MONDAY + timedelta(minutes=1), message="Tell me more")
    assert (only_clock(lead).kind, only_clock(lead).started_at) == ("next_response", MONDAY + timedelta(minutes=1))
    lead.refresh_from_db()
    assert (lead.first_attempt_at, lead.first_contact_at) == (MONDAY, MONDAY + timedelta(minutes=1))
    assert lead.response_due_at == MONDAY + timedelta(minutes=16)


def test_only_a_persons_message_stops_the_clock(agency: Agency, clock: time_machine.Traveller) -> None:
    sendpilot(agency, "message.received", 1, MONDAY, message="Tell me more")
    lead = agency.leads.get()
    clock.shift(timedelta(minutes=5))
    sendpilot(agency, "message.sent", 2, MONDAY + timedelta(minutes=4), sequenceStep=2)
    assert clocks_of(lead) == [("next_response", "")]
    sendpilot(agency, "message.sent", 3, MONDAY + timedelta(minutes=5))
    found = only_clock(lead)
    assert (found.stop_reason, found.stopped_at) == ("message", MONDAY + timedelta(minutes=5))
    assert (found.elapsed_seconds, found.working_seconds, found.breached) == (300.0, 300.0, False)
    lead.refresh_from_db()
    assert (lead.first_attempt_at, lead.first_response_at) == (
        MONDAY + timedelta(minutes=4),
        MONDAY + timedelta(minutes=5),
    )
    assert lead.response_due_at is None


def test_a_second_message_waits_from_the_oldest_that_has_no_answer(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(minutes=10))
    sendpilot(agency, "message.received", 1, MONDAY + timedelta(minutes=3), message="Are you there?")
    sendpilot(agency, "message.received", 2, MONDAY + timedelta(minutes=1), message="Hello")
    sendpilot(agency, "message.received", 3, MONDAY + timedelta(minutes=8), message="?")
    lead = agency.leads.get()
    assert only_clock(lead).started_at == MONDAY + timedelta(minutes=1)
    sendpilot(agency, "message.sent", 4, MONDAY + timedelta(minutes=9))
    sendpilot(agency, "message.received", 5, MONDAY + timedelta(minutes=10), message="Thanks")
    assert clocks_of(lead) == [("next_response", "message"), ("next_response", "")]


def test_a_message_that_is_reported_after_its_answer_is_measured_until_the_answer(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(minutes=10))
    sendpilot(agency, "message.sent", 1, MONDAY + timedelta(minutes=7))
    sendpilot(agency, "message.received", 2, MONDAY + timedelta(minutes=2), message="Hello")
    found = only_clock(agency.leads.get())
    assert (found.stop_reason, found.elapsed_seconds) == ("message", 300.0)


def test_an_answer_older_than_the_message_stops_nothing(agency: Agency, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(minutes=10))
    sendpilot(agency, "message.received", 1, MONDAY + timedelta(minutes=5), message="Hello")
    sendpilot(agency, "message.sent", 2, MONDAY + timedelta(minutes=4))
    assert clocks_of(agency.leads.get()) == [("next_response", "")]


def test_tests_and_back_filled_leads_start_no_clock(agency: Agency, clock: time_machine.Traveller) -> None:
    assert clocks_of(new_lead(agency, is_test=True)) == []
    assert clocks_of(create_lead(agency, phone="+4930123", recovered=True)) == []
    react()
    assert ResponseClock.objects.count() == 0
    clock.shift(timedelta(days=1))
    assert alert_due() == 0
    assert events_of(agency) == []


def test_working_time_alone_counts(agency: Agency, clock: time_machine.Traveller, open_weekdays: None) -> None:
    clock.move_to(datetime(2026, 3, 6, 16, 50, tzinfo=UTC))  # a Friday
    lead = new_lead(agency)
    found = only_clock(lead)
    assert found.due_at == datetime(2026, 3, 9, 9, 5, tzinfo=UTC)
    assert found.warn_at == datetime(2026, 3, 6, 17, 0, tzinfo=UTC)
    clock.move_to(datetime(2026, 3, 9, 9, 2, tzinfo=UTC))
    answer_elsewhere(lead, how="by telephone")
    found.refresh_from_db()
    assert (found.working_seconds, found.breached) == (720.0, False)
    assert found.elapsed_seconds == timedelta(days=2, hours=16, minutes=12).total_seconds()
    parts = figures_of(found, MONDAY).parts
    assert sum(parts.values()) == found.elapsed_seconds
    assert parts[SegmentKind.PERSON] == 720.0


def test_a_clock_warns_once_and_is_overdue_once(agency: Agency, clock: time_machine.Traveller, anna: Member) -> None:
    lead = new_lead(agency, assigned_to=anna.user)
    assert alert_due() == 0
    clock.shift(timedelta(minutes=10))
    assert [alert_due(), alert_due()] == [1, 0]
    clock.shift(timedelta(minutes=5))
    assert [alert_due(), alert_due()] == [1, 0]
    assert events_of(agency) == ["lead_due_soon", "lead_overdue"]
    body = agency.events.get(event_type=EventType.LEAD_OVERDUE).payload
    assert (body["lead_id"], body["assigned_to"], body["clock"]) == (lead.pk, anna.pk, "first_response")
    assert body["due_at"] == "2026-03-02T10:15:00.000Z"
    assert only_clock(lead).breached


def test_a_clock_that_nobody_looked_at_in_time_is_only_overdue(agency: Agency, clock: time_machine.Traveller) -> None:
    new_lead(agency)
    clock.shift(timedelta(hours=1))
    assert [alert_due(), alert_due()] == [1, 0]
    assert events_of(agency) == ["lead_overdue"]


def test_a_clock_that_runs_after_closing(agency: Agency, clock: time_machine.Traveller) -> None:
    lead = new_lead(agency)
    to_status(lead, LeadStatus.NOT_INTERESTED, ChangedBy.USER)
    assert clocks_of(lead) == [("first_response", "closed")]
    clock.shift(timedelta(days=1))
    assert alert_due() == 0
    sendpilot(agency, "message.received", 1, MONDAY, linkedinUrl="https://www.linkedin.com/in/other", leadId="other")
    other = agency.leads.exclude(pk=lead.pk).get()
    to_status(other, LeadStatus.DONE, ChangedBy.USER)
    sendpilot(agency, "message.received", 2, MONDAY, linkedinUrl="https://www.linkedin.com/in/other", leadId="other")
    assert not other.clocks.filter(stopped_at__isnull=True).exists()


def test_a_clock_that_measures_a_reopened_lead_from_its_creation(agency: Agency, clock: time_machine.Traveller) -> None:
    lead = new_lead(agency)
    to_status(lead, LeadStatus.DONE, ChangedBy.USER)
    clock.shift(timedelta(days=30))
    to_status(lead, LeadStatus.REPLY_RECEIVED, ChangedBy.USER)
    assert clocks_of(lead) == [("first_response", "closed"), ("next_response", "")]
    assert lead.clocks.get(kind="next_response").started_at == MONDAY + timedelta(days=30)
    to_status(lead, LeadStatus.DONE, ChangedBy.USER)
    clock.shift(timedelta(days=1))
    to_status(lead, LeadStatus.CONNECTION_ACCEPTED, ChangedBy.USER)
    assert lead.clocks.get(stopped_at__isnull=True).started_at == MONDAY + timedelta(days=31)


def test_a_booked_meeting_ends_the_wait_and_a_message_after_it_waits_again(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    sendpilot(agency, "message.received", 1, MONDAY, message="Yes")
    lead = agency.leads.get()
    to_status(lead, LeadStatus.MEETING_BOOKED)
    assert clocks_of(lead) == [("next_response", "meeting_booked")]
    clock.shift(timedelta(minutes=2))
    sendpilot(agency, "message.received", 2, MONDAY + timedelta(minutes=1), message="Could we move it?")
    assert clocks_of(lead)[1:] == [("next_response", "")]


def test_a_member_says_that_the_answer_was_given_elsewhere(
    agency: Agency, clock: time_machine.Traveller, anna: Member
) -> None:
    lead = new_lead(agency)
    clock.shift(timedelta(minutes=30))
    answer_elsewhere(lead, at=MONDAY + timedelta(minutes=9), how="by telephone", by=anna.user)
    found = only_clock(lead)
    assert (found.stop_reason, found.stopped_by, found.elapsed_seconds) == ("elsewhere", anna.user, 540.0)
    change = lead.changes.latest("pk")
    assert (change.note, change.user_id) == ("Answered elsewhere: by telephone", anna.user_id)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.user, entry.object_id) == ("Lead answered elsewhere", anna.user, lead.pk)
    assert "telephone" not in entry.detail


@pytest.mark.parametrize("minutes", [-1, 31])
def test_an_answer_before_the_lead_wrote_or_in_the_future_is_refused(
    agency: Agency, clock: time_machine.Traveller, minutes: int
) -> None:
    lead = new_lead(agency)
    clock.shift(timedelta(minutes=30))
    with pytest.raises(FieldError) as refusal:
        answer_elsewhere(lead, at=MONDAY + timedelta(minutes=minutes))
    assert refusal.value.field == "at"
    assert only_clock(lead).is_open


def test_worked_seconds_stay_spent_when_the_owner_changes(
    agency: Agency, clock: time_machine.Traveller, anna: Member, ben: Member
) -> None:
    lead = new_lead(agency, assigned_to=anna.user)
    clock.shift(timedelta(minutes=6))
    update_lead(lead, assigned_to=ben.user)
    react()
    found = only_clock(lead)
    assert (found.owner, found.spent_seconds) == (ben.user, 360.0)
    assert found.due_at == MONDAY + timedelta(minutes=15)
    clock.shift(timedelta(minutes=3))
    answer_elsewhere(lead, by=ben.user)
    by_owner = list(found.segments.filter(kind="person").order_by("pk").values_list("owner__username", "seconds"))
    assert by_owner == [("anna", 360.0), ("ben", 180.0)]
    found.refresh_from_db()
    assert found.working_seconds == 540.0


def test_an_answer_of_the_owner_before_counts_as_theirs(
    agency: Agency, clock: time_machine.Traveller, anna: Member, ben: Member
) -> None:
    lead = new_lead(agency, assigned_to=anna.user)
    clock.shift(timedelta(minutes=6))
    update_lead(lead, assigned_to=ben.user)
    react()
    answer_elsewhere(lead, at=MONDAY + timedelta(minutes=5), by=anna.user)
    found = only_clock(lead)
    assert (found.working_seconds, found.elapsed_seconds) == (300.0, 300.0)
    assert list(found.segments.values_list("owner__username", "seconds")) == [("anna", 300.0)]


def test_a_removed_member_takes_no_clock_along(
    agency: Agency, clock: time_machine.Traveller, anna: Member, ben: Member
) -> None:
    Member.objects.filter(pk=ben.pk).update(role="owner")
    lead = new_lead(agency, assigned_to=anna.user)
    remove_member(anna)
    react()
    assert only_clock(lead).owner is None
    assert only_clock(lead).is_open


def test_a_lead_has_one_open_clock_of_each_kind(agency: Agency, clock: time_machine.Traveller) -> None:
    found = only_clock(new_lead(agency))
    found.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        found.save(force_insert=True)
