"""What a pull found, a page at a time: leads are completed, or made where no notification told of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import ProviderSlug
from accounts.events.ordering import Origin
from accounts.models import Agency, Source
from leads.enrichment import service as enrichment
from leads.enums import ChangedBy, LeadStatus
from leads.lead_sync.form_answers import Details, details, submitted_at, tidy
from leads.lead_sync.submissions import complete, put_in, tell_once
from leads.models import Lead, LeadChange, LeadFetch, LeadReference
from leads.pipeline import reports as leads
from leads.pipeline.dto import Identity
from leads.privacy.erasure import erased_among, wait_for_erasures

#: A lead that a pull finds later than this after it was sent is old: it is marked, and nobody is alerted.
OLD = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class ImportedLead:
    external_id: str
    at: datetime
    response: Mapping[str, Any]
    details: Details


@transaction.atomic(savepoint=False)
def import_leads(source: Source, page: Iterable[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> int:
    """Keep what a pull found, each a response and its form; how many were not here yet. What was erased since stays
    erased. Raises IntegrityError where a notification made one of them at the same moment: nothing is kept then."""
    agency = source.agency
    assert agency is not None  # noqa: S101 (a linkedin source belongs to an agency)
    finds = {find.external_id: find for find in map(_read, page) if find}
    wait_for_erasures(agency)
    moments = {name: find.at for name, find in finds.items()}
    erased = erased_among(agency, provider=ProviderSlug.LINKEDIN, moments=moments)
    known = _known(agency, finds)
    for name in known.keys() - erased:
        _complete(source, known[name], finds[name])
    return _make(source, [find for name, find in finds.items() if name not in known and name not in erased])


def _read(row: tuple[Mapping[str, Any], Mapping[str, Any]]) -> ImportedLead | None:
    response, form = row
    external_id, at = tidy(response.get("id"), 200), submitted_at(response)
    return ImportedLead(external_id, at, response, details(response, form)) if external_id and at else None


def _known(agency: Agency, names: Iterable[str]) -> dict[str, LeadReference]:
    rows = LeadReference.objects.filter(agency=agency, provider=ProviderSlug.LINKEDIN, external_id__in=list(names))
    return {row.external_id: row for row in rows}


def _complete(source: Source, reference: LeadReference, find: ImportedLead) -> None:
    """Complete a lead that is here; that it was sent once more is a report, which outlives a DELETED of before."""
    if reference.reported_at is None or find.at > reference.reported_at:
        leads.report_status(
            reference.agency,
            provider=ProviderSlug.LINKEDIN,
            identity=Identity(external_id=find.external_id),
            status=LeadStatus.PENDING,
            stated=False,
            origin=Origin(by=ProviderSlug.LINKEDIN, at=find.at, source=source),
        )
    complete(reference, find.details)


def _make(source: Source, finds: Sequence[ImportedLead]) -> int:
    """Make leads, each as its notification would have, and complete them."""
    made = Lead.objects.bulk_create([_lead(source, find) for find in finds])
    enrichment.ask_for(made)
    references = LeadReference.objects.bulk_create(
        LeadReference(
            lead=lead, agency=lead.agency, provider=ProviderSlug.LINKEDIN, external_id=find.external_id, source=source,
            status_since=find.at, reported_at=find.at,
        )
        for lead, find in zip(made, finds, strict=True)
    )  # fmt: skip
    LeadChange.objects.bulk_create(
        LeadChange(
            lead=reference.lead, reference=reference, new_status=LeadStatus.PENDING, stated=False, applied=True,
            changed_by=ChangedBy.PROVIDER, occurred_at=reference.status_since,
        )
        for reference in references
    )  # fmt: skip
    now = timezone.now()
    fresh = [reference for reference in references if now - reference.status_since <= OLD]
    LeadFetch.objects.bulk_create(LeadFetch(reference=reference, source=source, tell_by=now) for reference in fresh)
    for reference in fresh:
        tell_once(reference)
    return len(made)


def _lead(source: Source, find: ImportedLead) -> Lead:
    response = find.response
    lead = Lead(
        agency=source.agency,
        source=source,
        status_since=find.at,
        received_at=find.at,
        recovered=True,
        lead_type=tidy(response.get("leadType"), 32),
        form="".join(tidy(response.get("versionedLeadGenFormUrn"), 200).split()),
        owner=_only(response.get("owner")),
        associated_entity=_only(response.get("associatedEntity")),
    )
    put_in(lead, find.details)
    return lead


def _only(value: Any) -> str:
    """The one URN of `{"sponsoredAccount": "urn:…"}` and its like, whatever its key."""
    urns = [tidy(urn, 200) for urn in value.values()] if isinstance(value, dict) else []
    return next(filter(None, urns), "")
