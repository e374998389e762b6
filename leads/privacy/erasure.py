"""A lead that must be gone: its rows, every copy of its data, and a tombstone that keeps it from coming back."""

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
from leads.models import Lead, LeadChange, LeadReference
from leads.pipeline.merge import lock_root, records_of
from leads.pipeline.status_machine import fold, steps_of
from leads.pipeline.tombstones import OURSELVES, digest_of, put_tombstone, wait_for_erasures
from leads.privacy import erasure_log


@transaction.atomic(savepoint=False)
def report_withdrawal(
    agency: Agency, *, provider: str, external_id: str, origin: Origin, work: UnitOfWork = AT_ONCE
) -> Lead | None:
    """The provider took a lead back. A strictly newer lead stays, and is answered."""
    work.bypass()
    wait_for_erasures(agency)
    _bury(agency, {(provider, external_id)}, at=origin.at)
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
    made_anew = LeadChange.objects.filter(lead=lead, is_report=True, occurred_at__gt=origin.at).order_by("occurred_at")
    first = made_anew.first()
    if first is None:
        erase(lead, origin=origin)
        return None
    _start_anew(lead, first, erased_until=origin.at)
    return lead


@transaction.atomic(savepoint=False)
def erase(lead: Lead, *, origin: Origin | None = None, by_age: bool = False) -> dict[str, int]:
    """Erase a lead, the records that were merged into it, and every copy of their data.

    Agencies get `lead_erased` with ids only, as of now, for each id that they may hold. Reports of before `origin.at`
    stay without effect from now on. With `by_age` what came lately and was not understood yet is left. Returns how much
    was erased where.
    """
    origin = origin or Origin(by="staff", at=timezone.now())
    root = lock_root(lead.pk)
    if root is None:
        return {"leads": 0}
    agency, ids = lead.agency, [root.pk, *(record.pk for record in records_of(root))]
    names = {*root.references.values_list("provider", "external_id"), *((OURSELVES, lead_id) for lead_id in ids)}
    _bury(agency, names, at=origin.at)
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


def _start_anew(lead: Lead, first: LeadChange, *, erased_until: datetime) -> None:
    """Leave of a lead what it would be had it been made by `first`."""
    LeadChange.objects.filter(lead=lead, occurred_at__lte=erased_until).delete()
    LeadChange.objects.filter(pk=first.pk).update(previous_status="", applied=True)
    for reference in lead.references.all():
        steps = steps_of(reference)
        if not steps:
            reference.delete()
            continue
        position = fold(steps)
        reference.status, reference.status_since = position.status, position.since
        reference.status_sequence = position.sequence
        reference.save()
    latest = max(lead.references.all(), key=lambda reference: (reference.status_since, reference.status_sequence))
    lead.status, lead.campaign = latest.status, latest.campaign
    lead.status_since, lead.status_sequence = latest.status_since, latest.status_sequence
    lead.received_at = first.occurred_at
    lead.save()


def _bury(agency: Agency, names: Collection[tuple[str, str]], *, at: datetime) -> None:
    """Put up tombstones for providers' ids, and write them into the erasure log once they are committed."""
    tombstones = [(provider, digest_of(agency.pk, external_id)) for provider, external_id in sorted(names)]
    for provider, digest in tombstones:
        put_tombstone(agency, provider=provider, digest=digest, at=at)
    lines = [erasure_log.Line(agency.pk, provider, digest, at) for provider, digest in tombstones]
    transaction.on_commit(lambda: erasure_log.append(lines), robust=True)
