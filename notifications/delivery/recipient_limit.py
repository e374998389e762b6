"""Limit the mails to one address in an hour, whoever causes them. Mails beyond the limit wait, visibly.

The limit applies to deliveries without a channel: to owners of accounts, invited people, confirmations. The reader of a
channel has agreed to its mails.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Count, Q
from django.db.models.functions import Upper
from django.utils import timezone

from accounts.core.enums import STAFF_EVENTS
from accounts.core.ids import first_id
from notifications.models import Delivery, DeliveryStatus, Hold

MAX_PER_HOUR = 30
HOUR, MAX_WAIT = timedelta(hours=1), timedelta(days=2)


def hold_excess_mails(deliveries: Sequence[Delivery]) -> None:
    """Put off those unsaved deliveries whose address gets more than MAX_PER_HOUR mails."""
    limited = [row for row in deliveries if row.channel_id is None and row.event.event_type not in STAFF_EVENTS]
    if not limited:
        return
    now = timezone.now()
    waiting = Q(status=DeliveryStatus.PENDING, hold=Hold.RECIPIENT)
    rows = Delivery.objects.annotate(upper=Upper("recipient")).filter(  # matches the index
        Q(pk__gte=first_id("dlv", now - HOUR)) | waiting,
        channel=None,
        upper__in={row.recipient.upper() for row in limited},
        pk__gte=first_id("dlv", now - MAX_WAIT),
    )
    counts = Counter(dict(rows.values_list("upper").annotate(number=Count("pk"))))
    for row in limited:
        hours = min(counts[row.recipient.upper()] // MAX_PER_HOUR, MAX_WAIT // HOUR - 1)
        counts[row.recipient.upper()] += 1
        if hours:
            row.hold, row.next_attempt_at = Hold.RECIPIENT, now + hours * HOUR
