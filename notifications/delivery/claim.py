"""Taking due Deliveries: a lease, and the attempt counted before the work."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.core.connections import undone_after_outage
from accounts.core.jobs import CRASHED
from notifications.delivery import rate_limit
from notifications.delivery.concurrency import ConcurrencyLimits, Receiver
from notifications.delivery.messages import load, withdraw
from notifications.message import MAIL_KEY, PreparedDelivery
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus, Hold
from notifications.policy.backoff import BACKOFF

LEASE = timedelta(seconds=60)
BACKLOG = 500
NEAR = timedelta(seconds=1.5)
ROUNDS = 8  # a round takes from the oldest; what it finds in full lanes, the next one skips
ANYBODY = Receiver(MAIL_KEY, failing=False, guarded=False)  # bare addresses


def is_due() -> bool:
    return _due(timezone.now()).exists()


def turn_is_near() -> bool:
    """Whether something that waits for its channel's rate is due in a moment: a new run would come late for it."""
    soon = Delivery.objects.filter(
        status=DeliveryStatus.PENDING,
        hold__in=rate_limit.HOLDS,
        next_attempt_at__lte=timezone.now() + NEAR,
    )
    return soon.exists()


def claim(limits: ConcurrencyLimits) -> list[PreparedDelivery]:
    """Lease what is due and fits into the lanes. Somebody else's leases are left alone until they end (60 s)."""
    now = timezone.now()
    limits.apart.clear()
    if limits.room <= 0 or not _due(now, limits).exists():
        return []
    taken: dict[str, datetime | None] = {}
    with undone_after_outage(partial(_release, now + LEASE)), limits.restored_after_failure():
        for _ in range(ROUNDS):
            more, skipped = _claim_round(now, limits)
            taken |= more
            if not skipped or limits.room <= 0:
                break
        return load(taken, limits)


def _release(until: datetime) -> None:
    """Give back what was claimed with this lease and never sent. The attempt does not count."""
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
    full = limits.full()
    if MAIL_KEY in full:
        due = due.filter(channel_id__in=Channel.objects.exclude(kind=ChannelKind.EMAIL).values("pk"))
    if limits.closing:
        due = due.exclude(channel_id__in=Channel.objects.filter(consecutive_failures__gt=0).values("pk"))
    return due.exclude(
        channel_id__in=[receiver_key for receiver_key in full if receiver_key != MAIL_KEY] + sorted(limits.apart)
    )


@transaction.atomic
def _claim_round(now: datetime, limits: ConcurrencyLimits) -> tuple[dict[str, datetime | None], bool]:
    """The ids taken, when to send those whose rate is limited, and whether there was more that did not fit."""
    rows = list(
        _due(now, limits).select_for_update(skip_locked=True).only("channel_id", "attempts", "hold")[: limits.room]
    )
    receivers = _receivers({row.channel_id for row in rows if row.channel_id})
    guarded = {pk for pk, receiver in receivers.items() if receiver.guarded}
    gates = rate_limit.lock(guarded, now)
    limits.apart |= guarded - gates.keys()
    withdrawn = withdraw(row for row in rows if row.channel_id in gates)
    spent: list[str] = []
    taken: dict[str, datetime | None] = {}
    waiting: list[Delivery] = []
    for row in rows:
        its_gate = gates.get(row.channel_id or "")
        if row.pk in withdrawn:
            continue
        if not BACKOFF.allows(row.attempts + 1):
            spent.append(row.pk)
        elif its_gate and not its_gate.is_open():
            waiting.append(its_gate.put_off(row))
        elif row.channel_id not in limits.apart and limits.enter(
            receivers[row.channel_id] if row.channel_id else ANYBODY
        ):
            taken[row.pk] = its_gate.pass_one() if its_gate else None
    Delivery.objects.filter(Q(pk__in=spent) | Q(carrier_id__in=spent)).update(
        status=DeliveryStatus.FAILED, error=CRASHED, next_attempt_at=None, leased_until=None
    )
    Delivery.objects.filter(pk__in=taken).update(attempts=F("attempts") + 1, leased_until=now + LEASE)
    Delivery.objects.filter(pk__in=taken).exclude(hold="").update(hold="")
    Delivery.objects.bulk_update(waiting, ["next_attempt_at", "hold"])
    for its_gate in gates.values():
        rate_limit.remember(its_gate)
    closed = {row.channel_id for row in waiting if row.channel_id}
    for pk in closed:
        if gates[pk].resting:
            _put_off_more(pk, gates[pk].opens_at(), now)
    limits.apart |= closed
    return taken, len(rows) > len(withdrawn) + len(spent) + len(taken)


def _put_off_more(channel_id: str, until: datetime, now: datetime) -> None:
    """The next of what a resting receiver was to get: a backlog must not be read past again and again."""
    more = _due(now).filter(channel_id=channel_id).select_for_update(skip_locked=True)
    Delivery.objects.filter(pk__in=more.values("pk")[:BACKLOG]).update(next_attempt_at=until, hold=Hold.REST)


def _receivers(channel_ids: set[str]) -> dict[str, Receiver]:
    rows = Channel.objects.filter(pk__in=channel_ids).values_list(
        "pk", "kind", "rate_per_second", "consecutive_failures"
    )
    return {
        pk: Receiver(
            MAIL_KEY if kind == ChannelKind.EMAIL else pk,
            failing=failures > 0,
            guarded=rate_limit.is_guarded(kind, rate, failures),
        )
        for pk, kind, rate, failures in rows
    }
