"""How many mails one address gets at once, whoever has them sent: what is more waits, and says so.

This is about mails to an address (a Delivery without a channel): owners of accounts, invited people, confirmations. A
channel's reader has agreed to its mails.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from accounts.core.enums import STAFF_EVENTS
from accounts.core.ids import first_id
from notifications.models import Delivery, DeliveryStatus, Hold

MAX_PER_HOUR = 30
HOUR = timedelta(hours=1)


def hold_back(deliveries: Sequence[Delivery]) -> None:
    """Put off those of the unsaved Deliveries whose address has got, or is about to get, `MAX_PER_HOUR` mails."""
    limited = [row for row in deliveries if row.channel_id is None and row.event.event_type not in STAFF_EVENTS]
    if not limited:
        return
    now = timezone.now()
    lately = Q(pk__gte=first_id("dlv", now - HOUR)) | Q(status=DeliveryStatus.PENDING, hold=Hold.RECIPIENT)
    earlier = Delivery.objects.filter(lately, channel=None, recipient__in={row.recipient for row in limited})
    counts = Counter(dict(earlier.values_list("recipient").annotate(number=Count("pk"))))
    for row in limited:
        hours = counts[row.recipient] // MAX_PER_HOUR
        counts[row.recipient] += 1
        if hours:
            row.hold, row.next_attempt_at = Hold.RECIPIENT, now + hours * HOUR
