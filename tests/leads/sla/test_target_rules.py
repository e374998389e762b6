"""Which target counts for a lead, and to whom an overdue one goes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User

from accounts.core.enums import Scope
from accounts.core.errors import FieldError
from accounts.models import Agency, Event, Member
from accounts.tenancy.team import remove_member
from accounts.tenancy.verified_email import mark_email_verified
from leads.models import Lead
from leads.models.rules import Rule
from leads.pipeline.changes import create_lead
from leads.rules.service import create_rule, delete_rule, roll_back
from leads.sla.alerts import alert_due
from leads.sla.target_kind import KIND
from tests.api.client import api_with
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
FOUNDERS = {"field": "title", "op": "word", "value": "founder"}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def anna(agency: Agency) -> Member:
    user = User.objects.create_user("anna", "anna@example.com")
    mark_email_verified(user, "anna@example.com")
    return Member.objects.create(agency=agency, user=user, role="owner")


def rule(agency: Agency, **values: Any) -> Rule:
    return create_rule(KIND, agency, **{"name": "Founders", "conditions": FOUNDERS, "minutes": 5, **values})


def new_lead(agency: Agency, **fields: Any) -> Lead:
    lead = create_lead(agency, **{"email": "ada@example.com", "title": "Founder", **fields})
    react()
    return lead


def test_the_first_rule_that_matches_gives_the_target(agency: Agency, clock: time_machine.Traveller) -> None:
    rule(agency, minutes=6, warn_minutes=2)
    rule(agency, minutes=60, conditions={}, name="Everybody")
    founder = new_lead(agency).clocks.get()
    assert (founder.warn_at, founder.due_at) == (MONDAY + timedelta(minutes=2), MONDAY + timedelta(minutes=6))
    other = new_lead(agency, title="", phone="+4930123", email="").clocks.get()  # no title: the first rule is undecided
    assert (other.warn_at, other.due_at) == (MONDAY + timedelta(minutes=40), MONDAY + timedelta(minutes=60))


def test_without_a_rule_the_agencys_target_counts_also_after_a_deletion(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    delete_rule(KIND, rule(agency))
    assert new_lead(agency).clocks.get().due_at == MONDAY + timedelta(minutes=15)
    roll_back(KIND, agency, 1)
    assert new_lead(agency, phone="+4930123", email="").clocks.get().due_at == MONDAY + timedelta(minutes=5)


def test_an_overdue_lead_of_nobody_goes_to_whom_the_rule_names_who_gets_a_mail(
    agency: Agency, clock: time_machine.Traveller, anna: Member
) -> None:
    rule(agency, escalate_to=anna)
    lead = new_lead(agency)
    clock.shift(timedelta(minutes=5))
    assert alert_due() == 1
    react()
    lead.refresh_from_db()
    assert lead.assigned_to == anna.user
    assert lead.clocks.get().owner == anna.user
    copies = Event.objects.filter(agency=agency, event_type="lead_overdue").order_by("pk")
    assert list(copies.values_list("recipient", flat=True)) == ["", "anna@example.com"]
    assert copies[0].payload["escalated_to"] == anna.pk
    shown = api_with(agency, Scope.READ).get("events", {"event_type": "lead_overdue"}).json()["results"]
    assert [event["id"] for event in shown] == [copies[0].pk]


def test_a_reply_stuck_on_an_absent_owner(agency: Agency, clock: time_machine.Traveller, anna: Member) -> None:
    ben = Member.objects.create(agency=agency, user=User.objects.create_user("ben"), role="manager")
    rule(agency, escalate_to=anna)
    lead = new_lead(agency, assigned_to=ben.user)
    User.objects.filter(pk=ben.user_id).update(is_active=False)
    clock.shift(timedelta(minutes=5))
    alert_due()
    react()
    lead.refresh_from_db()
    assert lead.assigned_to == anna.user


def test_who_is_there_keeps_the_lead(agency: Agency, clock: time_machine.Traveller, anna: Member) -> None:
    ben = Member.objects.create(agency=agency, user=User.objects.create_user("ben"), role="owner")
    rule(agency, escalate_to=anna)
    lead = new_lead(agency, assigned_to=ben.user)
    clock.shift(timedelta(minutes=5))
    alert_due()
    react()
    lead.refresh_from_db()
    assert lead.assigned_to == ben.user
    remove_member(anna)
    assert lead.clocks.get().escalate_to is None


@pytest.mark.parametrize(
    ("field", "values"),
    [("minutes", {"minutes": 0}), ("warn_minutes", {"warn_minutes": 5}), ("escalate_to", {"escalate_to": "mbr_x"})],
)
def test_a_rule_that_makes_no_sense_is_refused_by_name(agency: Agency, field: str, values: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as refusal:
        rule(agency, **values)
    assert refusal.value.field == field
