"""Claim due deliveries: lease them, and count the attempt before the work."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.core.connections import undone_after_outage
from accounts.core.jobs import CRASHED
from notifications.delivery import rate_limit
from notifications.delivery.concurrency import ConcurrencyLimits, Receiver
from notifications.delivery.messages import cancel_obsolete, prepare_deliveries
from notifications.message import MAIL_KEY, PreparedDelivery
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus, Hold, error_fields
from notifications.policy.backoff import BACKOFF

LEASE = timedelta(seconds=60)
MAX_PUT_OFF = 500
SOON = timedelta(seconds=1.5)
MAX_ROUNDS = 8  # each round claims the oldest, and skips receivers that earlier rounds found full
DIRECT_MAIL = Receiver(MAIL_KEY, is_failing=False, is_rate_limited=False)  # mail to an address without a channel


def has_due_deliveries() -> bool:
    return _due(timezone.now()).exists()


def has_delivery_due_soon() -> bool:
    """Return whether a rate-limited delivery is due so soon that a new run would be late for it."""
    soon = Delivery.objects.filter(
        status=DeliveryStatus.PENDING,
        hold__in=rate_limit.HOLDS,
        next_attempt_at__lte=timezone.now() + SOON,
    )
    return soon.exists()


def claim_due_deliveries(limits: ConcurrencyLimits) -> list[PreparedDelivery]:
    """Lease and return due deliveries within the concurrency limits. Leases of other workers last 60 s."""
    now = timezone.now()
    limits.skipped_channels.clear()
    if limits.free_slots <= 0 or not _due(now, limits).exists():
        return []
    claimed: dict[str, datetime | None] = {}
    with undone_after_outage(partial(_release_claimed, now + LEASE)), limits.restored_after_failure():
        for _ in range(MAX_ROUNDS):
            more, skipped = _claim_round(now, limits)
            claimed |= more
            if not skipped or limits.free_slots <= 0:
                break
        return prepare_deliveries(claimed, limits)


def _release_claimed(until: datetime) -> None:
    """Release deliveries claimed with this lease and never sent. The attempt does not count."""
    claimed = Delivery.objects.filter(status=DeliveryStatus.PENDING, leased_until=until)
    claimed.update(attempts=F("attempts") - 1, leased_until=None)


def _due(now: datetime, limits: ConcurrencyLimits | None = None) -> QuerySet[Delivery]:
    due = Delivery.objects.filter(
        Q(leased_until__isnull=True) | Q(leased_until__lte=now),
        status=DeliveryStatus.PENDING,
        batch="",
        next_attempt_at__lte=now,
    ).order_by("next_attempt_at", "pk")
    if limits is None:
        return due
    full_receivers = limits.full_receivers()
    if MAIL_KEY in full_receivers:
        due = due.filter(channel_id__in=Channel.objects.exclude(kind=ChannelKind.EMAIL).values("pk"))
    if limits.closing:
        due = due.exclude(channel_id__in=Channel.objects.filter(consecutive_failures__gt=0).values("pk"))
    return due.exclude(
        channel_id__in=[receiver_key for receiver_key in full_receivers if receiver_key != MAIL_KEY]
        + sorted(limits.skipped_channels)
    )


@transaction.atomic
def _claim_round(now: datetime, limits: ConcurrencyLimits) -> tuple[dict[str, datetime | None], bool]:
    """Return the claimed ids with the send time of rate-limited ones, and whether more was due that did not fit."""
    rows = list(
        _due(now, limits)
        .select_for_update(skip_locked=True)
        .only("channel_id", "attempts", "hold")[: limits.free_slots]
    )
    receivers = _load_receivers({row.channel_id for row in rows if row.channel_id})
    limited_ids = {pk for pk, receiver in receivers.items() if receiver.is_rate_limited}
    rate_limits = rate_limit.lock_rate_limits(limited_ids, now)
    limits.skipped_channels |= limited_ids - rate_limits.keys()
    cancelled = cancel_obsolete(row for row in rows if row.channel_id in rate_limits)
    exhausted: list[str] = []
    claimed: dict[str, datetime | None] = {}
    waiting: list[Delivery] = []
    for row in rows:
        channel_limit = rate_limits.get(row.channel_id or "")
        if row.pk in cancelled:
            continue
        if not BACKOFF.allows(row.attempts + 1):
            exhausted.append(row.pk)
        elif channel_limit and not channel_limit.may_send():
            waiting.append(channel_limit.put_off(row))
        elif row.channel_id not in limits.skipped_channels and limits.try_acquire(
            receivers[row.channel_id] if row.channel_id else DIRECT_MAIL
        ):
            claimed[row.pk] = channel_limit.reserve_send() if channel_limit else None
    Delivery.objects.filter(Q(pk__in=exhausted) | Q(carrier_id__in=exhausted)).update(
        status=DeliveryStatus.FAILED, next_attempt_at=None, leased_until=None, **error_fields(CRASHED)
    )
    Delivery.objects.filter(pk__in=claimed).update(attempts=F("attempts") + 1, leased_until=now + LEASE)
    Delivery.objects.filter(pk__in=claimed).exclude(hold="").update(hold="")
    Delivery.objects.bulk_update(waiting, ["next_attempt_at", "hold"])
    for channel_limit in rate_limits.values():
        rate_limit.save_rate_limit(channel_limit)
    put_off_channels = {row.channel_id for row in waiting if row.channel_id}
    for pk in put_off_channels:
        if rate_limits[pk].is_tripped:
            _put_off_backlog(pk, rate_limits[pk].next_send_at(), now)
    limits.skipped_channels |= put_off_channels
    return claimed, len(rows) > len(cancelled) + len(exhausted) + len(claimed)


def _put_off_backlog(channel_id: str, until: datetime, now: datetime) -> None:
    """Put off a channel's next due deliveries too while its circuit breaker is open.

    Otherwise every claim would read past its backlog.
    """
    more = _due(now).filter(channel_id=channel_id).select_for_update(skip_locked=True)
    Delivery.objects.filter(pk__in=more.values("pk")[:MAX_PUT_OFF]).update(next_attempt_at=until, hold=Hold.REST)


def _load_receivers(channel_ids: set[str]) -> dict[str, Receiver]:
    rows = Channel.objects.filter(pk__in=channel_ids).values_list(
        "pk", "kind", "rate_per_second", "consecutive_failures"
    )
    return {
        pk: Receiver(
            MAIL_KEY if kind == ChannelKind.EMAIL else pk,
            is_failing=failures > 0,
            is_rate_limited=rate_limit.is_rate_limited(kind, rate, failures),
        )
        for pk, kind, rate, failures in rows
    }
