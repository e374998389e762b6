"""A member who wants it gets one mail a working day with how much waits for them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User

from accounts.core.enums import EventType
from accounts.models import Agency, Event, Member
from accounts.tenancy.calendars.service import create_calendar
from accounts.tenancy.members import update_member
from accounts.tenancy.verified_email import mark_email_verified
from leads.activities.digests import send_due
from leads.activities.tasks import create_task
from leads.enums import LeadStatus, TaskKind
from leads.models import MemberDigest
from leads.pipeline.changes import create_lead
from notifications.delivery import drain_deliveries
from tests.reactions import react

FRIDAY = datetime(2026, 3, 6, 10, tzinfo=UTC)
WEEK = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(FRIDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def anna(agency: Agency, clock: time_machine.Traveller) -> Member:
    user = User.objects.create_user("anna", first_name="Anna")
    mark_email_verified(user, "anna@example.com")
    return Member.objects.create(agency=agency, user=user, role="manager")


def wants_digest(member: Member, **changes: Any) -> MemberDigest:
    update_member(member, alerts={"digest": True}, **changes)
    return MemberDigest.objects.get(member=member)


def digests() -> list[tuple[str, dict[str, int]]]:
    events = Event.objects.filter(event_type=EventType.MEMBER_DIGEST).order_by("pk")
    return [
        (event.recipient, {key: value for key, value in event.payload.items() if isinstance(value, int)})
        for event in events
    ]


def test_a_digest_says_once_what_waits_as_the_next_working_day_begins(
    agency: Agency, anna: Member, clock: time_machine.Traveller, mailoutbox: list[Any]
) -> None:
    create_calendar(agency, name="Office", timezone="Europe/Berlin", week=WEEK)
    row = wants_digest(anna)
    monday = datetime(2026, 3, 9, 8, tzinfo=UTC)
    assert row.next_attempt_at == monday
    lead = create_lead(agency, email="ada@example.com", assigned_to=anna.user)
    react()
    create_lead(agency, email="done@example.com", assigned_to=anna.user, status=LeadStatus.DONE)
    create_lead(agency, email="test@example.com", assigned_to=anna.user, is_test=True)
    create_lead(agency, email="nobody@example.com")
    for hours in (1, 75, 200):  # overdue, on Monday, later
        due_at = FRIDAY + timedelta(hours=hours)
        create_task(lead, kind=TaskKind.CALL, title="Call", due_at=due_at, assigned_to=anna.user)
    assert send_due() == 0
    clock.move_to(monday)
    assert (send_due(), send_due()) == (1, 0)
    waiting = {"open_leads": 1, "leads_to_answer": 1, "leads_overdue": 1, "tasks_due": 2, "tasks_overdue": 1}
    assert digests() == [("anna@example.com", waiting)]
    row.refresh_from_db()
    assert row.next_attempt_at == monday + timedelta(days=1)
    Event.objects.exclude(event_type=EventType.MEMBER_DIGEST).delete()
    drain_deliveries()
    [mail] = mailoutbox
    assert (mail.to, mail.subject) == (["anna@example.com"], "1 lead to answer, 2 tasks due")
    for part in ("You have 1 open lead. 1 of them waits for an answer. 1 answer is overdue.", "/leads?assigned_to=me"):
        assert part in mail.body


def test_nothing_that_waits_is_no_mail(agency: Agency, anna: Member, clock: time_machine.Traveller) -> None:
    wants_digest(anna)
    clock.shift(timedelta(days=1))
    assert (send_due(), digests()) == (1, [])


def test_without_working_hours_the_day_begins_at_eight(
    agency: Agency, anna: Member, clock: time_machine.Traveller
) -> None:
    agency.timezone = "America/New_York"
    agency.save()
    assert wants_digest(anna).next_attempt_at == datetime(2026, 3, 6, 13, tzinfo=UTC)


def test_other_hours_plan_the_next_digest_anew_and_who_wants_none_any_more_gets_none(
    agency: Agency, anna: Member, clock: time_machine.Traveller
) -> None:
    create_calendar(agency, name="Office", timezone="UTC", week=WEEK)
    late = create_calendar(agency, name="Late", timezone="UTC", week={"sat": [["11:00", "15:00"]]})
    assert wants_digest(anna).next_attempt_at == datetime(2026, 3, 9, 9, tzinfo=UTC)
    update_member(anna, calendar=late)
    assert MemberDigest.objects.get().next_attempt_at == datetime(2026, 3, 7, 11, tzinfo=UTC)
    update_member(anna, alerts={"digest": False})
    assert not MemberDigest.objects.exists()


def test_who_can_no_longer_sign_in_gets_no_digest(agency: Agency, anna: Member, clock: time_machine.Traveller) -> None:
    wants_digest(anna)
    create_lead(agency, email="ada@example.com", assigned_to=anna.user)
    User.objects.filter(pk=anna.user_id).update(is_active=False)
    clock.shift(timedelta(days=1))
    assert (send_due(), digests()) == (1, [])
