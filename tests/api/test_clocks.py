"""How long a lead waits, by the API: its clocks, the filters of the list, and that it was answered elsewhere."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.core.enums import Scope
from accounts.models import Agency, AuditEntry
from leads.enums import LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.api.client import Api, api_with
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def api(agency: Agency, clock: time_machine.Traveller) -> Api:
    return api_with(agency, Scope.READ, Scope.WRITE)


@pytest.fixture
def lead(agency: Agency, clock: time_machine.Traveller) -> Lead:
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    react()
    return lead


def test_an_open_clock_has_the_figures_of_now(api: Api, lead: Lead, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(minutes=20))
    [shown] = api.get(f"leads/{lead.pk}/clocks").json()["results"]
    assert shown == {
        "kind": "first_response",
        "started_at": "2026-03-02T10:00:00.000Z",
        "due_at": "2026-03-02T10:15:00.000Z",
        "stopped_at": None,
        "stop_reason": None,
        "breached": True,
        "elapsed_seconds": 1200.0,
        "working_seconds": 1200.0,
        "parts": {"provider": 0.0, "hub": 0.0, "waiting": 0.0, "person": 1200.0},
    }


def test_that_it_was_answered_elsewhere_stops_the_clock(api: Api, lead: Lead, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(minutes=20))
    answer = api.post(f"leads/{lead.pk}/answered", {"at": "2026-03-02T10:07:30Z", "how": "by telephone"})
    assert (answer.status_code, answer.json()["first_response_at"]) == (202, "2026-03-02T10:07:30.000Z")
    [shown] = api.get(f"leads/{lead.pk}/clocks").json()["results"]
    assert (shown["stop_reason"], shown["stopped_at"]) == ("elsewhere", "2026-03-02T10:07:30.000Z")
    assert (shown["breached"], shown["elapsed_seconds"], shown["parts"]["person"]) == (False, 450.0, 450.0)
    assert AuditEntry.objects.get().api_key is not None


@pytest.mark.parametrize("at", ["2026-03-02T09:59:59Z", "2026-03-02T10:00:01Z"])
def test_an_impossible_time_is_refused_by_name(api: Api, lead: Lead, at: str) -> None:
    answer = api.post(f"leads/{lead.pk}/answered", {"at": at})
    assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (400, ["at"])


def test_leads_are_filtered_by_their_clocks(
    agency: Agency, api: Api, lead: Lead, clock: time_machine.Traveller
) -> None:
    def listed(**query: str) -> list[str]:
        return [row["name"] for row in api.get("leads", query).json()["results"]]

    clock.shift(timedelta(minutes=6))
    create_lead(agency, name="Grace", email="grace@example.com")
    create_lead(agency, name="Alan", email="alan@example.com", status=LeadStatus.REPLY_RECEIVED, is_test=True)
    create_lead(agency, name="Joan", email="joan@example.com", status=LeadStatus.OPPORTUNITY)
    react()
    assert listed(clock="open") == ["Grace", "Ada"]
    assert (listed(clock="due_soon"), listed(clock="overdue")) == ([], [])
    clock.shift(timedelta(minutes=10))
    assert (listed(clock="due_soon"), listed(clock="overdue")) == (["Grace"], ["Ada"])
    assert (listed(waiting="true"), listed(waiting="false")) == (["Joan"], ["Alan", "Grace", "Ada"])
    assert api.get("leads", {"clock": "late"}).status_code == 400


def test_who_was_answered_waits_no_longer(agency: Agency, api: Api, clock: time_machine.Traveller) -> None:
    def listed() -> list[str]:
        return [row["name"] for row in api.get("leads", {"waiting": "true"}).json()["results"]]

    joan = create_lead(agency, name="Joan", email="joan@example.com", status=LeadStatus.REPLY_RECEIVED)
    react()
    clock.shift(timedelta(minutes=5))
    assert listed() == ["Joan"]
    assert list(agency.leads.awaiting_reply()) == [joan]
    assert api.post(f"leads/{joan.pk}/answered", {"how": "by telephone"}).status_code == 202
    assert listed() == []
    assert not agency.leads.awaiting_reply()
    clock.shift(timedelta(minutes=5))
    assert api.patch(f"leads/{joan.pk}", {"status": "OPPORTUNITY"}).status_code == 200
    assert listed() == ["Joan"]
