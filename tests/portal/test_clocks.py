"""What a member sees of the time that leads wait, and how they say that they answered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from accounts.core.enums import AccountStatus, Role
from accounts.models import Account, Agency
from accounts.tenancy.calendars.service import create_calendar
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.portal.browser import Browser
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def client(sign_in: Browser, clock: time_machine.Traveller) -> Client:
    return sign_in(Role.MANAGER)


def waiting_lead(agency: Agency, name: str, **fields: object) -> Lead:
    lead = create_lead(agency, name=name, email=f"{name}@example.com", **fields)
    react()
    return lead


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_a_lead_counts_down_and_says_that_its_account_is_down(
    agency: Agency, client: Client, clock: time_machine.Traveller
) -> None:
    account = Account.objects.create(
        agency=agency, provider="sendpilot", external_id="1", status=AccountStatus.DISCONNECTED, status_since=MONDAY
    )
    lead = waiting_lead(agency, "Ada", account=account)
    clock.shift(timedelta(minutes=3))
    page = text(client, f"/leads/{lead.pk}")
    assert "Due in 12 min" in page
    assert "The LinkedIn account of this lead does not work" in page
    clock.shift(timedelta(minutes=13))
    part = text(client, f"/leads/{lead.pk}/clocks")
    assert "Overdue by 1 min" in part
    assert "badge-bad" in part
    assert "I answered elsewhere" in page
    assert "<form" not in part  # what somebody types stands outside of what is replaced


def test_the_list_is_sorted_by_what_is_due_first_and_counts_down_by_itself(
    agency: Agency, client: Client, clock: time_machine.Traveller
) -> None:
    late = waiting_lead(agency, "Ada")
    clock.shift(timedelta(minutes=8))
    fresh = waiting_lead(agency, "Grace")
    waiting_lead(agency, "Alan", is_test=True)
    clock.shift(timedelta(minutes=3))
    page = text(client, "/leads?clock=open&sort=due")
    assert 0 < page.index(">Ada<") < page.index(">Grace<")
    assert "Alan" not in page
    assert f"/leads/due?lead={late.pk}&amp;lead={fresh.pk}" in page
    assert "Grace" not in text(client, "/leads?clock=urgent")
    clock.shift(timedelta(minutes=5))
    parts = text(client, f"/leads/due?lead={late.pk}&lead={fresh.pk}")
    assert f'<span hx-swap-oob="innerHTML:#{late.pk} .due">' in parts
    assert "Overdue by 1 min" in parts
    assert "Due in 7 min" in parts


def test_the_overview_leads_to_what_is_due(agency: Agency, client: Client, clock: time_machine.Traveller) -> None:
    waiting_lead(agency, "Ada")
    clock.shift(timedelta(minutes=11))
    page = text(client, "/")
    assert 'href="/leads?clock=urgent&amp;sort=due"' in page
    assert "answer due soon or overdue</span> <strong>1</strong>" in page


def test_a_member_says_that_they_answered_elsewhere_in_the_agencys_time(
    agency: Agency, client: Client, clock: time_machine.Traveller
) -> None:
    Agency.objects.filter(pk=agency.pk).update(timezone="Europe/Berlin")
    lead = waiting_lead(agency, "Ada")
    clock.shift(timedelta(minutes=20))
    answer = client.post(f"/leads/{lead.pk}/answered", {"how": "by telephone", "at": "2026-03-02T11:05"}, follow=True)
    assert "Ada counts as answered." in answer.content.decode()
    found = lead.clocks.get()
    assert (found.stop_reason, found.stopped_at) == ("elsewhere", MONDAY + timedelta(minutes=5))
    assert "Answered in time" in text(client, f"/leads/{lead.pk}")
    assert "by telephone" in text(client, f"/leads/{lead.pk}")


def test_a_time_before_the_lead_came_is_refused(agency: Agency, client: Client, clock: time_machine.Traveller) -> None:
    lead = waiting_lead(agency, "Ada")
    answer = client.post(f"/leads/{lead.pk}/answered", {"at": "2026-03-02T09:05"}, follow=True)
    assert "Give a time after the lead wrote." in answer.content.decode()
    assert lead.clocks.get().is_open


def test_the_page_of_working_hours_says_how_many_clocks_are_planned_anew(
    agency: Agency, client: Client, clock: time_machine.Traveller
) -> None:
    calendar = create_calendar(agency, name="Office", week={"mon": [["09:00", "17:00"]]})
    waiting_lead(agency, "Ada")
    page = text(client, f"/hours/{calendar.pk}")
    assert "1 open response clock counts by these hours." in page


def test_the_agencys_target_is_what_new_clocks_use(
    agency: Agency, client: Client, clock: time_machine.Traveller
) -> None:
    values = {"name": agency.name, "timezone": "UTC", "locale": "en-US"}
    assert client.post("/settings", {**values, "response_minutes": "0"}).status_code == 422
    assert client.post("/settings", {**values, "response_minutes": "60"}).status_code == 302
    agency.refresh_from_db()
    assert waiting_lead(agency, "Ada").clocks.get().due_at == MONDAY + timedelta(hours=1)
