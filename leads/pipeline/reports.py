"""Apply providers' reports to leads (contract: "What a report does to a lead").

What people change is in `leads.pipeline.changes`.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import F

from accounts.campaigns import senders
from accounts.campaigns.service import campaign_of
from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Account, Agency, Source
from leads.enums import OUTBOUND, ChangedBy, Direction, LeadStatus, furthest
from leads.models import CurrentStatus, Lead, LeadChange, LeadMerge, LeadReference, OwnValues
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.dto import Contact, Identity
from leads.pipeline.history import (
    StatusReport,
    add_history_row,
    apply_report,
    apply_reports,
    record_event,
    record_status_change,
    request_figures,
    request_message_reaction,
    save_reference_status,
    status_reports_of,
)
from leads.pipeline.matching import (
    find_lead,
    find_reference,
    is_erased,
    merged_record_of,
    references_of,
    save_reference,
    try_create_lead,
)
from leads.pipeline.messages import message_author, store_message
from leads.pipeline.own_values import write_to_record
from leads.pipeline.phones import e164
from leads.pipeline.provenance import ValueOrigin, fill_contact_fields
from leads.pipeline.sendings import take_echo

#: Fields of a lead that a report of a status changes.
LEAD_STATUS_FIELDS = ("status", "furthest_status", "campaign", "status_since", "status_sequence", "updated_at")


@transaction.atomic(savepoint=False)
def report_status(
    agency: Agency,
    *,
    provider: str,
    identity: Identity,
    status: LeadStatus,
    stated: bool,
    origin: Origin,
    previous_status: LeadStatus | None = None,
    changed_by: ChangedBy = ChangedBy.PROVIDER,
    contact: Contact = Contact(),
    account: Account | None = None,
    lead: Lead | None = None,
    text: str = "",
    is_preview: bool = False,
    by_person: bool = False,
    skip_created_event: bool = False,
    work: UnitOfWork = AT_ONCE,
    **fields: Any,
) -> Lead | None:
    """Apply one report of a lead's status. Return None if the lead was erased since the report.

    `lead` names the lead where the caller knows it. `text` is the message that is reported, or its beginning with
    `is_preview`; `by_person` says that a person of the agency wrote the message. `fields` are set on a lead that is
    created. With `skip_created_event` the caller records `lead_created` later.
    """
    if is_erased(agency, provider=provider, external_id=identity.external_id, at=origin.at, work=work):
        return None
    lead, reference, others, first_seen = _find_or_create_lead(agency, provider, identity, origin, lead, work, fields)
    filled = _fill_contact(lead, reference, contact, account, work)
    report = StatusReport(origin.at, origin.sequence, status, stated)
    before = reference.current_status
    newest = before is None or report.order > reference.latest_report
    after = apply_report(before, report) if newest else apply_reports([*_earlier_reports(reference, work), report])
    applied = after != before or (newest and stated)
    gap_note = _count_gap(before, previous_status, origin, work) if newest else ""
    previous = previous_status or (before.status if before else None)
    save_reference_status(reference, after, report if newest else None, work)
    add_history_row(
        lead,
        reference,
        previous or "",
        status,
        origin,
        changed_by,
        stated=stated,
        applied=applied,
        note=gap_note,
        text=text if status is LeadStatus.REPLY_RECEIVED else "",
        work=work,
    )
    if (
        text
        and status is LeadStatus.MESSAGE_SENT
        and take_echo(lead, provider, text, is_preview=is_preview, at=origin.at, work=work)
    ):
        text, by_person = "", False
    if text:
        author = message_author(status, by_person=by_person)
        store_message(
            lead, reference, account, author=author, text=text, is_preview=is_preview, origin=origin, work=work
        )
    _update_lead_status(lead, reference, others, before)
    lead.furthest_status = furthest((lead.furthest_status, status))
    work.update(lead, *filled, *LEAD_STATUS_FIELDS)
    if filled and not first_seen:
        request_detail_reactions(lead, work)
    if first_seen and not skip_created_event:
        record_event(lead, EventType.LEAD_CREATED, origin=origin, work=work, lead_external_id=reference.external_id)
    is_change = after.status is not (before.status if before else LeadStatus.PENDING)
    if is_change:
        record_status_change(lead, reference, after.status, previous, origin, changed_by, work)
    elif stated and not newest:  # a late report may say that the lead had a status before
        request_figures(lead, work)
    if direction := Direction.FROM_PERSON if by_person else _unrecorded_message(lead, report, is_change=is_change):
        request_message_reaction(lead, direction, origin, work)
    return lead


@transaction.atomic(savepoint=False)
def add_note(
    agency: Agency,
    *,
    provider: str,
    identity: Identity,
    text: str,
    origin: Origin,
    contact: Contact = Contact(),
    tags: tuple[str, ...] | None = None,
    account: Account | None = None,
    lead: Lead | None = None,
    value_origin: ValueOrigin = ValueOrigin.PROVIDER,
    work: UnitOfWork = AT_ONCE,
) -> Lead | None:
    """Add a note to a lead's history and fill its empty contact fields. `tags`, if given, replace its tags."""
    if is_erased(agency, provider=provider, external_id=identity.external_id, at=origin.at, work=work):
        return None
    lead, reference, _, first_seen = _find_or_create_lead(agency, provider, identity, origin, lead, work, {})
    if reference.pk is None:
        save_reference(reference, work)
    filled = _fill_contact(lead, reference, contact, account, work, value_origin)
    if tags is not None:
        lead.tags = list(tags)
    status = LeadStatus(reference.status)
    add_history_row(
        lead,
        reference,
        status,
        status,
        origin,
        ChangedBy.PROVIDER,
        stated=False,
        applied=False,
        note=text,
        is_report=False,
        work=work,
    )
    work.update(lead, *filled, "tags", "updated_at")
    if first_seen:
        record_event(lead, EventType.LEAD_CREATED, origin=origin, work=work, lead_external_id=reference.external_id)
    elif filled or tags is not None:
        request_detail_reactions(lead, work)
    return lead


class _Located(NamedTuple):
    """The lead of a report, its reference in this campaign (unsaved if new), its other references, and whether the lead
    was just created."""

    lead: Lead
    reference: LeadReference
    others: Sequence[LeadReference]
    is_new: bool


def _find_or_create_lead(
    agency: Agency,
    provider: str,
    identity: Identity,
    origin: Origin,
    lead: Lead | None,
    work: UnitOfWork,
    fields: dict[str, Any],
) -> _Located:
    key: dict[str, Any] = {"provider": provider, "external_id": identity.external_id}
    campaign = None
    if identity.campaign_id:
        named = {"external_id": identity.campaign_id, "name": identity.campaign_name}
        campaign = campaign_of(agency, provider=provider, **named, work=work)
        if identity.sender_id:
            senders.record_sender(campaign, identity.sender_id, work)
    located = find_lead(agency, **key, url=identity.linkedin_url, known_lead=lead, work=work)
    created = None
    if located is None:
        created = try_create_lead(
            agency, url=identity.linkedin_url, origin=origin, campaign=campaign, work=work, **fields
        )
        located = created or find_lead(agency, **key, url=identity.linkedin_url, work=work)
    assert located is not None  # noqa: S101 (the unique key makes one of the two succeed)
    references = [] if created else references_of(located, work)
    known = find_reference(references, **key, campaign=campaign)
    reference = known or LeadReference(
        lead=located,
        origin_id=None if created else merged_record_of(located, identity.linkedin_url, work),
        agency=agency,
        **key,
        source=origin.source,
        campaign=campaign,
        status_since=origin.at,
        status_sequence=origin.sequence,
    )
    others = [other for other in references if other is not known]
    return _Located(located, reference, others, is_new=created is not None)


def _fill_contact(
    lead: Lead,
    reference: LeadReference,
    contact: Contact,
    account: Account | None,
    work: UnitOfWork,
    value_origin: ValueOrigin = ValueOrigin.PROVIDER,
) -> list[str]:
    """Fill the contact fields and the account of a reference's record. Return which fields of the lead changed."""
    if not lead.has_records:
        return _fill_record(lead, contact, account, value_origin)
    work.bypass(Lead, LeadMerge, OwnValues)
    record_id = reference.origin_id or lead.pk
    write_to_record(lead, record_id, lambda record: _fill_record(record, contact, account, value_origin))
    return []


def _fill_record(lead: Lead, contact: Contact, account: Account | None, value_origin: ValueOrigin) -> list[str]:
    """Fill the lead's contact fields and account, unsaved. Return the names of the fields that changed."""
    filled = fill_contact_fields(lead, asdict(contact), origin=value_origin) if contact != Contact() else []
    if lead.phone and not lead.phone_e164:
        lead.phone_e164 = e164(lead.phone, country=lead.country)
        filled.append("phone_e164")
    if account and lead.account_id is None:
        lead.account = account
        filled.append("account")
    return [*filled, "provenance"] if filled else []


def _unrecorded_message(lead: Lead, report: StatusReport, *, is_change: bool) -> Direction | None:
    """Return who wrote the message that a report implies. None if there is none, or the event of a change says it."""
    if is_change or report.stated:
        return None
    if report.status is LeadStatus.REPLY_RECEIVED:
        return Direction.FROM_LEAD
    is_first = report.status in OUTBOUND and lead.first_attempt_at is None
    return Direction.FROM_AUTOMATION if is_first else None


def _earlier_reports(reference: LeadReference, work: UnitOfWork) -> list[StatusReport]:
    work.flush(LeadChange)
    return status_reports_of(reference)


def _count_gap(current: CurrentStatus | None, previous: LeadStatus | None, origin: Origin, work: UnitOfWork) -> str:
    """Count a `previousStatus` that contradicts the status held here. Return a sentence for the history if it does."""
    if current is None or previous is None or current.status is previous:
        return ""
    if origin.source:
        work.bypass(Source)
        Source.objects.filter(pk=origin.source.pk).update(gaps=F("gaps") + 1)
    return f"The provider moved it from {previous}; the status here was {current.status}."


def _update_lead_status(
    lead: Lead, reference: LeadReference, others: Sequence[LeadReference], before: CurrentStatus | None
) -> None:
    """Set the lead's status and campaign to those of its reference with the latest change."""
    was_latest = before is not None and (lead.status_since, lead.campaign_id) == (before.since, reference.campaign_id)
    latest = reference
    if was_latest:
        latest = max([reference, *others], key=lambda each: (each.status_since, each.status_sequence, each.pk))
    order = (latest.status_since, latest.status_sequence)
    if was_latest or order >= (lead.status_since, lead.status_sequence):
        lead.status, lead.campaign = latest.status, latest.campaign
        lead.status_since, lead.status_sequence = order
