"""Every change of a lead's owner stands in the ledger, and its new owner hears of it as they like."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from accounts.core.enums import EventType, Role
from accounts.models import Agency, Calendar, Event, Member
from accounts.tenancy.team import remove_member
from accounts.tenancy.verified_email import mark_email_verified
from leads.enums import AssignmentReason, ChangedBy
from leads.models import Assignment, Lead
from leads.pipeline.bulk import assign_leads
from leads.pipeline.changes import create_lead, update_lead
from leads.pipeline.merge import merge_leads
from notifications.delivery.relevance import REASSIGNED, obsolete_reasons

MONDAY = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)


def person(agency: Agency, name: str, **fields: object) -> Member:
    user = User.objects.create_user(name, first_name=name.title())
    mark_email_verified(user, f"{name}@example.com")
    return Member.objects.create(agency=agency, user=user, role=Role.MANAGER, **fields)


def mails() -> list[tuple[str, dict[str, object]]]:
    events = Event.objects.filter(event_type=EventType.LEAD_ASSIGNED_TO_YOU).order_by("pk")
    return [(event.recipient, event.payload) for event in events]


def ledger(lead: Lead) -> list[tuple[str, str, bool]]:
    rows = Assignment.objects.filter(lead=lead).order_by("pk").select_related("user")
    return [(row.user.username if row.user else "", row.reason, row.ended_at is None) for row in rows]


def test_whoever_assigns_a_lead_stands_in_the_ledger_with_the_time_and_the_person(agency: Agency) -> None:
    anna, grace = person(agency, "anna"), person(agency, "grace")
    lead = create_lead(agency, name="Ada", email="ada@example.com", assigned_to=anna.user)
    update_lead(lead, changed_by=ChangedBy.USER, by=anna.user, assigned_to=grace.user)
    update_lead(lead, assigned_to=None)
    assert ledger(lead) == [("anna", "api", False), ("grace", "person", False), ("", "api", True)]
    given = Assignment.objects.get(lead=lead, member=grace)
    assert (given.by, given.at <= (given.ended_at or MONDAY)) == (anna.user, True)


def test_an_update_that_leaves_the_owner_writes_nothing(agency: Agency) -> None:
    anna = person(agency, "anna")
    lead = create_lead(agency, email="ada@example.com", assigned_to=anna.user)
    update_lead(lead, title="Chair", assigned_to=anna.user)
    assert len(ledger(lead)) == len(mails()) == 1


def test_the_new_owner_is_mailed_at_once_and_nobody_else_sees_that_event(agency: Agency) -> None:
    anna = person(agency, "anna")
    lead = create_lead(agency, name="Ada", email="ada@example.com", assigned_to=anna.user)
    [(address, body)] = mails()
    assert (address, body["lead_name"], body["assigned_to"]) == ("anna@example.com", "Ada", anna.pk)
    public = Event.objects.get(event_type=EventType.LEAD_ASSIGNED)
    assert (public.subject, public.recipient, public.payload["assigned_to_name"]) == (lead.pk, "", "Anna")


def test_who_takes_a_lead_or_wants_no_mail_gets_none_and_a_test_lead_alerts_nobody(agency: Agency) -> None:
    anna, quiet = person(agency, "anna"), person(agency, "quiet", alerts={"assigned": False})
    lead = create_lead(agency, email="ada@example.com")
    update_lead(lead, changed_by=ChangedBy.USER, by=anna.user, assigned_to=anna.user)
    update_lead(lead, assigned_to=quiet.user)
    create_lead(agency, email="test@example.com", is_test=True, assigned_to=anna.user)
    assert mails() == []


def test_mail_waits_for_working_hours_only_if_the_member_says_so(agency: Agency) -> None:
    week = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    calendar = Calendar.objects.create(agency=agency, name="Office", timezone="UTC", week=week)
    anna = person(agency, "anna", calendar=calendar, alerts={"working_hours": True})
    grace = person(agency, "grace", calendar=calendar)
    with time_machine.travel(MONDAY, tick=False):
        for member in (anna, grace):
            create_lead(agency, email=f"for-{member.user.first_name}@example.com", assigned_to=member.user)
    due = dict(Event.objects.exclude(recipient="").values_list("recipient", "next_attempt_at"))
    assert due["anna@example.com"] == MONDAY.replace(hour=9, minute=0)
    assert due["grace@example.com"] <= MONDAY + timedelta(seconds=1)


def test_forty_leads_at_once_are_one_mail(agency: Agency) -> None:
    anna, grace = person(agency, "anna"), person(agency, "grace")
    leads = [create_lead(agency, email=f"{number}@example.com").pk for number in range(40)]
    assert assign_leads(agency, leads, assignee=anna.user, by=grace.user) == 40
    assert [(address, body["count"]) for address, body in mails()] == [("anna@example.com", 40)]
    assert Assignment.objects.filter(member=anna, ended_at__isnull=True).count() == 40


def test_a_mail_that_waits_is_dropped_once_the_lead_is_somebody_elses(agency: Agency) -> None:
    anna, grace = person(agency, "anna"), person(agency, "grace")
    lead = create_lead(agency, email="ada@example.com", assigned_to=anna.user)
    event = Event.objects.get(event_type=EventType.LEAD_ASSIGNED_TO_YOU)
    assert obsolete_reasons([event]) == {}
    update_lead(lead, assigned_to=grace.user)
    assert obsolete_reasons([event]) == {event.pk: REASSIGNED}


def test_the_ledger_of_a_removed_member_ends_with_their_leads(agency: Agency) -> None:
    anna = person(agency, "anna")
    lead = create_lead(agency, email="ada@example.com", assigned_to=anna.user)
    remove_member(anna)
    row = Assignment.objects.get(lead=lead)
    assert (row.member, row.user, row.ended_at is None) == (None, anna.user, False)


def test_a_merge_moves_the_ledger_and_keeps_where_its_rows_were_born(agency: Agency) -> None:
    anna = person(agency, "anna")
    kept, other = (create_lead(agency, email=f"{name}@example.com", assigned_to=anna.user) for name in "ab")
    merge_leads(kept, other)
    rows = Assignment.objects.order_by("pk").values_list("lead", "origin")
    assert list(rows) == [(kept.pk, None), (kept.pk, other.pk)]


@pytest.mark.parametrize("reason", AssignmentReason)
def test_every_reason_fits_its_column(reason: AssignmentReason) -> None:
    assert len(reason) <= 16
