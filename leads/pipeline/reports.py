"""What reports do to leads (contract: "What a report does to a lead").

What people change is in `leads.pipeline.changes`.
"""

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F

from accounts.campaigns import senders
from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Account, Agency, Source
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead, LeadChange, LeadReference, Position
from leads.pipeline.dto import Contact, Identity
from leads.pipeline.history import move, tell, tell_status, write_change
from leads.pipeline.matching import (
    campaign_for,
    find_lead,
    find_reference,
    keep,
    make_lead,
    merged_record_of,
    references_of,
)
from leads.pipeline.phones import e164
from leads.pipeline.provenance import Origin as From
from leads.pipeline.provenance import fill
from leads.pipeline.status_machine import Step, advance, fold, steps_of
from leads.pipeline.tombstones import is_erased

#: What a report changes of where a lead stands.
WHERE_IT_STANDS = ("status", "campaign", "status_since", "status_sequence", "updated_at")


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
    quiet: bool = False,
    work: UnitOfWork = AT_ONCE,
    **fields: Any,
) -> Lead | None:
    """Apply one report of where a lead stands; `lead` where the caller knows which it is.

    `fields` are those of a lead that is made. With `quiet` no `lead_created` is told: the caller does. None: the lead
    was erased and the report is from before that.
    """
    if is_erased(agency, provider=provider, external_id=identity.external_id, at=origin.at, work=work):
        return None
    lead, reference, first_seen = _locate(agency, provider, identity, origin, lead, work, fields)
    filled = _fill(lead, contact, account)
    step = Step(origin.at, origin.sequence, status, stated)
    before = reference.position
    newest = before is None or step.order > reference.reported
    after = advance(before, step) if newest else fold([*_steps_of(reference, work), step])
    applied = after != before or (newest and stated)
    gap = _gap(before, previous_status, origin, work) if newest else ""
    previous = previous_status or (before.status if before else None)
    move(reference, after, step if newest else None, work)
    write_change(
        lead,
        reference,
        previous or "",
        status,
        origin,
        changed_by,
        stated=stated,
        applied=applied,
        note=gap,
        work=work,
    )
    _follow(lead, reference, before, work)
    work.update(lead, *filled, *WHERE_IT_STANDS)
    if first_seen and not quiet:
        tell(lead, EventType.LEAD_CREATED, origin=origin, work=work, lead_external_id=reference.external_id)
    if after.status is not (before.status if before else LeadStatus.PENDING):
        tell_status(lead, reference, after.status, previous, origin, changed_by, work)
    return lead


@transaction.atomic(savepoint=False)
def note(
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
    came_from: From = From.PROVIDER,
    work: UnitOfWork = AT_ONCE,
) -> Lead | None:
    """Put a remark into a lead's history, fill empty contact fields and, with `tags`, replace its tags."""
    if is_erased(agency, provider=provider, external_id=identity.external_id, at=origin.at, work=work):
        return None
    lead, reference, first_seen = _locate(agency, provider, identity, origin, lead, work, {})
    if reference.pk is None:
        keep(reference, work)
    filled = _fill(lead, contact, account, came_from)
    if tags is not None:
        lead.tags = list(tags)
    status = LeadStatus(reference.status)
    write_change(
        lead,
        reference,
        status,
        status,
        origin,
        ChangedBy.PROVIDER,
        stated=False,
        applied=False,
        note=text,
        report=False,
        work=work,
    )
    work.update(lead, *filled, "tags", "updated_at")
    if first_seen:
        tell(lead, EventType.LEAD_CREATED, origin=origin, work=work, lead_external_id=reference.external_id)
    return lead


def _locate(
    agency: Agency,
    provider: str,
    identity: Identity,
    origin: Origin,
    lead: Lead | None,
    work: UnitOfWork,
    fields: dict[str, Any],
) -> tuple[Lead, LeadReference, bool]:
    """The lead, its reference in this campaign (not saved yet if it is new), and whether the lead was just made."""
    campaign = campaign_for(
        agency, provider=provider, external_id=identity.campaign_id, name=identity.campaign_name, work=work
    )
    if campaign:
        senders.note_sender(campaign, identity.sender_id, work)
    wanted: dict[str, Any] = {"provider": provider, "external_id": identity.external_id}
    found = find_lead(agency, **wanted, url=identity.linkedin_url, known_as=lead, work=work)
    made = None
    if found is None:
        made = make_lead(agency, url=identity.linkedin_url, origin=origin, campaign=campaign, work=work, **fields)
        found = made or find_lead(agency, **wanted, url=identity.linkedin_url, work=work)
    assert found is not None  # noqa: S101 (the unique key says that one of the two holds)
    known = None if made else find_reference(found, **wanted, campaign=campaign, work=work)
    reference = known or LeadReference(
        lead=found,
        origin_id=None if made else merged_record_of(found, identity.linkedin_url, work),
        agency=agency,
        **wanted,
        source=origin.source,
        campaign=campaign,
        status_since=origin.at,
        status_sequence=origin.sequence,
    )
    return found, reference, made is not None


def _fill(lead: Lead, contact: Contact, account: Account | None, came_from: From = From.PROVIDER) -> list[str]:
    """The fields that changed."""
    filled = fill(lead, asdict(contact), origin=came_from)
    if lead.phone and not lead.phone_e164:
        lead.phone_e164 = e164(lead.phone, country=lead.country)
        filled.append("phone_e164")
    if account and lead.account_id is None:
        lead.account = account
        filled.append("account")
    return [*filled, "provenance"] if filled else []


def _steps_of(reference: LeadReference, work: UnitOfWork) -> list[Step]:
    work.flush(LeadChange)
    return steps_of(reference)


def _gap(held: Position | None, previous: LeadStatus | None, origin: Origin, work: UnitOfWork) -> str:
    """Count a `previousStatus` that is not what we hold; a sentence for the history if so."""
    if held is None or previous is None or held.status is previous:
        return ""
    if origin.source:
        work.bypass(Source)
        Source.objects.filter(pk=origin.source.pk).update(gaps=F("gaps") + 1)
    return f"The provider moved it from {previous}; we had {held.status}."


def _follow(lead: Lead, reference: LeadReference, before: Position | None, work: UnitOfWork) -> None:
    """Let the lead stand where its latest changed reference stands."""
    rested_here = before is not None and (lead.status_since, lead.campaign_id) == (before.since, reference.campaign_id)
    latest = reference
    if rested_here:
        latest = max(references_of(lead, work), key=lambda other: (other.status_since, other.status_sequence, other.pk))
    order = (latest.status_since, latest.status_sequence)
    if rested_here or order >= (lead.status_since, lead.status_sequence):
        lead.status, lead.campaign = latest.status, latest.campaign
        lead.status_since, lead.status_sequence = order
