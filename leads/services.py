"""What reports do to leads (contract: "What a report does to a lead"), and what people and API clients change."""

from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from accounts import events, senders
from accounts.models import Account, Agency, Campaign, Source
from accounts.reports import Origin
from accounts.vocabulary import EventType
from leads.erasure import is_erased
from leads.identity import campaign_for, find_lead, find_reference, linkedin_key, make_lead
from leads.models import Lead, LeadChange, LeadReference, Position
from leads.phones import e164
from leads.progress import Step, advance, fold, steps_of
from leads.provenance import Origin as From
from leads.provenance import fill, typed
from leads.reported import Contact, Identity
from leads.vocabulary import ChangedBy, LeadStatus

ALSO_TOLD = {  # new status --> the event besides `lead_status_changed`
    LeadStatus.REPLY_RECEIVED: EventType.LEAD_REPLIED,
    LeadStatus.OPPORTUNITY: EventType.LEAD_OPPORTUNITY,
    LeadStatus.NOT_INTERESTED: EventType.LEAD_LOST,
}
HIGH = "high"  # the priority that is told


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
    **fields: Any,
) -> Lead | None:
    """Apply one report of where a lead stands; `lead` where the caller knows which it is.

    `fields` are those of a lead that is made. With `quiet` no `lead_created` is told: the caller does. None: the lead
    was erased and the report is from before that.
    """
    if is_erased(agency, provider=provider, external_id=identity.external_id, at=origin.at):
        return None
    lead, reference, first_seen = _locate(agency, provider, identity, origin, lead, fields)
    _fill(lead, contact, account)
    step = Step(origin.at, origin.sequence, status, stated)
    before = reference.position
    newest = before is None or step.order > reference.reported
    after = advance(before, step) if newest else fold([*steps_of(reference), step])
    applied = after != before or (newest and stated)
    gap = _gap(before, previous_status, origin) if newest else ""
    previous = previous_status or (before.status if before else None)
    _move(reference, after, step if newest else None)
    _note(lead, reference, previous or "", status, origin, changed_by, stated=stated, applied=applied, note=gap)
    _follow(lead, reference, before)
    lead.save()
    if first_seen and not quiet:
        tell(lead, EventType.LEAD_CREATED, origin=origin, lead_external_id=reference.external_id)
    if after.status is not (before.status if before else LeadStatus.PENDING):
        _tell_status(lead, reference, after.status, previous, origin, changed_by)
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
) -> Lead | None:
    """Put a remark into a lead's history, fill empty contact fields and, with `tags`, replace its tags."""
    if is_erased(agency, provider=provider, external_id=identity.external_id, at=origin.at):
        return None
    lead, reference, first_seen = _locate(agency, provider, identity, origin, lead, {})
    if reference.pk is None:
        reference.save()
    _fill(lead, contact, account, came_from)
    if tags is not None:
        lead.tags = list(tags)
    status = LeadStatus(reference.status)
    _note(
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
    )
    lead.save()
    if first_seen:
        tell(lead, EventType.LEAD_CREATED, origin=origin)
    return lead


@transaction.atomic(savepoint=False)
def create_lead(agency: Agency, *, status: LeadStatus = LeadStatus.PENDING, **fields: Any) -> Lead:
    """Make a lead for a person or an API client. Raises `django.db.IntegrityError` if the person is a lead already."""
    now = timezone.now()
    url = fields.pop("linkedin_url", "")
    lead = Lead(
        agency=agency,
        status=status,
        status_since=now,
        received_at=now,
        linkedin_url=url,
        linkedin_key=linkedin_key(url),
        **fields,
    )
    lead.phone_e164 = e164(lead.phone, otherwise=agency.locale)
    typed(lead, ("linkedin_url", *fields))
    lead.save(force_insert=True)
    origin = Origin(by=ChangedBy.API, at=now)
    _note(lead, None, "", status, origin, ChangedBy.API, stated=True, applied=True)
    tell(lead, EventType.LEAD_CREATED, origin=origin)
    if status is not LeadStatus.PENDING:
        _tell_status(lead, None, status, None, origin, ChangedBy.API)
    if lead.priority == HIGH:
        tell(lead, EventType.LEAD_HIGH_PRIORITY, origin=origin)
    return lead


@transaction.atomic(savepoint=False)
def update_lead(lead: Lead, **changes: Any) -> Lead:
    """Change contact fields, campaign, account, assignee, tags or priority. Raises `django.db.IntegrityError` if the
    new LinkedIn URL is another lead's."""
    lead = Lead.objects.select_for_update().get(pk=lead.pk)
    before = lead.priority
    for name, value in changes.items():
        setattr(lead, name, value)
    if "linkedin_url" in changes:
        lead.linkedin_key = linkedin_key(lead.linkedin_url)
        changes["linkedin_key"] = lead.linkedin_key
    typed(lead, changes)
    changes["provenance"] = lead.provenance
    if "phone" in changes:
        lead.phone_e164 = e164(lead.phone, country=lead.country, otherwise=lead.agency.locale)
        changes["phone_e164"] = lead.phone_e164
    lead.save(update_fields=[*changes, "updated_at"])
    if lead.priority == HIGH != before:
        tell(lead, EventType.LEAD_HIGH_PRIORITY, origin=Origin(by=ChangedBy.API, at=timezone.now()))
    return lead


@transaction.atomic(savepoint=False)
def set_status(lead: Lead, *, status: LeadStatus, changed_by: ChangedBy, note: str = "") -> Lead:
    """Set a lead's status on behalf of a person or an API client (the Update Lead Status API)."""
    lead = Lead.objects.select_for_update().get(pk=lead.pk)
    before = LeadStatus(lead.status)
    # The latest change of all, whatever clock the last one came by.
    latest = lead.references.aggregate(at=Max("reported_at"))["at"]
    at = max(filter(None, [timezone.now(), lead.status_since, latest]))
    origin = Origin(by=changed_by, at=at)
    reference = lead.references.filter(campaign=lead.campaign).order_by("-status_since", "-id").first()
    _note(lead, reference, before, status, origin, changed_by, stated=True, applied=True, note=note)
    if status is before:
        return lead
    if reference:
        _move(reference, Position(status, at), Step(at, 0, status, stated=True))
    lead.status, lead.status_since, lead.status_sequence = status, at, 0
    lead.save(update_fields=["status", "status_since", "status_sequence", "updated_at"])
    _tell_status(lead, reference, status, before, origin, changed_by)
    return lead


def tell(lead: Lead, event_type: EventType, *, origin: Origin, **fields: Any) -> None:
    """Record an event about a lead. `fields` come over those that its present state gives."""
    account = events.account_fields(lead.account) if lead.account else {}
    if "lead_external_id" not in fields:
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
    events.record(
        lead.agency,
        event_type,
        subject=lead.id,
        occurred_at=origin.at,
        receipt_id=origin.receipt_id,
        is_test=lead.is_test,
        creation_locale=lead.creation_locale,
        **body,
    )


def _tell_status(
    lead: Lead,
    reference: LeadReference | None,
    status: LeadStatus,
    previous: LeadStatus | None,
    origin: Origin,
    changed_by: ChangedBy,
) -> None:
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
        tell(lead, event_type, origin=origin, **fields)


def _locate(
    agency: Agency, provider: str, identity: Identity, origin: Origin, lead: Lead | None, fields: dict[str, Any]
) -> tuple[Lead, LeadReference, bool]:
    """The lead, its reference in this campaign (not saved yet if it is new), and whether the lead was just made."""
    campaign = campaign_for(agency, provider=provider, external_id=identity.campaign_id, name=identity.campaign_name)
    if campaign:
        senders.seen(campaign, identity.sender_id)
    wanted: dict[str, Any] = {"provider": provider, "external_id": identity.external_id}
    found = find_lead(agency, **wanted, url=identity.linkedin_url, known_as=lead)
    made = None
    if found is None:
        made = make_lead(agency, url=identity.linkedin_url, origin=origin, campaign=campaign, **fields)
        found = made or find_lead(agency, **wanted, url=identity.linkedin_url)
    assert found is not None  # noqa: S101 (the unique key says that one of the two holds)
    known = None if made else find_reference(agency, **wanted, campaign=campaign)
    reference = known or LeadReference(
        lead=found,
        agency=agency,
        **wanted,
        source=origin.source,
        campaign=campaign,
        status_since=origin.at,
        status_sequence=origin.sequence,
    )
    return found, reference, made is not None


def _fill(lead: Lead, contact: Contact, account: Account | None, came_from: From = From.PROVIDER) -> None:
    fill(lead, asdict(contact), origin=came_from)
    if not lead.phone_e164:
        lead.phone_e164 = e164(lead.phone, country=lead.country, otherwise=lead.agency.locale)
    if account and lead.account_id is None:
        lead.account = account


def _gap(held: Position | None, previous: LeadStatus | None, origin: Origin) -> str:
    """Count a `previousStatus` that is not what we hold; a sentence for the history if so."""
    if held is None or previous is None or held.status is previous:
        return ""
    if origin.source:
        Source.objects.filter(pk=origin.source.pk).update(gaps=F("gaps") + 1)
    return f"The provider moved it from {previous}; we had {held.status}."


def _move(reference: LeadReference, position: Position, newest: Step | None) -> None:
    reference.status, reference.status_since = position.status, position.since
    reference.status_sequence = position.sequence
    if newest:
        reference.reported_at, reference.reported_sequence = newest.order
    reference.save()


def _follow(lead: Lead, reference: LeadReference, before: Position | None) -> None:
    """Let the lead stand where its latest changed reference stands."""
    rested_here = before is not None and (lead.status_since, lead.campaign_id) == (before.since, reference.campaign_id)
    latest = reference
    if rested_here:
        latest = max(lead.references.all(), key=lambda other: (other.status_since, other.status_sequence, other.pk))
    order = (latest.status_since, latest.status_sequence)
    if rested_here or order >= (lead.status_since, lead.status_sequence):
        lead.status, lead.campaign = latest.status, latest.campaign
        lead.status_since, lead.status_sequence = order


def _note(
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
) -> None:
    LeadChange.objects.create(
        lead=lead,
        reference=reference,
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
