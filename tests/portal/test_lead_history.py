"""A lead's page has one history of it: reports, owners and why, clocks, tasks, notes; the back office has it too."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils.html import strip_tags

from accounts.core.enums import Role
from accounts.models import Agency
from leads.activities.notes import create_note
from leads.activities.tasks import create_task, finish_task
from leads.enums import ChangedBy, LeadStatus, TaskKind
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status
from leads.portal import history
from leads.sla.alerts import alert_due
from leads.sla.responses import answer_elsewhere
from tests.leads.routing.teams import make_member, make_pool
from tests.portal.browser import Browser
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def lead(agency: Agency) -> Iterator[Lead]:
    """A lead whose every kind of entry is a minute after the one before, the newest one now."""
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, anna, grace, is_catch_all=True)
    with time_machine.travel(MONDAY, tick=False) as clock:
        lead = create_lead(agency, name="Ada", email="ada@example.com")
        react()
        clock.shift(timedelta(minutes=10))
        alert_due()
        clock.shift(timedelta(minutes=5))
        alert_due()
        clock.shift(timedelta(minutes=1))
        answer_elsewhere(lead, how="by telephone", by=anna.user)
        clock.shift(timedelta(minutes=1))
        task = create_task(lead, kind=TaskKind.CALL, title="Call Ada", due_in_working_minutes=60, assigned_to=anna.user)
        clock.shift(timedelta(minutes=1))
        finish_task(task, outcome="Reached her", by=anna.user)
        clock.shift(timedelta(minutes=1))
        create_note(lead, text="Prefers mornings", by=anna.user)
        clock.shift(timedelta(minutes=1))
        set_status(lead, status=LeadStatus.OPPORTUNITY, changed_by=ChangedBy.USER, by=anna.user)
        react()
        yield lead


def entries(page: str) -> list[str]:
    listed = page.partition('<ol class="history">')[2].partition("</ol>")[0]
    return [" ".join(strip_tags(item).split()) for item in listed.split("</li>")[:-1]]


def test_one_history_says_what_happened_to_a_lead_newest_first(lead: Lead, sign_in: Browser) -> None:
    page = sign_in(Role.MANAGER).get(f"/leads/{lead.pk}").content.decode()
    shown = entries(page)
    assert [re.sub(r"^\W+ | (just now|\d+ \w+ ago).*", "", entry) for entry in shown] == [
        *("Opportunity", "Note", "Task done Call Ada", "Task created Call Ada"),
        *("Note", "Answered late", "Answer overdue", "Answer due soon"),
        *("Assigned to Anna", "New"),
    ]
    text = " | ".join(shown)
    assert "First response: answered after 16 min of working time." in text
    assert "Reached her" in text
    assert "Prefers mornings" in text
    assert "no rule applied: pool “Sales”" in text


def test_the_history_goes_on_on_an_older_page(lead: Lead, sign_in: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "SIZE", 4)
    browser, seen, query = sign_in(Role.READ_ONLY), [], ""
    while True:
        page = browser.get(f"/leads/{lead.pk}{query}").content.decode()
        seen += entries(page)
        older = re.search(r'href="(\?before=[^"#]*)#history" rel="next"', page)
        if older is None:
            break
        query = older[1]
    assert len(seen) == 10 == len(set(seen))


def test_the_back_office_has_the_same_timeline(lead: Lead, signed_in: Client) -> None:
    page = signed_in.get(f"/admin/leads/lead/{lead.pk}/change/").content.decode()
    timeline = strip_tags(page.partition("timeline-title")[2])
    for text in ("Prefers mornings", "task done", "lead overdue", "Answered late", "no rule applied: pool “Sales”"):
        assert text in timeline
