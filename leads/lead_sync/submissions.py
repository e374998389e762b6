"""Make a lead of a submitted form at once, complete it by its answers, and announce it once."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import AccountStatus, EventType, ProviderSlug
from accounts.core.jobs import end
from accounts.core.linkedin_identity import linkedin_key
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import Origin
from accounts.models import Account, Agency, Source
from leads import wakeups
from leads.enums import ChangedBy, LeadStatus
from leads.lead_sync.form_answers import Details
from leads.lead_sync.forms import Form
from leads.models import Lead, LeadFetch, LeadReference, LeadSync, UnlabelledAnswers
from leads.pipeline import reports as leads
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.dto import Identity
from leads.pipeline.enrichment_requests import request_enrichment
from leads.pipeline.history import record_event
from leads.pipeline.matching import find_lead, find_reference, lead_ids_named, references_of
from leads.pipeline.merge import lock_root
from leads.pipeline.own_values import write_to_record
from leads.pipeline.phones import e164
from leads.pipeline.provenance import ValueOrigin, fill_contact_fields

#: After so long a lead is announced without its answers.
ANSWERS_TIMEOUT = timedelta(seconds=30)


@transaction.atomic(savepoint=False)
def report_submission(
    agency: Agency, *, external_id: str, origin: Origin, work: UnitOfWork = AT_ONCE, **fields: Any
) -> Lead | None:
    """Make the lead that a notification of a submitted form names. Return None if it was erased since.

    Its answers are fetched where somebody is connected; else the pull that follows a connection brings them.
    """
    identity = Identity(external_id=external_id)
    is_new = not origin.is_test and not lead_ids_named(agency, ProviderSlug.LINKEDIN, external_id, work)
    waits = is_new and _is_connected(origin.source, work)
    lead = leads.report_status(
        agency,
        provider=ProviderSlug.LINKEDIN,
        identity=identity,
        status=LeadStatus.PENDING,
        stated=False,
        changed_by=ChangedBy.PROVIDER,
        origin=origin,
        skip_created_event=waits,
        details_pending=not origin.is_test,
        work=work,
        **fields,
    )
    if lead is None or origin.source is None or not waits:
        return lead
    now = timezone.now()
    fetch = LeadFetch(
        reference=find_reference(
            references_of(lead, work), provider=ProviderSlug.LINKEDIN, external_id=external_id, campaign=None
        ),
        source=origin.source,
        receipt_id=origin.receipt_id,
        next_attempt_at=now,
        announce_by=now + ANSWERS_TIMEOUT,
    )
    work.add(fetch)
    transaction.on_commit(wakeups.wake_up, robust=True)
    return lead


@transaction.atomic(savepoint=False)
def store_answers(reference: LeadReference, found: Details, form: Form) -> Lead | None:
    """Store a lead's answers, and announce the lead unless that was done. Return None if the lead is gone meanwhile."""
    lead = lock_root(reference.lead_id)
    if lead is None:
        return None
    if form.refused is None:
        UnlabelledAnswers.objects.filter(pk=reference.pk).delete()
    if form.refused is None or not has_labels(lead, found):
        if lead.has_records:
            write_to_record(lead, reference.origin_id or lead.pk, lambda record: fill_in(record, found))
        else:
            fill_in(lead, found)
            lead.save()
        record_unlabelled([(reference, form)])
        lead = person_of(lead, reference, found)
    request_enrichment([lead])
    request_detail_reactions(lead)
    end(LeadFetch.objects.filter(pk=reference.pk))
    announce_once(reference)
    return lead


def has_labels(lead: Lead, found: Details) -> bool:
    """Return whether the lead already has these answers, and the text of a question beside its id."""
    asked = {row["question_id"] for row in lead.answers}
    return asked == {row["question_id"] for row in found.answers} and any(row["label"] for row in lead.answers)


def record_unlabelled(rows: Iterable[tuple[LeadReference, Form]]) -> None:
    """Record the references whose answers arrived while LinkedIn did not show their form."""
    UnlabelledAnswers.objects.bulk_create(
        [
            UnlabelledAnswers(reference=reference, form=form.refused, version=form.version[:16])
            for reference, form in rows
            if form.refused
        ],
        update_conflicts=True,
        unique_fields=["reference"],
        update_fields=["form", "version"],
    )


def person_of(lead: Lead, reference: LeadReference, found: Details) -> Lead:
    """Return the one lead of the person whose LinkedIn profile the answers name, merged with what was known of them."""
    url = found.contact.get("linkedin_url", "")
    if not linkedin_key(url):
        return lead
    person = find_lead(lead.agency, provider=ProviderSlug.LINKEDIN, external_id=reference.external_id, url=url)
    if person is None:
        return lead
    if person.linkedin_url == url and "linkedin_url" not in person.provenance:
        person.provenance = {**person.provenance, "linkedin_url": ValueOrigin.FORM.value}
        person.save(update_fields=["provenance", "updated_at"])
    return person


def fill_in(lead: Lead, found: Details) -> None:
    """Set the lead's fields from its answers, unsaved."""
    fill_contact_fields(
        lead, {name: value for name, value in found.contact.items() if name != "linkedin_url"}, origin=ValueOrigin.FORM
    )
    if lead.phone and not lead.phone_e164:
        lead.phone_e164 = e164(lead.phone, country=lead.country)
    lead.name = lead.name or f"{lead.first_name} {lead.last_name}".strip()
    lead.answers, lead.consents, lead.hidden_fields = found.answers, found.consents, found.hidden_fields
    lead.creation_locale = found.locale or lead.creation_locale
    lead.details_pending, lead.is_test = False, found.is_test


@transaction.atomic(savepoint=False)
def announce_once(reference: LeadReference) -> bool:
    """Announce a lead to its agency, if that still waits: a test lead also to the person who connected LinkedIn. Return
    whether it waited."""
    fetch = LeadFetch.objects.select_related("reference__lead__agency", "source__lead_sync__connected_by")
    found = fetch.filter(pk=reference.pk).first()
    if (
        not LeadFetch.objects.filter(pk=reference.pk, announce_by__isnull=False).update(announce_by=None)
        or found is None
    ):
        return False
    lead = found.reference.lead
    submitted_at = found.reference.reported_at or lead.received_at
    origin = Origin(by=ProviderSlug.LINKEDIN, at=submitted_at, receipt_id=found.receipt_id, source=found.source)
    record_event(lead, EventType.LEAD_CREATED, origin=origin)
    if lead.is_test:
        _announce_to_tester(lead, found)
    return True


def _announce_to_tester(lead: Lead, fetch: LeadFetch) -> None:
    sync: LeadSync | None = getattr(fetch.source, "lead_sync", None)
    person = sync.connected_by if sync else None
    if person is None or not person.email or not person.is_active:
        return
    events.record_event(
        lead.agency,
        EventType.LEAD_CREATED,
        subject=lead.id,
        occurred_at=lead.received_at,
        receipt_id=fetch.receipt_id,
        recipient=person.email,
        provider=ProviderSlug.LINKEDIN,
        lead_id=lead.id,
        lead_name=lead.display_name,
        status=lead.status,
        status_label=lead.status_label,
        is_test=True,
    )


def _is_connected(source: Source | None, work: UnitOfWork) -> bool:
    work.flush(Account)
    syncs = LeadSync.objects.filter(source=source, account__status=AccountStatus.ACTIVE)
    return source is not None and syncs.exists()
