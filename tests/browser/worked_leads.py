"""Leads that people work on: rules, pools, working hours, lists, leads that wait, tasks, notes, a merge."""

from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Agency, Calendar, Member
from accounts.tenancy.calendars.service import create_calendar
from leads.activities.notes import create_note
from leads.activities.tasks import create_task, finish_task
from leads.enums import ChangedBy, LeadStatus, TaskKind
from leads.models import Lead, Pool, TargetList, WaitingLead
from leads.pipeline.changes import create_lead, set_status
from leads.pipeline.merge_by_hand import merge_by_hand
from leads.routing.pools import create_pool, give_credit
from leads.routing.rules import KIND as ROUTING
from leads.rules.service import create_rule
from leads.scoring.kind import KIND as SCORING
from leads.sla.target_kind import KIND as TARGETS
from leads.target_lists.service import create_list
from tests.browser.tasks import Seeded, take_back_team_work
from tests.reactions import react

ALWAYS = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
DECISION_MAKERS = {"any": [
    {"field": "seniority", "op": "in", "value": ["owner", "c_level", "vp"]},
    {"field": "title", "op": "contains", "value": ["head of"]},
]}  # fmt: skip
LARGE = {"field": "company_size", "op": "overlaps", "value": [200, 10000]}
WEST = {"field": "place", "op": "in_states", "value": ["CA", "OR", "WA"]}


@dataclass(frozen=True, slots=True)
class WorkedLeads:
    """What the pages are opened with. `lead` has everything that a lead can have."""

    agency: Agency
    lead: Lead
    pool: Pool
    calendar: Calendar
    target_list: TargetList


@pytest.fixture
def worked_leads(seeded: Seeded) -> WorkedLeads:
    """Made before there is a browser: both want the thread's event loop."""
    agency, owner = seeded.agency, seeded.owner
    members = list(agency.members.filter(user__is_active=True).exclude(role="read_only").order_by("pk"))
    take_back_team_work(agency)
    calendar = create_calendar(agency, name="Always open", week=ALWAYS)
    create_calendar(agency, name="Evenings", week={"mon": [["18:00", "22:00"]], "sat": [["09:00", "12:00"]]})
    pool = _make_pools(agency, members)
    _make_rules(agency, pool, members[0])
    content = b"Brightwater Robotics\nlindqvist.example.com\nann@gmail.com\n"
    target_list = create_list(agency, name="Key accounts 2026", file=BytesIO(content))
    leads = _make_leads(agency)
    react()
    _wait_for(agency, "Nobody Yet")
    give_credit(pool, member=members[0], leads=0.5, reason="Took two calls on Sunday", by=owner)
    return WorkedLeads(agency, _work_on(leads, seeded), pool, calendar, target_list)


def _make_pools(agency: Agency, members: list[Member]) -> Pool:
    places: list[dict[str, Any]] = [{"member": member, "weight": 1 + number} for number, member in enumerate(members)]
    places[0] |= {"daily_cap": 20, "open_cap": 500}
    overflow = create_pool(agency, name="Everybody", members=[{"member": members[0]}], is_catch_all=True)
    create_pool(agency, name="Nobody in here")
    return create_pool(
        agency, name="Enterprise", members=places, hold=True, overflow_pool=overflow, overflow_minutes=30
    )


def _make_rules(agency: Agency, pool: Pool, member: Member) -> None:
    create_rule(ROUTING, agency, name="Enterprise", conditions=DECISION_MAKERS, pool_id=pool.pk, tags=["enterprise"])
    create_rule(ROUTING, agency, name="West coast", conditions=WEST, member_id=member.pk, target_minutes=5)
    create_rule(ROUTING, agency, name="Students are left alone", conditions={"not": LARGE}, keeps=True)
    create_rule(SCORING, agency, name="Decision-makers", conditions=DECISION_MAKERS, group="fit", points=30)
    create_rule(SCORING, agency, name="Large companies", conditions=LARGE, group="fit", points=20, active=False)
    create_rule(
        TARGETS, agency, name="Decision-makers", conditions=DECISION_MAKERS, minutes=5, escalate_to_id=member.pk
    )
    create_rule(TARGETS, agency, name="Everybody else", minutes=240)


def _make_leads(agency: Agency) -> list[Lead]:
    """Four people who asked by a form. The last two are one person."""
    people = (
        ("Liv Lindqvist", "liv@lindqvist.example.com", "Head of Sales", "Lindqvist Systems"),
        ("Theo Brandt", "theo@example.com", "Chief Operating Officer", "Brightwater Robotics"),
        ("Maya Okafor", "maya@example.com", "Founder", "Okafor Legal"),
        ("M. Okafor", "m.okafor@example.com", "", "Okafor Legal"),
    )
    made = [
        create_lead(agency, name=name, email=email, title=title, company=company, company_size="201-500")
        for name, email, title, company in people
    ]
    Lead.objects.filter(pk=made[1].pk).update(received_at=timezone.now() - timedelta(hours=3))
    return made


def _wait_for(agency: Agency, name: str) -> None:
    """A lead that nothing led anywhere."""
    now = timezone.now()
    lead = Lead.objects.create(agency=agency, name=name, title="Student", status_since=now, received_at=now)
    WaitingLead.objects.create(lead=lead, agency=agency, since=now - timedelta(hours=2), next_attempt_at=None)


def _work_on(leads: list[Lead], seeded: Seeded) -> Lead:
    """Give the first lead all that a page of a lead shows; the owner has tasks of every kind."""
    lead, second = leads[0], leads[1]
    merge_by_hand(seeded.agency, leads[2].pk, leads[3].pk)
    merge_by_hand(seeded.agency, lead.pk, create_lead(seeded.agency, name="L. Lindqvist", phone="+44 20 7946 0001").pk)
    set_status(lead, status=LeadStatus.REPLY_RECEIVED, changed_by=ChangedBy.USER, by=seeded.owner)
    react()
    now = timezone.now()
    for title, kind, due_at in (
        ("Call her back", TaskKind.CALL, now - timedelta(hours=3)),
        ("Send the two references that she asked for", TaskKind.MESSAGE, now + timedelta(minutes=1)),
        ("Ask about the budget", TaskKind.OTHER, now + timedelta(days=9)),
    ):
        create_task(lead, kind=kind, title=title, due_at=due_at, assigned_to=seeded.owner, by=seeded.owner)
    done = create_task(second, kind=TaskKind.OTHER, title="Look him up", due_at=now, assigned_to=seeded.owner)
    finish_task(done, outcome="Done", by=seeded.owner)
    create_note(lead, text="Prefers to be called in the morning.\nSpeaks German.", by=seeded.owner)
    Lead.objects.filter(pk=lead.pk).update(response_due_at=now + timedelta(seconds=100))
    return Lead.objects.get(pk=lead.pk)
