"""Have receipts processed again."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from webhooks.models import Receipt, ReceiptStatus
from webhooks.processing import wakeups


def release_receipts(receipts: QuerySet[Receipt]) -> int:
    """Process receipts again, now. Return how many."""
    count = receipts.update(
        status=ReceiptStatus.RECEIVED,
        reason="",
        error="",
        attempts=0,
        next_attempt_at=timezone.now(),
        processed_at=None,
    )
    transaction.on_commit(wakeups.wake_up, robust=True)
    return count
