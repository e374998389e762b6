"""A channel's health: what a row of failures leads to, and who is told."""

from django.db import transaction
from django.utils import timezone

from accounts.core.email_addresses import email_key
from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Event
from notifications.delivery import rate_limit
from notifications.delivery.sender import Result
from notifications.models import FAILURES_TIMEOUT, Channel, ChannelKind, ChannelStatus, DeliveryStatus
from notifications.transports.base import TransportError

FAILURES_TO_TELL = 4
WARNINGS = (0.75, 0.5)  # of FAILURES_TIMEOUT, latest first
UNSUBSCRIBED = "The recipient unsubscribed."
COMPLAINED = "The recipient reported our mail as unwanted."
CAME_BACK = "Mail to this address came back"
GIVEN_UP = "Nothing but failures for five days."


def note(channel: Channel, result: Result) -> None:
    """Take one settled attempt into account. The channel is locked, its agency loaded."""
    error = result.outcome
    if not isinstance(error, TransportError):
        if channel.consecutive_failures >= FAILURES_TO_TELL:
            tell(channel, EventType.CHANNEL_RECOVERED)
        channel.consecutive_failures, channel.failing_since = 0, None
        rate_limit.wake(channel)
    elif error.ours:
        return
    else:
        channel.consecutive_failures += 1
        channel.failing_since = channel.failing_since or result.at
        rate_limit.rest(channel, result.ended_at)
        if channel.consecutive_failures == FAILURES_TO_TELL:
            tell(channel, EventType.CHANNEL_FAILING)
        if error.gone:
            switch_off(channel, error.gone)
    channel.save(update_fields=["consecutive_failures", "failing_since", "circuit_open_until"])


def watch() -> None:
    """Warn of channels that have failed for long, and switch off those whose time is over."""
    now = timezone.now()
    failing = Channel.objects.filter(
        status=ChannelStatus.ENABLED, failing_since__lte=now - FAILURES_TIMEOUT * min(WARNINGS)
    ).values_list("pk", flat=True)
    for pk in list(failing):
        with transaction.atomic():
            channel = (
                Channel.objects.select_related("agency")
                .defer("url", "headers")
                .select_for_update(of=("self",), no_key=True)
                .get(pk=pk)
            )
            if channel.status == ChannelStatus.ENABLED and channel.failing_since:
                _watch_one(channel, (now - channel.failing_since) / FAILURES_TIMEOUT)


def switch_off(channel: Channel, reason: str) -> None:
    """Disable an enabled channel at once. What was due is cancelled, and kept for a replay."""
    if channel.status != ChannelStatus.ENABLED:
        return
    channel.status, channel.disabled_reason = ChannelStatus.DISABLED, reason
    channel.save(update_fields=["status", "disabled_reason", "updated_at"])
    channel.deliveries.filter(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.CANCELLED,
        next_attempt_at=None,
        leased_until=None,
        hold="",
        error=f"The channel was off: {reason}"[:500],
    )
    tell(channel, EventType.CHANNEL_DISABLED)


def lose(channel: Channel, reason: str) -> None:
    """The address of an e-mail channel, confirmed or not, does not work or wants no mail: only its owner can undo it.

    The channel is locked, its agency loaded. The agency hears of it unless its owner chose so.
    """
    was_on = channel.status == ChannelStatus.ENABLED
    switch_off(channel, reason)
    channel.status, channel.disabled_reason = ChannelStatus.DISABLED, reason
    channel.save(update_fields=["status", "disabled_reason", "updated_at"])
    if was_on and reason != UNSUBSCRIBED:
        _warn(channel, EventType.CHANNEL_DISABLED)


def is_lost(channel: Channel) -> bool:
    """Whether its address has to be confirmed (again) before it gets anything."""
    return channel.status == ChannelStatus.UNVERIFIED or channel.disabled_reason.startswith(
        (UNSUBSCRIBED, COMPLAINED, CAME_BACK)
    )


def tell(channel: Channel, event_type: EventType, *, recipient: str = "") -> Event:
    """Record an event about the channel itself: for everybody who listens, or for one address."""
    return record_event(
        channel.agency,
        event_type,
        subject=channel.pk,
        recipient=recipient,
        channel_id=channel.pk,
        channel_name=channel.name,
    )


def _watch_one(channel: Channel, elapsed: float) -> None:
    assert channel.failing_since is not None  # noqa: S101 (asked by the caller)
    if elapsed >= 1:
        switch_off(channel, GIVEN_UP)
        _warn(channel, EventType.CHANNEL_DISABLED)
        return
    reached = next(share for share in WARNINGS if elapsed >= share)
    warned = Event.objects.filter(
        subject=channel.pk,
        event_type=EventType.CHANNEL_FAILING,
        occurred_at__gte=channel.failing_since + FAILURES_TIMEOUT * reached,
    )
    if not warned.exclude(recipient="").exists():
        _warn(channel, EventType.CHANNEL_FAILING)


def _warn(channel: Channel, event_type: EventType) -> None:
    """Write to the agency's e-mail channels, whatever they listen to, or to its members if it has none."""
    mail = Channel.objects.filter(agency=channel.agency, kind=ChannelKind.EMAIL, status=ChannelStatus.ENABLED)
    listening = list(mail.exclude(pk=channel.pk).defer("url", "headers"))
    if event_type == EventType.CHANNEL_DISABLED:  # those who listen hear of that anyway
        addresses = [
            other.email
            for other in listening
            if other.locations or (other.event_types and event_type not in other.event_types)
        ]
    else:
        addresses = [other.email for other in listening]
    if not listening:
        addresses = list(channel.agency.members.exclude(user__email="").values_list("user__email", flat=True))
    for address in dict.fromkeys(addresses):
        if email_key(address) != email_key(channel.email):
            tell(channel, event_type, recipient=address)
