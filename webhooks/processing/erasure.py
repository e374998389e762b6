"""What receipts hold of an erased lead: their bodies and headers, and kept answers that show these."""

from accounts.events.erasure import Erasure, register
from accounts.models import IdempotencyRecord
from leads.models import Lead
from webhooks.models import Receipt, ReceiptStatus

BATCH = 500
WAITING = (ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED)


@register
def _receipts(erasure: Erasure) -> dict[str, int]:
    placed = list(Receipt.objects.filter(lead_id=erasure.lead_id).values_list("pk", flat=True))
    waiting = [] if erasure.by_age else _not_understood(erasure.lead_id)
    for start in range(0, len(placed + waiting), BATCH):
        receipts = Receipt.objects.filter(pk__in=(placed + waiting)[start : start + BATCH])
        shown = [receipt.public_id for receipt in receipts.only("sequence")]
        IdempotencyRecord.objects.filter(body__subject__in=shown).delete()
        receipts.update(body=b"", headers={}, error="")
    for start in range(0, len(waiting), BATCH):
        Receipt.objects.filter(pk__in=waiting[start : start + BATCH]).update(correlation="")
    return {"receipt bodies": len(placed + waiting)}


def _not_understood(lead_id: str) -> list[int]:
    """Receipts that nobody could place, but that name the lead as its provider does."""
    found: list[int] = []
    lead = Lead.objects.get(pk=lead_id)
    references = lead.references.exclude(source=None).values_list("source", "external_id")
    for source, external_id in references.distinct():
        needles = [text.encode() for text in (external_id, lead.email, lead.linkedin_key.rpartition("/")[2]) if text]
        waiting = Receipt.objects.filter(source=source, status__in=WAITING, lead_id="").only("sequence", "body")
        found += [row.pk for row in waiting.iterator(500) if any(needle in bytes(row.body) for needle in needles)]
    return sorted(set(found))
