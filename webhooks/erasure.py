"""What receipts hold of an erased lead: their bodies and headers."""

from collections.abc import Sequence

from accounts.erasure import register
from webhooks.models import Receipt


@register
def _receipts(lead_id: str, event_ids: Sequence[str]) -> dict[str, int]:
    return {"receipt bodies": Receipt.objects.filter(lead_id=lead_id).update(body=b"", headers={}, error="")}
