"""Say why channels do not deliver, and what waits for them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from accounts.core.sentences import in_readers_language
from accounts.web.portal.navigation import MAX_COUNT
from notifications.models import STUCK, Channel, ChannelStatus, Delivery, DeliveryStatus


@dataclass(frozen=True, slots=True)
class Failure:
    """Hold what a failing channel's card shows: the last error, the failed attempts in a row, the next attempt, and how
    many deliveries wait (`99+` beyond that)."""

    status_code: int | None
    text: str
    attempts: int
    next_at: datetime | None
    waiting: str


def failures_of(channels: Iterable[Channel]) -> dict[str, Failure]:
    """Return what is wrong with those channels that fail, by their ids, in two queries."""
    failing = {
        channel.pk: channel
        for channel in channels
        if channel.status == ChannelStatus.ENABLED and channel.consecutive_failures
    }
    if not failing:
        return {}
    stuck = Delivery.objects.filter(STUCK)
    nth = stuck.filter(channel=OuterRef("pk")).order_by("next_attempt_at").values("next_attempt_at")
    ends = Channel.objects.filter(pk__in=failing).annotate(
        first=Subquery(nth[:1]), beyond=Subquery(nth[MAX_COUNT : MAX_COUNT + 1])
    )
    next_times = {pk: (first, beyond) for pk, first, beyond in ends.values_list("pk", "first", "beyond")}
    few = [pk for pk, (_, beyond) in next_times.items() if beyond is None]
    counts = dict(stuck.filter(channel__in=few).values_list("channel").annotate(number=Count("pk")))
    return {
        pk: Failure(
            status_code=channel.last_status_code,
            text=(channel.last_excerpt if channel.last_status_code else "")
            or in_readers_language(channel.last_error_sentence, channel.last_error),
            attempts=channel.consecutive_failures,
            next_at=_next_attempt(channel, next_times[pk][0]),
            waiting=str(counts.get(pk, 0)) if pk in few else f"{MAX_COUNT}+",
        )
        for pk, channel in failing.items()
    }


def last_deliveries(channels: Iterable[Channel]) -> dict[str, datetime]:
    """Return when the last message was delivered to those channels that do not fail, by their ids."""
    healthy = [channel.pk for channel in channels if not channel.failing_since]
    delivered = Delivery.objects.filter(channel=OuterRef("pk"), status=DeliveryStatus.DELIVERED).order_by("-id")
    rows = Channel.objects.filter(pk__in=healthy).annotate(at=Subquery(delivered.values("delivered_at")[:1]))
    return dict(rows.filter(at__isnull=False).values_list("pk", "at"))


def _next_attempt(channel: Channel, first: datetime | None) -> datetime | None:
    """Return when the next attempt is made: not before the circuit breaker lets one through."""
    if first is None:
        return None
    return max(first, channel.circuit_open_until or first, timezone.now())
