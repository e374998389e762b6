"""Import what a pull found, a page at a time: complete leads, or make those that no notification told of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import ProviderSlug
from accounts.core.linkedin_identity import linkedin_key
from accounts.events.ordering import Origin
from accounts.models import Agency, Source
from leads.enums import ChangedBy, LeadStatus
from leads.lead_sync.form_answers import Details, details, submitted_at, tidy
from leads.lead_sync.forms import Form
from leads.lead_sync.submissions import announce_once, fill_in, record_unlabelled, store_answers
from leads.models import Lead, LeadChange, LeadFetch, LeadReference
from leads.pipeline import reports as leads
from leads.pipeline.dto import Identity
from leads.pipeline.enrichment_requests import request_enrichment
from leads.pipeline.provenance import ValueOrigin
from leads.pipeline.tombstones import erased_among, wait_for_erasures

#: A lead that a pull finds later than this after it was sent is old: it is marked, and nobody is alerted.
OLD = timedelta(hours=24)
EPOCH = datetime.fromtimestamp(0, UTC)  # before any erasure: what does not say when it was sent stays erased


#: A response of LinkedIn's, and the form that it answers.
FoundLead = tuple[Mapping[str, Any], Form]


@dataclass(frozen=True, slots=True)
class ImportedLead:
    external_id: str
    at: datetime | None  # None: it does not say when it was sent
    response: Mapping[str, Any]
    details: Details
    form: Form

    @property
    def profile_key(self) -> str:
        """Return the key of the LinkedIn profile that the answers name, or an empty text."""
        return linkedin_key(self.details.contact.get("linkedin_url", ""))


@transaction.atomic(savepoint=False)
def import_leads(source: Source, page: Sequence[FoundLead]) -> tuple[int, int]:
    """Store what a pull found. Return how many were not here yet, and how many nobody can read.

    What was erased since stays erased. Raises IntegrityError where a notification made one of them at the same time:
    nothing is stored then.
    """
    agency = source.agency
    assert agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    read = [_read(row) for row in page]
    imported = {lead_found.external_id: lead_found for lead_found in read if lead_found}
    wait_for_erasures(agency)
    reported_at = {name: lead_found.at or EPOCH for name, lead_found in imported.items()}
    erased = erased_among(agency, provider=ProviderSlug.LINKEDIN, reported_at=reported_at)
    known = _known(agency, imported)
    for name in known.keys() - erased:
        _complete(source, known[name], imported[name])
    new = [lead_found for name, lead_found in imported.items() if name not in known and name not in erased]
    people = _people_known(agency, new)
    _make(source, [lead_found for lead_found in new if lead_found.external_id not in people])
    for lead_found in new:
        if lead_found.external_id in people:
            _join(source, lead_found)
    return len(new), sum(1 for found in read if found is None)


def _read(row: FoundLead) -> ImportedLead | None:
    response, form = row
    external_id, at = tidy(response.get("id"), 200), submitted_at(response)
    return ImportedLead(external_id, at, response, details(response, form.content), form) if external_id else None


def _known(agency: Agency, names: Iterable[str]) -> dict[str, LeadReference]:
    rows = LeadReference.objects.filter(agency=agency, provider=ProviderSlug.LINKEDIN, external_id__in=list(names))
    return {row.external_id: row for row in rows}


def _people_known(agency: Agency, imported: Iterable[ImportedLead]) -> set[str]:
    """Return the ids of those whose LinkedIn profile is a lead's already, or an earlier one's of these."""
    keys = {lead_found.external_id: lead_found.profile_key for lead_found in imported if lead_found.profile_key}
    leads = Lead.all_records.filter(agency=agency, linkedin_key__in=set(keys.values())) if keys else Lead.objects.none()
    seen, known = set(leads.values_list("linkedin_key", flat=True)), set()
    for name, key in keys.items():
        if key in seen:
            known.add(name)
        seen.add(key)
    return known


def _join(source: Source, lead_found: ImportedLead) -> None:
    """Add a filled-in form to a person that is a lead already, as its notification would have."""
    agency, now = source.agency, timezone.now()
    assert agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    lead = leads.report_status(
        agency,
        provider=ProviderSlug.LINKEDIN,
        identity=Identity(external_id=lead_found.external_id, linkedin_url=lead_found.details.contact["linkedin_url"]),
        status=LeadStatus.PENDING,
        stated=False,
        origin=Origin(by=ProviderSlug.LINKEDIN, at=lead_found.at or now, source=source),
        skip_created_event=True,
        recovered=True,
        **_origin_of(lead_found),
    )
    reference = _known(agency, [lead_found.external_id]).get(lead_found.external_id)
    if lead is None or reference is None:
        return
    if now - (lead_found.at or now) <= OLD:
        LeadFetch.objects.get_or_create(
            reference=reference, defaults={"source": source, "next_attempt_at": None, "announce_by": now}
        )
    store_answers(reference, lead_found.details, lead_found.form)


def _complete(source: Source, reference: LeadReference, lead_found: ImportedLead) -> None:
    """Complete a lead that is here. That it was sent once more is a report, which outlives an earlier DELETED."""
    if lead_found.at and (reference.reported_at is None or lead_found.at > reference.reported_at):
        leads.report_status(
            reference.agency,
            provider=ProviderSlug.LINKEDIN,
            identity=Identity(external_id=lead_found.external_id),
            status=LeadStatus.PENDING,
            stated=False,
            origin=Origin(by=ProviderSlug.LINKEDIN, at=lead_found.at, source=source),
        )
    store_answers(reference, lead_found.details, lead_found.form)


def _make(source: Source, imported: Sequence[ImportedLead]) -> None:
    """Make leads, each as its notification would have, and complete them."""
    now = timezone.now()
    sent_at = [lead_found.at or now for lead_found in imported]
    made = Lead.objects.bulk_create(
        [_lead(source, lead_found, at) for lead_found, at in zip(imported, sent_at, strict=True)]
    )
    request_enrichment(made)
    references = LeadReference.objects.bulk_create(
        LeadReference(
            lead=lead, agency=lead.agency, provider=ProviderSlug.LINKEDIN, external_id=lead_found.external_id,
            source=source,
            status_since=at, reported_at=at,
        )
        for lead, lead_found, at in zip(made, imported, sent_at, strict=True)
    )  # fmt: skip
    LeadChange.objects.bulk_create(
        LeadChange(
            lead=reference.lead, reference=reference, new_status=LeadStatus.PENDING, stated=False, applied=True,
            changed_by=ChangedBy.PROVIDER, occurred_at=reference.status_since,
        )
        for reference in references
    )  # fmt: skip
    record_unlabelled((reference, lead_found.form) for reference, lead_found in zip(references, imported, strict=True))
    fresh = [reference for reference in references if now - reference.status_since <= OLD]
    LeadFetch.objects.bulk_create(
        LeadFetch(reference=reference, source=source, next_attempt_at=None, announce_by=now) for reference in fresh
    )
    for reference in fresh:
        announce_once(reference)


def _lead(source: Source, lead_found: ImportedLead, at: datetime) -> Lead:
    lead = Lead(
        agency=source.agency,
        source=source,
        status_since=at,
        received_at=at,
        recovered=True,
        **_origin_of(lead_found),
    )
    fill_in(lead, lead_found.details)
    if lead_found.profile_key:
        lead.linkedin_url, lead.linkedin_key = lead_found.details.contact["linkedin_url"], lead_found.profile_key
        lead.provenance = {**lead.provenance, "linkedin_url": ValueOrigin.FORM.value}
    return lead


def _origin_of(lead_found: ImportedLead) -> dict[str, Any]:
    """Return the fields that say where a lead comes from at LinkedIn."""
    response = lead_found.response
    return {
        "lead_type": tidy(response.get("leadType"), 32),
        "form": "".join(tidy(response.get("versionedLeadGenFormUrn"), 200).split()),
        "owner": _only(response.get("owner")),
        "associated_entity": _only(response.get("associatedEntity")),
    }


def _only(value: Any) -> str:
    """Return the one URN of `{"sponsoredAccount": "urn:…"}` and its like, whatever its key."""
    urns = [tidy(urn, 200) for urn in value.values()] if isinstance(value, dict) else []
    return next(filter(None, urns), "")
