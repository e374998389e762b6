"""Make due the rows dated ahead by a clock that was set back since. They would wait as long as the clock went back.

A row that was never attempted is due whatever its time. A lease or a wait longer than any that is given came from the
wrong clock, and has ended.
"""

from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from accounts.core import jobs
from accounts.core.jobs import MAX_CLOCK_SKEW
from accounts.models import Event
from leads.lead_sync import submissions
from leads.models import LeadFetch
from notifications.delivery import claim, rate_limit
from notifications.models import Delivery, DeliveryStatus, Hold
from webhooks.models import Receipt, ReceiptStatus
from webhooks.processing import processor

log = structlog.get_logger(__name__)

MARGIN = timedelta(seconds=60)  # beyond the longest wait or lease that is given


def release_future_rows() -> int:
    """Make due the rows that only a clock set back holds back. Return the number of rows."""
    now = timezone.now()
    released = sum(
        [
            _release_receipts(now),
            Event.objects.filter(fanned_out_at=None, attempts=0, next_attempt_at__gt=now + MAX_CLOCK_SKEW).update(
                next_attempt_at=now
            ),
            _release_deliveries(now),
            jobs.release_future_rows(now),
            LeadFetch.objects.filter(announce_by__gt=now + submissions.ANSWERS_TIMEOUT + MARGIN).update(
                announce_by=now
            ),
        ]
    )
    if released:
        log.warning("The clock was set back: rows dated ahead of it are due now.", rows=released)
    return released


def _release_receipts(now: datetime) -> int:
    """Release receipts that wait for another attempt. A receipt that was never attempted is due anyway."""
    waiting = Receipt.objects.filter(status=ReceiptStatus.RECEIVED)
    return sum(
        waiting.filter(attempts=attempts, next_attempt_at__gt=now + wait + MARGIN).update(next_attempt_at=now)
        for attempts, wait in enumerate(processor.BACKOFF.steps, start=1)
    )


def _release_deliveries(now: datetime) -> int:
    """Release deliveries that wait for nothing, and those that wait too long for their receiver or whose lease is too
    long."""
    pending = Delivery.objects.filter(status=DeliveryStatus.PENDING, batch="")
    late = pending.filter(next_attempt_at__gt=now + MAX_CLOCK_SKEW)
    return (
        late.filter(hold="", attempts=0).update(next_attempt_at=now)
        + late.filter(hold__in=rate_limit.HOLDS, next_attempt_at__gt=now + rate_limit.MAX_OPEN_TIME + MARGIN)
        .exclude(hold=Hold.RATE, channel__rate_per_second__lt=1)
        .update(next_attempt_at=now)
        + pending.filter(leased_until__gt=now + claim.LEASE + MARGIN).update(leased_until=None, next_attempt_at=now)
    )
