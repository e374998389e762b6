"""When a channel may be sent to: not faster than its rate, and after many failures in a row only to look whether it
is back.

Its state stands in the channel's row, so that all workers together keep to it. A Delivery that has to wait is put off:
that uses up no attempt, and its `hold` says why.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from notifications.models import Channel, ChannelKind, Delivery, DeliveryStatus, Hold

SLACK_RATE = 1.0  # messages a second to one incoming webhook (https://docs.slack.dev/apis/web-api/rate-limits)
MAX_RESERVATION = timedelta(milliseconds=200)  # a place in time is given away at most so long before
FAILURES_TO_REST = 10
SHORTEST_REST, MAX_REST = timedelta(seconds=30), timedelta(minutes=5)
MAX_CLOCK_SKEW = timedelta(seconds=5)  # between hosts
HOLDS = (Hold.RATE, Hold.REST)
PROBE = timedelta(seconds=60)  # how long others leave a resting receiver to who looks after it: a lease


@dataclass(slots=True)
class ChannelRateLimit:
    """One channel's, locked by the transaction that made it."""

    channel: Channel
    now: datetime
    waiting: int = 0

    @property
    def spacing(self) -> timedelta:
        """Between two messages that the channel takes; nothing: as many as come."""
        rate = SLACK_RATE if self.channel.kind == ChannelKind.SLACK else self.channel.rate_per_second
        return timedelta(seconds=1 / rate if rate else 0)

    @property
    def resting(self) -> bool:
        return self.channel.consecutive_failures >= FAILURES_TO_REST

    def opens_at(self) -> datetime:
        """When the next request may be made; not later than `MAX_RESERVATION` from now: take it along."""
        paced = self._ahead(self.channel.throttled_until, MAX_RESERVATION + self.spacing)
        return max(self.now, paced, self._ahead(self.channel.circuit_open_until, MAX_REST))

    def _ahead(self, until: datetime | None, longest: timedelta) -> datetime:
        """`until`, unless it is none or lies further ahead than we wait: then the clock was set back since."""
        return self.now if until is None or until > self.now + longest + MAX_CLOCK_SKEW else until

    def is_open(self) -> bool:
        return self.opens_at() <= self.now + (timedelta() if self.resting else MAX_RESERVATION)

    def pass_one(self) -> datetime:
        """Let one request through; when it is to be made."""
        at = self.opens_at()
        self.channel.throttled_until = at + self.spacing
        if self.resting:
            self.channel.circuit_open_until = self.now + PROBE
        return at

    def put_off(self, delivery: Delivery) -> Delivery:
        """Let it wait, each that is paced a place further back."""
        delivery.next_attempt_at = self.opens_at() + self.spacing * self.waiting
        delivery.hold = Hold.REST if self.resting else Hold.RATE
        self.waiting += not self.resting
        return delivery


def is_guarded(kind: str, rate_per_second: float | None, consecutive_failures: int) -> bool:
    return kind == ChannelKind.SLACK or rate_per_second is not None or consecutive_failures >= FAILURES_TO_REST


def lock(channel_ids: Set[str], now: datetime) -> dict[str, ChannelRateLimit]:
    """The gates of those channels that nobody else works on at this moment."""
    if not channel_ids:
        return {}
    channels = (
        Channel.objects.filter(pk__in=channel_ids)
        .only("kind", "rate_per_second", "consecutive_failures", "throttled_until", "circuit_open_until")
        .select_for_update(skip_locked=True, no_key=True)
    )
    return {channel.pk: ChannelRateLimit(channel, now) for channel in channels}


def remember(rate_limit: ChannelRateLimit) -> None:
    Channel.objects.filter(pk=rate_limit.channel.pk).update(
        throttled_until=rate_limit.channel.throttled_until, circuit_open_until=rate_limit.channel.circuit_open_until
    )


def rest(channel: Channel, ended_at: datetime) -> None:
    """After a failure: from the tenth in a row on, leave the receiver alone for a while, longer the longer it lasts."""
    if channel.consecutive_failures >= FAILURES_TO_REST:
        failing_for = ended_at - (channel.failing_since or ended_at)
        channel.circuit_open_until = ended_at + min(max(failing_for / 4, SHORTEST_REST), MAX_REST)


def wake(channel: Channel) -> None:
    """It takes deliveries again, or somebody says so: what waited is due now."""
    if channel.circuit_open_until is None:
        return
    channel.circuit_open_until = None
    channel.save(update_fields=["circuit_open_until"])
    waiting = channel.deliveries.filter(status=DeliveryStatus.PENDING, hold__in=HOLDS, leased_until__isnull=True)
    waiting.update(next_attempt_at=timezone.now(), hold="")
