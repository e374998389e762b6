"""Compute a lead's status from its reports, and write its history rows, its references' status and its Events.

The reports of one campaign give the same status in whatever order they arrive. A status that the provider states
applies at its place in time, backwards too. A status that Leadline derives from another event only moves forward.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.core.enums import EventType
from accounts.core.text import plain, shorten
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.events.reactions import request_reaction
from accounts.models import Campaign
from leads.enums import ChangedBy, Direction, LeadStatus
from leads.models import CurrentStatus, Lead, LeadChange, LeadMerge, LeadReference
from leads.pipeline.dto import MAX_REPLY_LENGTH
from leads.pipeline.matching import save_reference
from leads.pipeline.own_values import records_of

#: The subscriber that starts and stops response clocks (`leads.sla.reactions`).
CLOCKS = "response clocks"
#: The subscriber that stops sequences, and goes on with them (`leads.sequences.triggers`).
SEQUENCES = "sequences"
#: The subscriber that computes what reports count of a lead (`leads.analytics.facts`).
FIGURES = "lead figures"
ADDITIONAL_EVENTS = {  # new status --> the event besides `lead_status_changed`
    LeadStatus.REPLY_RECEIVED: EventType.LEAD_REPLIED,
    LeadStatus.OPPORTUNITY: EventType.LEAD_OPPORTUNITY,
    LeadStatus.NOT_INTERESTED: EventType.LEAD_LOST,
}


@dataclass(frozen=True, slots=True)
class StatusReport:
    """Hold one reported status with its place in time."""

    at: datetime
    sequence: int
    status: LeadStatus
    stated: bool

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.sequence


def apply_report(current: CurrentStatus | None, report: StatusReport) -> CurrentStatus:
    """Return the status after a report that is newer than all reports before it."""
    if current is not None:
        is_forward = report.status.rank > current.status.rank
        if report.status == current.status or not (report.stated or is_forward):
            return current
    return CurrentStatus(report.status, report.at, report.sequence)


def apply_reports(reports: Iterable[StatusReport]) -> CurrentStatus:
    """Return the status after all these reports, of which there is at least one, in any order."""
    first, *others = sorted(reports, key=lambda report: report.order)
    current = apply_report(None, first)
    for report in others:
        current = apply_report(current, report)
    return current


def status_reports_of(reference: LeadReference) -> list[StatusReport]:
    """Return every status that was reported for a reference, without the notes in its history."""
    rows = LeadChange.objects.filter(reference=reference, is_report=True)
    return [
        StatusReport(at, sequence, LeadStatus(status), stated)
        for at, sequence, status, stated in rows.values_list("occurred_at", "sequence", "new_status", "stated")
    ]


def record_event(
    lead: Lead,
    event_type: EventType,
    *,
    origin: Origin,
    also_for: Sequence[str] = (),
    work: UnitOfWork = AT_ONCE,
    **fields: Any,
) -> None:
    """Record an event about a lead. `fields` replace those that the lead's present state gives.

    Channels with these ids get it too, whatever they listen to.
    """
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
        "merged_lead_ids": _merged_ids(lead, work),
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
        also_for=also_for,
        work=work,
        **body,
    )


def _merged_ids(lead: Lead, work: UnitOfWork) -> list[str]:
    """Return the ids of the records that were merged into a lead."""
    if not lead.has_records:
        return []
    work.flush(Lead, LeadMerge)
    return [record.pk for record in records_of(lead)]


def record_status_change(
    lead: Lead,
    reference: LeadReference | None,
    status: LeadStatus,
    previous: LeadStatus | None,
    origin: Origin,
    changed_by: ChangedBy,
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Record `lead_status_changed` and, for some statuses, the event type of that status."""
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
    for event_type in filter(None, [EventType.LEAD_STATUS_CHANGED, ADDITIONAL_EVENTS.get(status)]):
        record_event(lead, event_type, origin=origin, work=work, **fields)


def request_message_reaction(
    lead: Lead, direction: Direction, origin: Origin, work: UnitOfWork = AT_ONCE, *, user_id: int | None = None
) -> None:
    """Have the lead's clocks react to a message that changes no status, and so is no event. `user_id` wrote it."""
    facts: dict[str, Any] = {"direction": direction.value, "at": origin.at.isoformat(), "receipt_id": origin.receipt_id}
    if user_id is not None:
        facts["user_id"] = user_id
    request_reaction(CLOCKS, subject=lead.pk, facts=facts, work=work)


def request_figures(lead: Lead, work: UnitOfWork = AT_ONCE) -> None:
    """Have what reports count of a lead computed anew, for a change that no event reports."""
    request_reaction(FIGURES, subject=lead.pk, work=work)


def request_sequence_reaction(lead: Lead, work: UnitOfWork = AT_ONCE) -> None:
    """Have the lead's sequence react to what became of a message of its, which may be no event."""
    request_reaction(SEQUENCES, subject=lead.pk, work=work)


def request_unassignment_reaction(lead: Lead, at: datetime, work: UnitOfWork = AT_ONCE) -> None:
    """Have the lead's clocks react to the loss of its owner, which is no event."""
    request_reaction(CLOCKS, subject=lead.pk, facts={"at": at.isoformat()}, work=work)


def save_reference_status(
    reference: LeadReference, current: CurrentStatus, newest: StatusReport | None, work: UnitOfWork = AT_ONCE
) -> None:
    """Save a reference with this status. `newest` is the report it comes from, if that is the latest known."""
    reference.status, reference.status_since = current.status, current.since
    reference.status_sequence = current.sequence
    if newest:
        reference.reported_at, reference.reported_sequence = newest.order
    save_reference(reference, work)


def add_history_row(
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
    text: str = "",
    is_report: bool = True,
    user_id: int | None = None,
    assignee_id: int | None = None,
    work: UnitOfWork = AT_ONCE,
) -> None:
    """Add a row to the lead's history. With `is_report` the row reports a status; otherwise it is a note.

    `text` is what the lead answered: it is kept without control and direction characters, up to MAX_REPLY_LENGTH.
    `user_id` made the change. `assignee_id` has the lead from now on, 0 stands for nobody.
    """
    row = LeadChange(
        lead=lead,
        reference=reference,
        origin_id=reference.origin_id if reference else None,
        previous_status=previous,
        new_status=new,
        stated=stated,
        is_report=is_report,
        changed_by=changed_by,
        occurred_at=origin.at,
        arrived_at=origin.received_at,
        sequence=origin.sequence,
        receipt_id=origin.receipt_id,
        applied=applied,
        note=note[:500],
        text=shorten(plain(text, lines=True).strip(), MAX_REPLY_LENGTH) if text else "",
        user_id=user_id,
        assignee_id=assignee_id,
    )
    work.add(row)
