"""Delete old receipts and old counts of rejected requests."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from accounts.events.retention import Progress
from webhooks.models import Receipt, ReceiptStatus, RejectedRequest

BATCH = 2000


def delete_old_receipts(position: str, cutoff: datetime) -> Iterator[Progress]:
    """Delete receipts from before `cutoff`, except those that wait to be processed.

    Sequences follow time, so no index on a time is needed: the step ends at the first batch without an old receipt.
    Receipts that a fast clock dated in the future do not end it.
    """
    last = int(position or 0)
    now = timezone.now()
    while True:
        rows = Receipt.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "received_at")[:BATCH]
        times = dict(rows)
        if not any(received_at < cutoff or received_at > now for received_at in times.values()):
            return
        old = Receipt.objects.filter(pk__gt=last, pk__lte=max(times), received_at__lt=cutoff)
        deleted, _ = old.exclude(status=ReceiptStatus.RECEIVED).delete()
        last = max(times)
        yield Progress(str(last), Counter({"receipts": deleted}))


def delete_old_rejections(position: str, cutoff: datetime) -> Iterator[Progress]:
    """Delete counts of rejected requests whose last one came before `cutoff`."""
    deleted, _ = RejectedRequest.objects.filter(last_seen__lt=cutoff).delete()
    yield Progress(position, Counter({"rejected requests": deleted}), is_last=True)
