"""Erase what deliveries hold of a lead: receivers' responses, which may repeat it, and messages not sent yet."""

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.events.erasure import Erasure, register_eraser
from notifications.delivery.digest import cancel_deliveries, remove_from_digests
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus, error_fields
from notifications.transports.mailfolder import erase_mails

ERASED = gettext_noop("Not sent: the lead was erased.")


@register_eraser
def _erase_attempts(erasure: Erasure) -> dict[str, int]:
    about = Delivery.objects.filter(event_id__in=erasure.event_ids)
    rows = list(about.values_list("pk", "status", "carrier__event_id"))
    if any(status == DeliveryStatus.PENDING for _, status, _ in rows):
        waiting = about.filter(status=DeliveryStatus.PENDING, attempts=0, leased_until=None)
        waiting = waiting.exclude(carrier__attempts__gt=0)  # the message may have arrived
        remove_from_digests(waiting)
        cancel_deliveries(waiting, ERASED)
    mails = frozenset({*erasure.event_ids, *(carrier for _, _, carrier in rows if carrier)})
    transaction.on_commit(lambda: erase_mails(mails), robust=True)
    attempts = Attempt.objects.filter(delivery__in=[pk for pk, *_ in rows])
    Channel.objects.filter(pk__in=about.values("channel_id")).exclude(last_excerpt="").update(last_excerpt="")
    return {"response excerpts": attempts.update(response_excerpt="", response_headers=None, **error_fields(""))}
