"""What deliveries hold of an erased lead: the answers that receivers gave, which may repeat what we sent, and what
has not been sent to people yet."""

from django.db import transaction

from accounts.events.erasure import Erasure, register
from notifications.delivery.digest import cancel, leave
from notifications.models import Attempt, Delivery, DeliveryStatus
from notifications.transports.mailfolder import erase_mails


@register
def _attempts(erasure: Erasure) -> dict[str, int]:
    about = Delivery.objects.filter(event_id__in=erasure.event_ids)
    waiting = about.filter(status=DeliveryStatus.PENDING, attempts=0, leased_until=None)
    waiting = waiting.exclude(carrier__attempts__gt=0)  # its message may have arrived
    leave(waiting)
    cancel(waiting, "Not sent: the lead was erased.")
    carriers = about.filter(carrier__isnull=False).values_list("carrier__event_id", flat=True)
    mails = frozenset({*erasure.event_ids, *carriers})
    transaction.on_commit(lambda: erase_mails(mails), robust=True)
    attempts = Attempt.objects.filter(delivery__event_id__in=erasure.event_ids)
    return {"response excerpts": attempts.update(response_excerpt="", error="")}
