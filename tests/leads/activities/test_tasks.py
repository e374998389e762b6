"""What members have to do about leads: due in working time, overdue once, done with an outcome."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import transaction

from accounts.core.errors import FieldError
from accounts.models import Agency, Member
from accounts.tenancy.calendars.service import create_calendar
from accounts.tenancy.team import remove_member
from leads.activities.notes import create_note, update_note
from leads.activities.overdue import report_overdue
from leads.activities.tasks import create_task, delete_task, finish_task, update_task
from leads.enums import TaskKind
from leads.models import Lead, Note, Task
from leads.pipeline.changes import create_lead
from leads.pipeline.merge import lock_root, merge_leads
from leads.privacy.erasure import erase_lead
from tests.reactions import react

FRIDAY = datetime(2026, 3, 6, 16, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(FRIDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def lead(agency: Agency, clock: time_machine.Traveller) -> Lead:
    lead = create_lead(agency, email="ada@example.com")
    react()
    return lead


@pytest.fixture
def anna(agency: Agency) -> Member:
    return Member.objects.create(agency=agency, user=User.objects.create_user("anna"), role="owner")


def call(lead: Lead, **values: Any) -> Task:
    return create_task(lead, **{"kind": TaskKind.CALL, "title": "Call her", "due_in_working_minutes": 120, **values})


def task_events(agency: Agency) -> list[str]:
    return list(
        agency.events.filter(event_type__startswith="task_").order_by("pk").values_list("event_type", flat=True)
    )


def test_in_two_working_hours_is_after_the_weekend(agency: Agency, lead: Lead) -> None:
    create_calendar(
        agency, name="Office", timezone="UTC", week={"mon": [["09:00", "17:00"]], "fri": [["09:00", "17:00"]]}
    )
    assert call(lead).due_at == datetime(2026, 3, 9, 10, tzinfo=UTC)


def test_a_task_is_overdue_once_and_anew_after_it_was_moved(
    agency: Agency, lead: Lead, clock: time_machine.Traveller, anna: Member
) -> None:
    task = call(lead, assigned_to=anna.user)
    clock.shift(timedelta(hours=2))
    assert [report_overdue(), report_overdue()] == [1, 0]
    assert task_events(agency) == ["task_created", "task_overdue"]
    body = agency.events.get(event_type="task_overdue").payload
    assert (body["task_id"], body["task_kind"], body["task_title"]) == (task.pk, "call", "Call her")
    assert (body["lead_id"], body["assigned_to"], body["due_at"]) == (lead.pk, anna.pk, "2026-03-06T18:00:00.000Z")
    update_task(task, due_at=FRIDAY + timedelta(hours=3))
    assert report_overdue() == 0
    clock.shift(timedelta(hours=1))
    assert [report_overdue(), report_overdue()] == [1, 0]
    assert task_events(agency)[2:] == ["task_overdue"]


def test_a_call_that_was_made_stops_the_clock_and_no_other_task_does(
    agency: Agency, lead: Lead, clock: time_machine.Traveller, anna: Member
) -> None:
    clock.shift(timedelta(minutes=5))
    finish_task(call(lead, kind=TaskKind.OTHER), outcome="Looked her up", by=anna.user)
    react()
    assert lead.clocks.get().is_open
    finish_task(call(lead), outcome="Reached her", by=anna.user)
    react()
    found = lead.clocks.get()
    assert (found.stop_reason, found.stopped_by, found.elapsed_seconds) == ("call", anna.user, 300.0)
    assert agency.events.filter(event_type="task_done").latest("pk").payload["outcome"] == "Reached her"


def test_what_is_done_is_never_overdue_and_not_done_twice(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    task = call(lead)
    finish_task(task, outcome="Reached her")
    with pytest.raises(FieldError):
        finish_task(task, outcome="Again")
    clock.shift(timedelta(days=1))
    assert report_overdue() == 0
    assert task_events(agency) == ["task_created", "task_done"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("due_at", {"due_in_working_minutes": None}),
        ("due_at", {"due_at": FRIDAY}),
        ("due_at", {"due_in_working_minutes": None, "due_at": FRIDAY + timedelta(days=4000)}),
        ("title", {"title": " \u200b"}),
        ("title", {"title": "x" * 201}),
    ],
)
def test_a_task_that_makes_no_sense_is_refused_by_name(lead: Lead, field: str, values: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as refusal:
        call(lead, **values)
    assert refusal.value.field == field


def test_only_members_of_the_agency_get_tasks(lead: Lead, stranger: Agency, anna: Member) -> None:
    other = Member.objects.create(agency=stranger, user=User.objects.create_user("eve"), role="owner")
    with pytest.raises(FieldError):
        call(lead, assigned_to=other.user)
    task = call(lead)
    with pytest.raises(FieldError), transaction.atomic():
        update_task(task, assigned_to=other.user)
    assert update_task(task, assigned_to=anna.user).assigned_to == anna.user


def test_a_removed_member_leaves_open_tasks_to_others(agency: Agency, lead: Lead, anna: Member) -> None:
    Member.objects.create(agency=agency, user=User.objects.create_user("ben"), role="owner")
    task, done = call(lead, assigned_to=anna.user), call(lead, assigned_to=anna.user)
    finish_task(done, outcome="Reached her", by=anna.user)
    remove_member(anna)
    task.refresh_from_db()
    done.refresh_from_db()
    assert (task.assigned_to, done.assigned_to) == (None, anna.user)


def test_tasks_and_notes_go_where_the_lead_goes(agency: Agency, lead: Lead) -> None:
    younger = create_lead(agency, phone="+4930123")
    task, note = call(younger), create_note(younger, text="Met her\nat a fair")
    merge_leads(lock_root(lead.pk), lock_root(younger.pk))  # type: ignore[arg-type]
    task.refresh_from_db()
    note.refresh_from_db()
    assert {(row.lead_id, row.origin_id) for row in (task, note)} == {(lead.pk, younger.pk)}
    delete_task(task)
    call(lead)
    erase_lead(lead)
    assert (Task.objects.count(), Note.objects.count()) == (0, 0)


def test_a_note_keeps_its_lines_and_an_empty_one_is_refused(lead: Lead, anna: Member) -> None:
    note = create_note(lead, text="  Prefers\nmornings \u202e", by=anna.user)
    assert (note.text, note.author) == ("Prefers\nmornings", anna.user)
    assert update_note(note, text="Prefers evenings").text == "Prefers evenings"
    with pytest.raises(FieldError) as refusal:
        update_note(note, text="\u200b \n")
    assert refusal.value.field == "text"
