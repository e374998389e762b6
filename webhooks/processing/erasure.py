"""Erase what receipts hold of a lead: their bodies and headers, and stored API responses that show these."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.core.linkedin_identity import names_in_urls
from accounts.events.erasure import Erasure, delete_responses_about, register_eraser
from leads.models import Lead, LeadReference
from leads.pipeline.merge import root_ids
from webhooks.models import Receipt, ReceiptStatus

BATCH = 500
WAITING = (ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED)


@register_eraser
def _erase_receipts(erasure: Erasure) -> dict[str, int]:
    about_lead = list(receipts_about(erasure.lead_id).values_list("pk", flat=True))
    unplaced = [] if erasure.by_age else _unplaced_receipts(erasure.lead_id)
    for start in range(0, len(about_lead + unplaced), BATCH):
        receipts = Receipt.objects.filter(pk__in=(about_lead + unplaced)[start : start + BATCH])
        delete_responses_about([receipt.public_id for receipt in receipts.only("sequence")])
        receipts.update(body=b"", headers={}, error="")
    for start in range(0, len(unplaced), BATCH):
        Receipt.objects.filter(pk__in=unplaced[start : start + BATCH]).update(correlation="")
    return {"receipt bodies": len(about_lead + unplaced)}


def receipts_about(lead_id: str) -> QuerySet[Receipt]:
    """Return the receipts about a lead, by the index of receipts about any lead."""
    return Receipt.objects.exclude(lead_id="").filter(lead_id=lead_id)


def _unplaced_receipts(lead_id: str) -> list[int]:
    """Return the receipts in quarantine or failed that name the lead as its provider does."""
    found: list[int] = []
    lead = Lead.all_records.get(pk=lead_id)
    references = LeadReference.objects.filter(lead=root_ids([lead_id])[lead_id]).exclude(source=None)
    profile = [text.casefold().encode() for text in names_in_urls(lead.linkedin_key)]
    for source, external_id in references.values_list("source", "external_id").distinct():
        needles = [*(text.casefold().encode() for text in (external_id, lead.email) if text), *profile]
        unplaced = Receipt.objects.filter(source=source, status__in=WAITING, lead_id="").only("sequence", "body")
        found += [row.pk for row in unplaced.iterator(500) if _contains_any(bytes(row.body), needles)]
    return sorted(set(found))


def _contains_any(body: bytes, needles: Sequence[bytes]) -> bool:
    folded = body.lower()
    return any(needle in folded for needle in needles)
