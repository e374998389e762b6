"""Hand leads whose answer is overdue to whom a rule names, where nobody else can answer them."""

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.unit_of_work import UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.models import Agency, Event, Member, Reaction
from leads.assignments import possible_assignees
from leads.enums import ChangedBy
from leads.models import Lead, ResponseClock
from leads.pipeline.changes import update_lead
from leads.pipeline.merge import root_id

SUBSCRIBER = "escalation"


def person_for(clock: ResponseClock) -> Member | None:
    """Return the active member to whom an overdue clock is escalated, or None."""
    if clock.escalate_to_id is None:
        return None
    return possible_assignees(clock.lead.agency).filter(pk=clock.escalate_to_id).first()


def mail_to(member: Member, clock: ResponseClock, origin: Origin) -> None:
    """Mail a member that the answer to a lead is overdue."""
    if not member.user.email:
        return
    lead = clock.lead
    owner = clock.owner
    events.record_event(
        lead.agency,
        EventType.LEAD_OVERDUE,
        subject=lead.pk,
        occurred_at=origin.at,
        recipient=member.user.email,
        is_test=lead.is_test,
        lead_id=lead.pk,
        lead_name=lead.display_name,
        status=lead.status,
        status_label=lead.status_label,
        clock=clock.kind,
        due_at=events.iso_timestamp(clock.due_at),
        assigned_to_name=(owner.get_full_name() or owner.get_username()) if owner else "",
        escalated_to=member.pk,
    )


def react_to_overdue(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Assign overdue leads of absent owners, and those of nobody, to whom they were escalated."""
    found = Event.objects.in_bulk([reaction.event_id for reaction in reactions if reaction.event_id])
    for event in sorted(found.values(), key=lambda event: event.subject):
        member = Member.objects.filter(agency=event.agency_id, pk=event.payload.get("escalated_to", "")).first()
        lead = Lead.objects.select_related("agency", "assigned_to").filter(pk=root_id(event.subject)).first()
        if event.recipient or member is None or lead is None or not is_absent(lead.agency, lead.assigned_to):
            continue
        update_lead(lead, changed_by=ChangedBy.AUTOMATION, assigned_to=member.user)


def is_absent(agency: Agency, user: User | None) -> bool:
    """Return whether nobody answers for a lead of this user: there is none, they can no longer sign in, or are away."""
    member = possible_assignees(agency).filter(user=user).first() if user is not None else None
    return member is None or (member.paused_until is not None and member.paused_until > timezone.now())
