"""What deliveries hold of an erased lead: the answers that receivers gave, which may repeat what we sent."""

from collections.abc import Sequence

from accounts.erasure import register
from notifications.models import Attempt


@register
def _attempts(lead_id: str, event_ids: Sequence[str]) -> dict[str, int]:
    attempts = Attempt.objects.filter(delivery__event_id__in=event_ids)
    return {"response excerpts": attempts.update(response_excerpt="", error="")}
