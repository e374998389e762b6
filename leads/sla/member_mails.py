"""Mail members that an answer is due soon, or overdue: copies of the events, each for one person."""

from datetime import datetime
from typing import Any

from accounts.core.enums import EventType
from accounts.events import outbox as events
from accounts.models import Member
from accounts.tenancy.member_alerts import alerts_of, mail_time
from accounts.tenancy.verified_email import verified_email
from leads.assignments import possible_assignees
from leads.models import ResponseClock


def owner_of(clock: ResponseClock) -> Member | None:
    """Return the member whose clock it is, or None."""
    members = Member.objects.select_related("user", "agency", "calendar")
    return members.filter(agency=clock.agency_id, user=clock.owner_id).first() if clock.owner_id else None


def escalated_to(clock: ResponseClock) -> Member | None:
    """Return the active member to whom a rule escalates an overdue clock, or None."""
    if clock.escalate_to_id is None:
        return None
    return possible_assignees(clock.lead.agency).filter(pk=clock.escalate_to_id).first()


def mail_owner(owner: Member, clock: ResponseClock, at: datetime) -> None:
    """Mail the owner of a lead, who may sign in and wants such mails, that the answer is due soon."""
    if owner.user.is_active and alerts_of(owner)["due_soon"]:
        _mail(owner, EventType.LEAD_DUE_SOON, clock, at, assigned_to=owner.pk)


def mail_escalation(member: Member, clock: ResponseClock, at: datetime) -> None:
    """Mail a member, whatever they chose, that the answer to a lead is overdue and was escalated to them."""
    _mail(member, EventType.LEAD_OVERDUE, clock, at, escalated_to=member.pk)


def _mail(member: Member, event_type: EventType, clock: ResponseClock, at: datetime, **fields: Any) -> None:
    address, lead, owner = verified_email(member.user), clock.lead, clock.owner
    if not address:
        return
    events.record_event(
        lead.agency,
        event_type,
        subject=lead.pk,
        occurred_at=at,
        not_before=mail_time(member, at),
        recipient=address,
        is_test=lead.is_test,
        lead_id=lead.pk,
        lead_name=lead.display_name,
        status=lead.status,
        status_label=lead.status_label,
        clock=clock.kind,
        due_at=events.iso_timestamp(clock.due_at),
        assigned_to_name=(owner.get_full_name() or owner.get_username()) if owner else "",
        **fields,
    )
