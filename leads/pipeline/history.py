"""What is written of a lead: the rows of its history, where it stands in a campaign, and the Events agencies get."""

from typing import Any

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.models import Campaign
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead, LeadChange, LeadReference, Position
from leads.pipeline.matching import keep
from leads.pipeline.status_machine import Step

ALSO_TOLD = {  # new status --> the event besides `lead_status_changed`
    LeadStatus.REPLY_RECEIVED: EventType.LEAD_REPLIED,
    LeadStatus.OPPORTUNITY: EventType.LEAD_OPPORTUNITY,
    LeadStatus.NOT_INTERESTED: EventType.LEAD_LOST,
}


def tell(lead: Lead, event_type: EventType, *, origin: Origin, work: UnitOfWork = AT_ONCE, **fields: Any) -> None:
    """Record an event about a lead. `fields` come over those that its present state gives."""
    account = events.account_fields(lead.account) if lead.account else {}
    if "lead_external_id" not in fields:
        work.flush(LeadReference)
        references = lead.references.order_by("-status_since", "-id")
        fields["lead_external_id"] = references.values_list("external_id", flat=True).first()
    body = {
        **account,
        "provider": origin.by if origin.source else account.get("provider", ""),
        "lead_id": lead.id,
        "lead_name": lead.display_name,
        "linkedin_url": lead.linkedin_url,
        **events.campaign_fields(lead.campaign),
        "status": lead.status,
        "status_label": lead.status_label,
        "details_pending": lead.details_pending or None,
        **fields,
    }
    events.record_event(
        lead.agency,
        event_type,
        subject=lead.id,
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        is_test=lead.is_test,
        creation_locale=lead.creation_locale,
        work=work,
        **body,
    )


def tell_status(
    lead: Lead,
    reference: LeadReference | None,
    status: LeadStatus,
    previous: LeadStatus | None,
    origin: Origin,
    changed_by: ChangedBy,
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Record that a lead's status changed, under its general name and, for some statuses, one of their own."""
    campaign: Campaign | None = reference.campaign if reference else lead.campaign
    fields = {
        **events.campaign_fields(campaign),
        "status": status.value,
        "status_label": status.label,
        "previous_status": previous,
        "changed_by": changed_by,
    }
    if reference:
        fields["lead_external_id"] = reference.external_id
    for event_type in filter(None, [EventType.LEAD_STATUS_CHANGED, ALSO_TOLD.get(status)]):
        tell(lead, event_type, origin=origin, work=work, **fields)


def move(reference: LeadReference, position: Position, newest: Step | None, work: UnitOfWork = AT_ONCE) -> None:
    """Let a reference stand there; `newest` is the step that it rests on, if that is the latest known."""
    reference.status, reference.status_since = position.status, position.since
    reference.status_sequence = position.sequence
    if newest:
        reference.reported_at, reference.reported_sequence = newest.order
    keep(reference, work)


def write_change(
    lead: Lead,
    reference: LeadReference | None,
    previous: str,
    new: LeadStatus,
    origin: Origin,
    changed_by: ChangedBy,
    *,
    stated: bool,
    applied: bool,
    note: str = "",
    report: bool = True,
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Write a row of the lead's history. `report`: it tells where the lead stands, and is no mere remark."""
    row = LeadChange(
        lead=lead,
        reference=reference,
        origin_id=reference.origin_id if reference else None,
        previous_status=previous,
        new_status=new,
        stated=stated,
        is_report=report,
        changed_by=changed_by,
        occurred_at=origin.at,
        sequence=origin.sequence,
        receipt_id=origin.receipt_id,
        applied=applied,
        note=note[:500],
    )
    work.add(row)
