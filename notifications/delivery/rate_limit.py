"""Limit a channel's rate, and stop sending to a channel that failed many times in a row (circuit breaker).

The channel's row holds the state, which all workers share. A delivery that has to wait is put off: it uses up no
attempt, and `hold` gives the reason.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.core.jobs import MAX_CLOCK_SKEW
from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus, Hold

SLACK_RATE = 1.0  # messages a second to one incoming webhook (https://docs.slack.dev/apis/web-api/rate-limits)
MAX_RESERVATION = timedelta(milliseconds=200)  # a send may be reserved at most so far ahead
FAILURES_TO_OPEN = 10
MIN_OPEN_TIME, MAX_OPEN_TIME = timedelta(seconds=30), timedelta(minutes=5)
HOLDS = (Hold.RATE, Hold.REST)
HALF_OPEN_LEASE = timedelta(seconds=60)  # for the one trial request while the circuit breaker is half-open


@dataclass(slots=True)
class ChannelRateLimit:
    """Decide when a channel may be sent to. The transaction that makes the object locks the channel."""

    channel: Channel
    now: datetime
    waiting: int = 0

    @property
    def interval(self) -> timedelta:
        """Return the time between two messages that the channel takes; zero without a limit."""
        rate = SLACK_RATE if self.channel.kind == ChannelKind.SLACK else self.channel.rate_per_second
        return timedelta(seconds=1 / rate if rate else 0)

    @property
    def is_tripped(self) -> bool:
        """Return whether the circuit breaker is open or half-open."""
        return self.channel.consecutive_failures >= FAILURES_TO_OPEN

    def next_send_at(self) -> datetime:
        """Return when the next request may be made."""
        paced = self._plausible(self.channel.throttled_until, MAX_RESERVATION + self.interval)
        return max(self.now, paced, self._plausible(self.channel.circuit_open_until, MAX_OPEN_TIME))

    def _plausible(self, until: datetime | None, max_wait: timedelta) -> datetime:
        """Return `until`, or now if it is None or so far ahead that the clock was set back since."""
        return self.now if until is None or until > self.now + max_wait + MAX_CLOCK_SKEW else until

    def may_send(self) -> bool:
        """Return whether a request may be made now or within MAX_RESERVATION."""
        return self.next_send_at() <= self.now + (timedelta() if self.is_tripped else MAX_RESERVATION)

    def reserve_send(self) -> datetime:
        """Reserve one request and return when to make it."""
        at = self.next_send_at()
        self.channel.throttled_until = at + self.interval
        if self.is_tripped:
            self.channel.circuit_open_until = self.now + HALF_OPEN_LEASE
        return at

    def put_off(self, delivery: Delivery) -> Delivery:
        """Put a delivery off. Rate-limited deliveries queue up one interval after the other."""
        delivery.next_attempt_at = self.next_send_at() + self.interval * self.waiting
        delivery.hold = Hold.REST if self.is_tripped else Hold.RATE
        self.waiting += not self.is_tripped
        return delivery


def is_rate_limited(kind: str, rate_per_second: float | None, consecutive_failures: int) -> bool:
    return kind == ChannelKind.SLACK or rate_per_second is not None or consecutive_failures >= FAILURES_TO_OPEN


def lock_rate_limits(channel_ids: Set[str], now: datetime) -> dict[str, ChannelRateLimit]:
    """Lock and return the rate limits of those channels that no other worker holds."""
    if not channel_ids:
        return {}
    channels = (
        Channel.objects.filter(pk__in=channel_ids)
        .only("kind", "rate_per_second", "consecutive_failures", "throttled_until", "circuit_open_until")
        .select_for_update(skip_locked=True, no_key=True)
    )
    return {channel.pk: ChannelRateLimit(channel, now) for channel in channels}


def save_rate_limit(rate_limit: ChannelRateLimit) -> None:
    Channel.objects.filter(pk=rate_limit.channel.pk).update(
        throttled_until=rate_limit.channel.throttled_until, circuit_open_until=rate_limit.channel.circuit_open_until
    )


def open_circuit(channel: Channel, ended_at: datetime) -> None:
    """Open the circuit breaker from the tenth failure in a row on, for longer the longer the failures last."""
    if channel.consecutive_failures >= FAILURES_TO_OPEN:
        failing_for = ended_at - (channel.failing_since or ended_at)
        channel.circuit_open_until = ended_at + min(max(failing_for / 4, MIN_OPEN_TIME), MAX_OPEN_TIME)


def close_circuit(channel: Channel) -> None:
    """Close the circuit breaker and make the deliveries that waited for the channel due now."""
    if channel.circuit_open_until is None:
        return
    channel.circuit_open_until = None
    channel.save(update_fields=["circuit_open_until"])
    waiting = channel.deliveries.filter(status=DeliveryStatus.PENDING, hold__in=HOLDS, leased_until__isnull=True)
    waiting.update(next_attempt_at=timezone.now(), hold="")
