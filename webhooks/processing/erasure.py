"""What receipts hold of an erased lead: their bodies and headers, and kept answers that show these."""

from collections.abc import Sequence

from django.db.models import QuerySet

from accounts.events.erasure import Erasure, delete_responses_about, register_eraser
from accounts.linkedin_identity import names_in_urls
from leads.models import Lead, LeadReference
from leads.pipeline.merge import root_ids
from webhooks.models import Receipt, ReceiptStatus

BATCH = 500
WAITING = (ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED)


@register_eraser
def _receipts(erasure: Erasure) -> dict[str, int]:
    placed = list(placed_receipts(erasure.lead_id).values_list("pk", flat=True))
    waiting = [] if erasure.by_age else _not_understood(erasure.lead_id)
    for start in range(0, len(placed + waiting), BATCH):
        receipts = Receipt.objects.filter(pk__in=(placed + waiting)[start : start + BATCH])
        delete_responses_about([receipt.public_id for receipt in receipts.only("sequence")])
        receipts.update(body=b"", headers={}, error="")
    for start in range(0, len(waiting), BATCH):
        Receipt.objects.filter(pk__in=waiting[start : start + BATCH]).update(correlation="")
    return {"receipt bodies": len(placed + waiting)}


def placed_receipts(lead_id: str) -> QuerySet[Receipt]:
    """Return the receipts that were about a lead, by the index of those that were about any."""
    return Receipt.objects.exclude(lead_id="").filter(lead_id=lead_id)


def _not_understood(lead_id: str) -> list[int]:
    """Receipts that nobody could place, but that name the lead as its provider does."""
    found: list[int] = []
    lead = Lead.all_records.get(pk=lead_id)
    references = LeadReference.objects.filter(lead=root_ids([lead_id])[lead_id]).exclude(source=None)
    profile = [text.casefold().encode() for text in names_in_urls(lead.linkedin_key)]
    for source, external_id in references.values_list("source", "external_id").distinct():
        needles = [*(text.casefold().encode() for text in (external_id, lead.email) if text), *profile]
        waiting = Receipt.objects.filter(source=source, status__in=WAITING, lead_id="").only("sequence", "body")
        found += [row.pk for row in waiting.iterator(500) if _holds(bytes(row.body), needles)]
    return sorted(set(found))


def _holds(body: bytes, needles: Sequence[bytes]) -> bool:
    folded = body.lower()
    return any(needle in folded for needle in needles)
