"""What receipts hold of an erased lead: their bodies and headers, and kept answers that show these."""

from collections.abc import Sequence

from accounts.erasure import register
from accounts.models import IdempotencyRecord
from leads.models import Lead
from webhooks.models import Receipt, ReceiptStatus

WAITING = (ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED)


@register
def _receipts(lead_id: str, event_ids: Sequence[str]) -> dict[str, int]:
    receipts = Receipt.objects.filter(lead_id=lead_id)
    shown = [receipt.public_id for receipt in receipts.only("sequence")]
    IdempotencyRecord.objects.filter(body__subject__in=shown).delete()
    return {"receipt bodies": receipts.update(body=b"", headers={}, error="") + _not_understood(lead_id)}


def _not_understood(lead_id: str) -> int:
    """Receipts that nobody could place, but that name the lead as its provider does."""
    erased = 0
    lead = Lead.objects.get(pk=lead_id)
    references = lead.references.exclude(source=None).values_list("source", "external_id")
    for source, external_id in references.distinct():
        needles = [text.encode() for text in (external_id, lead.email, lead.linkedin_key.rpartition("/")[2]) if text]
        waiting = Receipt.objects.filter(source=source, status__in=WAITING).only("sequence", "body")
        found = [row.pk for row in waiting.iterator(500) if any(needle in bytes(row.body) for needle in needles)]
        for start in range(0, len(found), 500):
            chosen = Receipt.objects.filter(pk__in=found[start : start + 500])
            erased += chosen.update(body=b"", headers={}, error="", correlation="")
    return erased
