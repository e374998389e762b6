"""What a member is to do: in groups, finished with an outcome, made on a lead's page beside its notes."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency, Member
from leads.activities.tasks import create_task
from leads.enums import TaskKind
from leads.models import Lead, MemberDigest, Note, Task
from leads.pipeline.changes import create_lead
from tests.portal.browser import Browser

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def client(sign_in: Browser, clock: time_machine.Traveller) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def me(client: Client, agency: Agency) -> Member:
    return agency.members.get(user=client.session["_auth_user_id"])


@pytest.fixture
def lead(agency: Agency) -> Lead:
    return create_lead(agency, name="Ada Lovelace")


def task(lead: Lead, title: str, due_at: datetime, user: Any = None) -> Task:
    return create_task(lead, kind=TaskKind.CALL, title=title, due_at=due_at, assigned_to=user)


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_my_tasks_are_grouped_the_overdue_first(agency: Agency, client: Client, me: Member, lead: Lead) -> None:
    ben = Member.objects.create(agency=agency, user=User.objects.create_user("ben"), role="owner")
    task(lead, "Some day", MONDAY + timedelta(days=1), me.user)
    task(lead, "This evening", MONDAY + timedelta(hours=8), me.user)
    task(lead, "Long ago", MONDAY - timedelta(days=1), me.user)
    task(lead, "For Ben", MONDAY, ben.user)
    task(lead, "For nobody", MONDAY)
    page = text(client, "/tasks")
    places = [page.index(word) for word in (">Overdue<", "Long ago", ">Today<", "This evening", ">Later<", "Some day")]
    assert places == sorted(places)
    assert "For Ben" not in page
    assert "For nobody" not in page
    assert "For Ben" in text(client, f"/tasks?whose={ben.pk}")
    assert "For nobody" in text(client, "/tasks?whose=none")
    assert all(title in text(client, "/tasks?whose=all") for title in ("Long ago", "For Ben", "For nobody"))
    assert "Nothing to do" in text(client, "/tasks?whose=mbr_unknown")


def test_one_press_finishes_a_task_with_its_outcome(client: Client, me: Member, lead: Lead) -> None:
    call = task(lead, "Call her", MONDAY, me.user)
    assert 'data-key="e"' in text(client, "/tasks")
    answer = client.post(f"/tasks/{call.pk}/done", {"outcome": "No answer", "text": ""}, follow=True)
    assert "“Call her” is done." in answer.content.decode()
    call.refresh_from_db()
    assert (call.outcome, call.done_by) == ("No answer", me.user)
    again = client.post(f"/tasks/{call.pk}/done", {"outcome": "Reached"}, follow=True)
    assert "This task is done already." in again.content.decode()


def test_the_outcome_in_ones_own_words_counts(client: Client, me: Member, lead: Lead) -> None:
    call = task(lead, "Call her", MONDAY, me.user)
    client.post(f"/tasks/{call.pk}/done", {"text": "Wants an offer"})
    call.refresh_from_db()
    assert call.outcome == "Wants an offer"


def test_a_task_is_made_on_the_leads_page(agency: Agency, client: Client, me: Member, lead: Lead) -> None:
    values = {"kind": "call", "title": "Call her", "assignee": me.pk}
    client.post(f"/leads/{lead.pk}/tasks", {**values, "delay": "120"})
    Agency.objects.filter(pk=agency.pk).update(timezone="Europe/Berlin")
    client.post(f"/leads/{lead.pk}/tasks", {**values, "delay": "", "due_at": "2026-03-02T18:00"})
    due = list(lead.tasks.order_by("pk").values_list("due_at", "assigned_to"))
    assert due == [
        (MONDAY + timedelta(hours=2), me.user_id),
        (datetime(2026, 3, 2, 17, tzinfo=UTC), me.user_id),
    ]
    assert text(client, f"/leads/{lead.pk}").count("<strong>Call her</strong>") == 4  # in the list and in the history
    refused = client.post(f"/leads/{lead.pk}/tasks", {**values, "delay": ""}, follow=True)
    assert "Say when the task is due." in refused.content.decode()


def test_a_note_stands_on_the_leads_page_until_it_is_deleted(
    client: Client, me: Member, lead: Lead, stranger: Agency
) -> None:
    client.post(f"/leads/{lead.pk}/notes", {"text": "Prefers\nmornings"})
    note = lead.notes.get()
    assert note.author == me.user
    assert "Prefers<br>mornings" in text(client, f"/leads/{lead.pk}")
    theirs = Note.objects.create(agency=stranger, lead=create_lead(stranger, email="eve@example.com"), text="Theirs")
    assert client.post(f"/notes/{theirs.pk}/delete").status_code == 404
    client.post(f"/notes/{note.pk}/delete")
    assert not lead.notes.exists()


def test_a_member_chooses_what_they_are_mailed(client: Client, me: Member) -> None:
    assert re.search(r'<input[^>]*name="due_soon"[^>]* checked', text(client, "/tasks"))
    client.post("/tasks/mails", {"assigned": "on", "digest": "on"})
    me.refresh_from_db()
    assert me.alerts == {"assigned": True, "due_soon": False, "digest": True, "working_hours": False}
    assert MONDAY < MemberDigest.objects.get(member=me).next_attempt_at < MONDAY + timedelta(days=2)  # type: ignore[operator]
