"""Erase leads: their rows, every copy of their data, with a tombstone that keeps them from coming back."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events import outbox as events
from accounts.events.erasure import erase_everywhere
from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.enums import furthest
from leads.models import Lead, LeadChange, LeadReference
from leads.pipeline.history import apply_reports, request_figures, status_reports_of
from leads.pipeline.matching import digest_of
from leads.pipeline.merge import lock_root
from leads.pipeline.own_values import records_of
from leads.pipeline.tombstones import OWN_PROVIDER, add_tombstone, wait_for_erasures
from leads.privacy import erasure_log


@transaction.atomic(savepoint=False)
def report_withdrawal(
    agency: Agency, *, provider: str, external_id: str, origin: Origin, work: UnitOfWork = AT_ONCE
) -> Lead | None:
    """Erase a lead that the provider withdrew.

    Return the lead instead if newer reports made it anew after the withdrawal; only its older rows are erased.
    """
    work.bypass()
    wait_for_erasures(agency)
    _add_tombstones(agency, {(provider, external_id)}, at=origin.at)
    reference = (
        LeadReference.objects.select_related("lead__agency")
        .filter(agency=agency, provider=provider, external_id=external_id)
        .first()
    )
    if reference is None:
        return None
    lead = lock_root(reference.lead_id)
    if lead is None:
        return None
    later_reports = LeadChange.objects.filter(lead=lead, is_report=True, occurred_at__gt=origin.at).order_by(
        "occurred_at"
    )
    first = later_reports.first()
    if first is None:
        erase_lead(lead, origin=origin)
        return None
    _rebuild_from(lead, first, erased_until=origin.at)
    return lead


@transaction.atomic(savepoint=False)
def erase_lead(lead: Lead, *, origin: Origin | None = None, by_age: bool = False) -> dict[str, int]:
    """Erase a lead, the records that were merged into it, and every copy of their data.

    Record `lead_erased` for each id that agencies may have, with ids only. Reports up to `origin.at` are ignored from
    now on. With `by_age` recent receipts in quarantine stay. Returns how many rows were erased where.
    """
    origin = origin or Origin(by="staff", at=timezone.now())
    root = lock_root(lead.pk)
    if root is None:
        return {"leads": 0}
    agency, ids = lead.agency, [root.pk, *(record.pk for record in records_of(root))]
    provider_ids = {
        *root.references.values_list("provider", "external_id"),
        *((OWN_PROVIDER, lead_id) for lead_id in ids),
    }
    _add_tombstones(agency, provider_ids, at=origin.at)
    erased: Counter[str] = Counter()
    for lead_id in ids:
        erased.update(erase_everywhere(lead_id, by_age=by_age))
    erased["history rows"] = root.changes.count()
    for lead_id in ids:
        events.record_event(
            agency,
            EventType.LEAD_ERASED,
            subject=lead_id,
            receipt_id=origin.receipt_id,
            is_test=root.is_test,
            lead_id=lead_id,
        )
    root.delete()
    return {"leads": 1, **erased}


def _rebuild_from(lead: Lead, first: LeadChange, *, erased_until: datetime) -> None:
    """Rebuild a lead as if `first`, its first change after the withdrawal, had created it."""
    LeadChange.objects.filter(lead=lead, occurred_at__lte=erased_until).delete()
    LeadChange.objects.filter(pk=first.pk).update(previous_status="", applied=True)
    for reference in lead.references.all():
        reports = status_reports_of(reference)
        if not reports:
            reference.delete()
            continue
        current = apply_reports(reports)
        reference.status, reference.status_since = current.status, current.since
        reference.status_sequence = current.sequence
        reference.save()
    latest = max(lead.references.all(), key=lambda reference: (reference.status_since, reference.status_sequence))
    lead.status, lead.campaign = latest.status, latest.campaign
    lead.status_since, lead.status_sequence = latest.status_since, latest.status_sequence
    lead.furthest_status = furthest(lead.changes.filter(is_report=True).values_list("new_status", flat=True))
    lead.received_at = first.occurred_at
    lead.save()
    request_figures(lead)


def _add_tombstones(agency: Agency, provider_ids: Collection[tuple[str, str]], *, at: datetime) -> None:
    """Add tombstones for providers' ids, and append them to the erasure log after the commit."""
    tombstones = [(provider, digest_of(agency.pk, external_id)) for provider, external_id in sorted(provider_ids)]
    for provider, digest in tombstones:
        add_tombstone(agency, provider=provider, digest=digest, at=at)
    lines = [erasure_log.Line(agency.pk, provider, digest, at) for provider, digest in tombstones]
    transaction.on_commit(lambda: erasure_log.append_lines(lines), robust=True)
