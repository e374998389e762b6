"""Tasks and notes by the API: what is written is what is read, and a call that was made stops the clock."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import User

from accounts.core.enums import Scope
from accounts.models import Agency, Member
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.api.client import Api, api_with
from tests.reactions import react

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def api(agency: Agency) -> Api:
    return api_with(agency, Scope.READ, Scope.WRITE)


@pytest.fixture
def lead(agency: Agency) -> Lead:
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    react()
    return lead


@pytest.fixture
def anna(agency: Agency) -> Member:
    return Member.objects.create(agency=agency, user=User.objects.create_user("anna"), role="owner")


def test_a_task_from_its_making_to_its_end(api: Api, lead: Lead, anna: Member) -> None:
    with time_machine.travel(NOON, tick=False):
        body = {"lead": lead.pk, "kind": "call", "title": "Call her", "assigned_to": anna.pk}
        made = api.post("tasks", {**body, "due_in_working_minutes": 120})
    shown = made.json()
    assert made.status_code == 201
    assert {name: shown[name] for name in ("lead", "kind", "title", "assigned_to", "origin", "done_at", "outcome")} == {
        **body,
        "origin": "person",
        "done_at": None,
        "outcome": None,
    }
    assert shown["due_at"] == "2026-03-02T14:00:00.000Z"
    moved = api.patch(f"tasks/{shown['id']}", {"due_at": "2026-03-03T09:00:00Z", "assigned_to": None})
    assert (moved.json()["due_at"], moved.json()["assigned_to"]) == ("2026-03-03T09:00:00.000Z", None)
    with time_machine.travel(NOON, tick=False):
        sooner = api.patch(f"tasks/{shown['id']}", {"due_in_working_minutes": 60})
    assert sooner.json()["due_at"] == "2026-03-02T13:00:00.000Z"
    twice = api.patch(f"tasks/{shown['id']}", {"due_in_working_minutes": 60, "due_at": "2026-03-03T09:00:00Z"})
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (400, "due_at")
    done = api.post(f"tasks/{shown['id']}/done", {"outcome": "Reached her"})
    assert (done.status_code, done.json()["outcome"]) == (202, "Reached her")
    assert api.post(f"tasks/{shown['id']}/done", {"outcome": "Again"}).status_code == 400
    react()
    assert lead.clocks.get().stop_reason == "call"
    assert api.get(f"leads/{lead.pk}").json()["first_response_at"] == done.json()["done_at"]


def test_tasks_are_filtered(api: Api, lead: Lead, anna: Member) -> None:
    for title, due_at, assignee in (("One", "2026-03-02T12:00:00Z", anna.pk), ("Two", "2026-03-04T12:00:00Z", None)):
        body = {"lead": lead.pk, "kind": "other", "title": title, "due_at": due_at, "assigned_to": assignee}
        api.post("tasks", body)

    def titles(**query: str) -> list[str]:
        return [row["title"] for row in api.get("tasks", query).json()["results"]]

    assert titles() == ["Two", "One"]
    assert titles(assigned_to=anna.pk) == ["One"]
    assert titles(assigned_to="none") == ["Two"]
    assert titles(due_before="2026-03-03T00:00:00Z") == ["One"]
    assert titles(lead=lead.pk, ordering="due_at") == ["One", "Two"]
    assert (titles(done="true"), titles(lead="lead_other")) == ([], [])


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("lead", {"kind": "call", "title": "Call", "due_at": "2026-03-02T12:00:00Z"}),
        ("due_at", {"lead": "", "kind": "call", "title": "Call"}),
        ("outcome", {"lead": "", "kind": "call", "title": "Call", "due_at": "2026-03-02T12:00:00Z", "outcome": "x"}),
        ("kind", {"lead": "", "kind": "sms", "title": "Call", "due_at": "2026-03-02T12:00:00Z"}),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api: Api, lead: Lead, field: str, body: dict[str, str]) -> None:
    answer = api.post("tasks", {**body, **({"lead": lead.pk} if "lead" in body else {})})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, [field])


def test_a_note_from_its_writing_to_its_end(api: Api, lead: Lead, stranger: Agency) -> None:
    made = api.post("notes", {"lead": lead.pk, "text": "Prefers\nmornings"}).json()
    assert (made["lead"], made["text"], made["author"]) == (lead.pk, "Prefers\nmornings", None)
    assert api.patch(f"notes/{made['id']}", {"text": "Prefers evenings"}).json()["text"] == "Prefers evenings"
    assert [row["id"] for row in api.get("notes", {"lead": lead.pk}).json()["results"]] == [made["id"]]
    assert api_with(stranger, Scope.READ).get(f"notes/{made['id']}").status_code == 404
    assert api.delete(f"notes/{made['id']}").status_code == 204
    assert api.get("notes").json()["results"] == []
