"""What a report, and what a person, does to a lead: by the pipeline's own functions, into rows that are saved later."""

from accounts.core.enums import EventType
from accounts.events.ordering import Origin
from accounts.models import Member
from config.seeding.place import Place
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead, LeadReference, Position
from leads.pipeline.changes import HIGH
from leads.pipeline.history import move, tell, tell_status, write_change
from leads.pipeline.status_machine import Step, advance


def report_lead(place: Place, lead: Lead, reference: LeadReference, status: LeadStatus, origin: Origin) -> None:
    """Apply what a provider implies of where a lead stands."""
    rows, before = place.rows, reference.position
    step = Step(origin.at, origin.sequence, status, stated=False)
    after = advance(before, step)
    previous = before.status if before else None
    if before is None:
        lead.status_sequence = origin.sequence
        rows.add(lead)
    move(reference, after, step, rows)
    changed_by = ChangedBy.PROVIDER
    write_change(
        lead, reference, previous or "", status, origin, changed_by, stated=False, applied=after != before, work=rows
    )
    _follow(lead, reference, origin)
    if before is None:
        tell(lead, EventType.LEAD_CREATED, origin=origin, work=rows, lead_external_id=reference.external_id)
    if after.status is not (previous or LeadStatus.PENDING):
        tell_status(lead, reference, after.status, previous, origin, changed_by, rows)


def change_status(
    place: Place, lead: Lead, reference: LeadReference, status: LeadStatus, note: str, origin: Origin
) -> None:
    """Apply a person's judgement."""
    before, by = LeadStatus(lead.status), ChangedBy.USER
    write_change(lead, reference, before, status, origin, by, stated=True, applied=True, note=note, work=place.rows)
    if status is before:
        return
    move(reference, Position(status, origin.at), Step(origin.at, 0, status, stated=True), place.rows)
    _follow(lead, reference, origin)
    if status is LeadStatus.OPPORTUNITY and place.random.random() < 0.3:
        lead.priority = HIGH
        _tell(place, lead, reference, EventType.LEAD_HIGH_PRIORITY, origin)
    tell_status(lead, reference, status, before, origin, by, place.rows)


def assign(place: Place, lead: Lead, reference: LeadReference, member: Member, origin: Origin) -> None:
    """Give a lead to a member."""
    lead.assigned_to, lead.updated_at = member.user, origin.at
    name = member.user.get_full_name() or member.user.get_username()
    _tell(place, lead, reference, EventType.LEAD_ASSIGNED, origin, assigned_to=member.pk, assigned_to_name=name)


def _follow(lead: Lead, reference: LeadReference, origin: Origin) -> None:
    """Let the lead stand where its one reference does."""
    lead.status, lead.status_since = LeadStatus(reference.status), reference.status_since
    lead.status_sequence, lead.campaign = reference.status_sequence, reference.campaign
    lead.updated_at = origin.at


def _tell(
    place: Place, lead: Lead, reference: LeadReference, event_type: EventType, origin: Origin, **fields: str
) -> None:
    tell(lead, event_type, origin=origin, work=place.rows, lead_external_id=reference.external_id, **fields)
