"""What a report, and what a person, does to a lead: by the pipeline's own functions, into rows that are saved later."""

from accounts.core.enums import EventType
from accounts.events.ordering import Origin
from config.seeding.place import Place
from leads.enums import ChangedBy, LeadStatus, furthest
from leads.models import CurrentStatus, Lead, LeadReference
from leads.pipeline.changes import HIGH_PRIORITY
from leads.pipeline.history import (
    StatusReport,
    add_history_row,
    apply_report,
    record_event,
    record_status_change,
    save_reference_status,
)
from leads.pipeline.messages import message_author, store_message


def report_lead(
    place: Place, lead: Lead, reference: LeadReference, status: LeadStatus, text: str, origin: Origin
) -> None:
    """Apply what a provider implies of where a lead stands, and keep the message that was sent or received."""
    rows, before = place.rows, reference.current_status
    report = StatusReport(origin.at, origin.sequence, status, stated=False)
    after = apply_report(before, report)
    previous = before.status if before else None
    if before is None:
        lead.status_sequence = origin.sequence
        rows.add(lead)
    save_reference_status(reference, after, report, rows)
    changed_by = ChangedBy.PROVIDER
    applied = after != before
    add_history_row(
        lead, reference, previous or "", status, origin, changed_by, stated=False, applied=applied,
        text=text if status is LeadStatus.REPLY_RECEIVED else "", work=rows,
    )  # fmt: skip
    if text:
        author = message_author(status, by_person=False)
        store_message(lead, reference, None, author=author, text=text, is_preview=False, origin=origin, work=rows)
    _copy_status(lead, reference, origin)
    if before is None:
        record_event(lead, EventType.LEAD_CREATED, origin=origin, work=rows, lead_external_id=reference.external_id)
    if after.status is not (previous or LeadStatus.PENDING):
        record_status_change(lead, reference, after.status, previous, origin, changed_by, rows)


def change_status(
    place: Place, lead: Lead, reference: LeadReference, status: LeadStatus, note: str, origin: Origin
) -> None:
    """Apply a person's judgement."""
    before, by = LeadStatus(lead.status), ChangedBy.USER
    add_history_row(lead, reference, before, status, origin, by, stated=True, applied=True, note=note, work=place.rows)
    if status is before:
        return
    save_reference_status(
        reference, CurrentStatus(status, origin.at), StatusReport(origin.at, 0, status, stated=True), place.rows
    )
    _copy_status(lead, reference, origin)
    if status is LeadStatus.OPPORTUNITY and place.random.random() < 0.3:
        lead.priority = HIGH_PRIORITY
        _record_event(place, lead, reference, EventType.LEAD_HIGH_PRIORITY, origin)
    record_status_change(lead, reference, status, before, origin, by, place.rows)


def _copy_status(lead: Lead, reference: LeadReference, origin: Origin) -> None:
    """Let the lead stand where its one reference does."""
    lead.status, lead.status_since = LeadStatus(reference.status), reference.status_since
    lead.furthest_status = furthest((lead.furthest_status, lead.status))
    lead.status_sequence, lead.campaign = reference.status_sequence, reference.campaign
    lead.updated_at = origin.at


def _record_event(
    place: Place, lead: Lead, reference: LeadReference, event_type: EventType, origin: Origin, **fields: str
) -> None:
    record_event(lead, event_type, origin=origin, work=place.rows, lead_external_id=reference.external_id, **fields)
