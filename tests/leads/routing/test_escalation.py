"""A routing rule's target reaches the clock, and a lead whose owner is gone when it breaches gets another."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.core.unit_of_work import AT_ONCE
from accounts.models import Agency, Event, Member
from accounts.tenancy.members import activation_changed, update_member
from accounts.tenancy.team import remove_member
from accounts.tenancy.verified_email import mark_email_verified
from leads.activities.tasks import create_task
from leads.enums import ChangedBy, LeadStatus, TaskKind
from leads.models import Assignment, Lead, Task, WaitingLead
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.routing import waiting
from leads.rules.service import create_rule
from leads.sla.alerts import alert_due
from leads.sla.clocks import Times, clocks_of_lead
from leads.sla.responses import answer_elsewhere
from leads.sla.target_kind import KIND as TARGETS
from tests.leads.routing.teams import make_member, make_pool, owner_of, place_of, routed
from tests.leads.routing.test_rules import make_rule
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


def new_lead(agency: Agency, **fields: Any) -> Lead:
    lead = create_lead(agency, **{"email": "ada@gmail.com", **fields})
    react()
    return lead


def write_back(lead: Lead) -> None:
    set_status(lead, status=LeadStatus.REPLY_RECEIVED, changed_by=ChangedBy.PROVIDER)
    react()


def breach(clock: time_machine.Traveller, after: timedelta = QUARTER) -> None:
    clock.shift(after)
    while alert_due():
        pass
    react()


def pause(member: Member) -> None:
    update_member(member, paused_until=timezone.now() + timedelta(days=7))


def deactivate(member: Member) -> None:
    member.user.is_active = False
    member.user.save()
    activation_changed(member.user)


def personal(event_type: EventType) -> list[tuple[str, str]]:
    events = Event.objects.filter(event_type=event_type).exclude(recipient="").order_by("pk")
    return [(event.recipient, event.subject) for event in events]


def reasons(lead: Lead) -> list[str]:
    return list(Assignment.objects.filter(lead=lead).order_by("pk").values_list("reason", flat=True))


def test_the_time_that_a_routing_rule_sets_counts_for_the_first_response_only(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    anna = make_member(agency, "anna")
    make_rule(agency, "All", member=anna, target_minutes=6)
    create_rule(TARGETS, agency, name="All", conditions={}, minutes=60)
    lead = new_lead(agency)
    found = lead.clocks.get()
    assert (found.warn_at, found.due_at) == (MONDAY + timedelta(minutes=4), MONDAY + timedelta(minutes=6))
    lead.refresh_from_db()
    assert lead.response_due_at == found.due_at
    answer_elsewhere(lead)
    clock.shift(timedelta(minutes=1))
    write_back(lead)
    following = lead.clocks.get(stopped_at__isnull=True)
    assert (following.kind, following.target_seconds) == ("next_response", 3600)


def test_a_clock_that_starts_after_the_assignment_has_the_rules_time_too(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    make_rule(agency, "All", member=make_member(agency, "anna"), target_minutes=6)
    lead = new_lead(agency)
    lead.clocks.all().delete()
    clocks_of_lead(lead.pk, AT_ONCE).start_first_response(Times(MONDAY, MONDAY, MONDAY))
    assert lead.clocks.get().target_seconds == 360


def test_a_hand_over_keeps_the_time_that_the_rule_set(agency: Agency, clock: time_machine.Traveller) -> None:
    grace = make_member(agency, "grace")
    make_rule(agency, "All", member=make_member(agency, "anna"), target_minutes=6)
    lead = new_lead(agency)
    update_lead(lead, changed_by=ChangedBy.USER, assigned_to=grace.user)
    react()
    found = lead.clocks.get()
    assert (found.owner, found.target_seconds) == (grace.user, 360)


def test_the_owner_is_mailed_once_that_an_answer_is_due_soon_if_they_like(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    anna, quiet = make_member(agency, "anna"), make_member(agency, "quiet", alerts={"due_soon": False})
    for member in (anna, quiet):
        mark_email_verified(member.user, f"{member.user.first_name.lower()}@example.com")
    hers = new_lead(agency, assigned_to=anna.user)
    new_lead(agency, email="bea@gmail.com", assigned_to=quiet.user)
    breach(clock, timedelta(minutes=10))
    breach(clock, timedelta(minutes=1))
    assert personal(EventType.LEAD_DUE_SOON) == [("anna@example.com", hers.pk)]
    [mail] = Event.objects.filter(event_type=EventType.LEAD_DUE_SOON, recipient="anna@example.com")
    assert (mail.payload["clock"], mail.payload["assigned_to"]) == ("first_response", anna.pk)
    breach(clock)
    assert len(personal(EventType.LEAD_DUE_SOON)) == 1


def test_a_lead_whose_owner_is_away_goes_back_to_its_pool(agency: Agency, clock: time_machine.Traveller) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True)
    lead = new_lead(agency)
    pause(anna)
    breach(clock)
    assert (owner_of(lead), reasons(lead)) == ("Grace", ["catch_all", "escalated"])
    assert lead.clocks.get().owner == grace.user
    assert [place_of(pool, member).received for member in (anna, grace)] == [1, 1]  # later than ten minutes
    assert {segment.owner_id: segment.seconds for segment in lead.clocks.get().segments.all()} == {anna.user_id: 900.0}


def test_a_lead_that_is_given_back_within_ten_minutes_gives_its_turn_back_too(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True)
    create_rule(TARGETS, agency, name="Fast", conditions={}, minutes=5)
    lead = new_lead(agency)
    pause(anna)
    breach(clock, timedelta(minutes=5))
    assert (owner_of(lead), place_of(pool, anna).received, place_of(pool, anna).behind) == ("Grace", 0, 0)


def test_who_is_there_keeps_an_overdue_lead(agency: Agency, clock: time_machine.Traveller) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, anna, grace, is_catch_all=True)
    lead = new_lead(agency)
    breach(clock)
    assert (owner_of(lead), reasons(lead)) == ("Anna", ["catch_all"])


def test_without_pools_a_manager_with_the_fewest_leads_gets_what_an_absent_owner_had(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    anna, busy, idle = (make_member(agency, name) for name in ("anna", "busy", "idle"))
    make_member(agency, "owner", role=Role.OWNER)
    update_lead(new_lead(agency, email="other@gmail.com"), assigned_to=busy.user)
    lead = new_lead(agency, assigned_to=anna.user)
    pause(anna)
    breach(clock)
    assert (owner_of(lead), busy.user.first_name, idle.user.first_name) == ("Idle", "Busy", "Idle")


def test_what_a_person_left_to_nobody_stays_with_nobody(agency: Agency, clock: time_machine.Traveller) -> None:
    anna = make_member(agency, "anna")
    make_pool(agency, anna, is_catch_all=True)
    lead = new_lead(agency)
    update_lead(lead, changed_by=ChangedBy.USER, assigned_to=None)
    breach(clock)
    assert owner_of(lead) == ""


def test_a_lead_that_was_answered_meanwhile_is_not_handed_over(agency: Agency, clock: time_machine.Traveller) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, anna, grace, is_catch_all=True)
    lead = new_lead(agency)
    pause(anna)
    clock.shift(QUARTER)
    alert_due()
    answer_elsewhere(lead)
    react()
    assert owner_of(lead) == "Anna"


@pytest.mark.parametrize("leave", [deactivate, remove_member])
def test_who_leaves_or_is_deactivated_hands_over_leads_clocks_and_tasks(
    agency: Agency, clock: time_machine.Traveller, leave: Callable[[Member], None]
) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_member(agency, "boss", role=Role.OWNER)
    make_pool(agency, anna, grace, is_catch_all=True)
    lead = new_lead(agency)
    task = create_task(lead, kind=TaskKind.CALL, title="Call", due_in_working_minutes=60, assigned_to=anna.user)
    clock.shift(timedelta(minutes=3))
    leave(anna)
    react()
    lead.refresh_from_db()
    assert (lead.assigned_to, lead.clocks.get().owner) == (None, None)
    assert Task.objects.get(pk=task.pk).assigned_to is None
    assert WaitingLead.objects.get().reason == "owner_removed"
    clock.shift(timedelta(minutes=1))
    assert waiting.deal_due() == 1
    react()
    assert (owner_of(lead), reasons(lead)) == ("Grace", ["catch_all", "owner_removed"])
    found = lead.clocks.get()
    assert (found.owner, found.spent_seconds) == (grace.user, 240.0)
    parts = list(found.segments.order_by("pk").values_list("owner", "seconds"))
    assert parts == [(anna.user_id, 180.0), (None, 60.0)]


def test_who_is_reactivated_takes_leads_that_wait(agency: Agency, clock: time_machine.Traveller) -> None:
    anna = make_member(agency, "anna")
    make_pool(agency, anna, is_catch_all=True)
    deactivate(anna)
    lead = create_lead(agency, email="ada@gmail.com")
    assert routed(lead) == [""]
    User.objects.filter(pk=anna.user_id).update(is_active=True)
    anna.user.refresh_from_db()
    activation_changed(anna.user)
    assert (waiting.deal_due(), owner_of(lead)) == (1, "Anna")
