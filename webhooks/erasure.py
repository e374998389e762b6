"""What receipts hold of an erased lead: their bodies and headers, and kept answers that show these."""

from collections.abc import Sequence

from accounts.erasure import register
from accounts.models import IdempotencyRecord
from webhooks.models import Receipt


@register
def _receipts(lead_id: str, event_ids: Sequence[str]) -> dict[str, int]:
    receipts = Receipt.objects.filter(lead_id=lead_id)
    shown = [receipt.public_id for receipt in receipts.only("sequence")]
    IdempotencyRecord.objects.filter(body__subject__in=shown).delete()
    return {"receipt bodies": receipts.update(body=b"", headers={}, error="")}
