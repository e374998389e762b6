"""Track the health of channels: count failures, record events about them, disable channels that fail for too long."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.email_addresses import email_key
from accounts.core.enums import EventType
from accounts.core.sentences import stored
from accounts.core.text import shorten
from accounts.core.wording import several
from accounts.events.outbox import record_event
from accounts.models import Event
from notifications.delivery import rate_limit
from notifications.delivery.sender import DeliveryResult
from notifications.models import (
    FAILURES_TIMEOUT,
    MAX_EXCERPT_LENGTH,
    Channel,
    ChannelKind,
    ChannelStatus,
    DeliveryStatus,
    error_fields,
)
from notifications.sentences import CHANNEL_WAS_OFF
from notifications.transports.base import TransportError

FAILURES_BEFORE_EVENT = 4
HEALTH_FIELDS = (
    *("consecutive_failures", "failing_since", "last_error", "last_error_sentence", "last_status_code"),
    "last_excerpt",
)
WARNING_SHARES = (0.75, 0.5)  # of FAILURES_TIMEOUT, the later first
UNSUBSCRIBED = gettext_noop("The recipient unsubscribed.")
COMPLAINED = gettext_noop("The recipient reported our mail as unwanted.")
BOUNCED = gettext_noop("Mail to this address came back.")
FAILED_TOO_LONG = gettext_noop("Nothing but failures for five days.")


def record_result(channel: Channel, result: DeliveryResult, *, is_erased: bool = False) -> None:
    """Update the health of a locked channel (with its agency loaded) after an attempt.

    The response is not kept if the lead that the event is about `is_erased`: it may name the person.
    """
    error = result.outcome
    if not isinstance(error, TransportError):
        if channel.consecutive_failures >= FAILURES_BEFORE_EVENT:
            record_channel_event(channel, EventType.CHANNEL_RECOVERED)
        channel.consecutive_failures, channel.failing_since = 0, None
        set_last_error(channel, "", None)
        channel.last_excerpt = ""
        rate_limit.close_circuit(channel)
    elif error.ours:
        return
    else:
        channel.consecutive_failures += 1
        channel.failing_since = channel.failing_since or result.at
        set_last_error(channel, error.message, error.status_code)
        channel.last_excerpt = "" if is_erased else shorten(" ".join(error.excerpt.split()), MAX_EXCERPT_LENGTH)
        rate_limit.open_circuit(channel, result.ended_at)
        if channel.consecutive_failures == FAILURES_BEFORE_EVENT:
            record_channel_event(channel, EventType.CHANNEL_FAILING)
        if error.gone:
            mark_disabled(channel, error.gone)
    channel.save(update_fields=[*HEALTH_FIELDS, "circuit_open_until"])


def check_failing_channels() -> None:
    """Warn about channels that have failed for long, and disable those past FAILURES_TIMEOUT."""
    now = timezone.now()
    failing = Channel.objects.filter(
        status=ChannelStatus.ENABLED, failing_since__lte=now - FAILURES_TIMEOUT * min(WARNING_SHARES)
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
                _warn_or_disable(channel, (now - channel.failing_since) / FAILURES_TIMEOUT)


def mark_disabled(channel: Channel, reason: str) -> None:
    """Disable an enabled channel. Cancel its pending deliveries, which a replay can send later."""
    if channel.status != ChannelStatus.ENABLED:
        return
    set_disabled(channel, reason)
    channel.deliveries.filter(status=DeliveryStatus.PENDING).update(
        status=DeliveryStatus.CANCELLED,
        next_attempt_at=None,
        leased_until=None,
        hold="",
        **error_fields(CHANNEL_WAS_OFF(reason=several(reason))),
    )
    record_channel_event(channel, EventType.CHANNEL_DISABLED)


def disable_and_warn(channel: Channel, reason: str) -> None:
    """Disable a channel, locked and with its agency loaded, for a reason that its agency has to hear of."""
    mark_disabled(channel, reason)
    _warn_agency(channel, EventType.CHANNEL_DISABLED)


def disable_address(channel: Channel, reason: str) -> None:
    """Disable an e-mail channel whose address does not work or wants no mail. Only its owner can enable it.

    The channel is locked, its agency loaded. The agency is warned unless the owner unsubscribed.
    """
    was_on = channel.status == ChannelStatus.ENABLED
    mark_disabled(channel, reason)
    set_disabled(channel, reason)
    if was_on and reason != UNSUBSCRIBED:
        _warn_agency(channel, EventType.CHANNEL_DISABLED)


def needs_confirmation(channel: Channel) -> bool:
    """Return whether the channel's address must be confirmed (again) before it gets mail."""
    return channel.status == ChannelStatus.UNVERIFIED or channel.disabled_reason.startswith(
        (UNSUBSCRIBED, COMPLAINED, BOUNCED.removesuffix("."))
    )


def record_channel_event(channel: Channel, event_type: EventType, *, recipient: str = "") -> Event:
    """Record an event about the channel, for all interested channels or for one address."""
    return record_event(
        channel.agency,
        event_type,
        subject=channel.pk,
        recipient=recipient,
        channel_id=channel.pk,
        channel_name=channel.name,
    )


def set_disabled(channel: Channel, reason: str) -> None:
    channel.status, channel.disabled_reason = ChannelStatus.DISABLED, reason
    channel.disabled_reason_sentence = stored(reason)
    channel.save(update_fields=["status", "disabled_reason", "disabled_reason_sentence", "updated_at"])


def set_last_error(channel: Channel, text: str, status_code: int | None) -> None:
    """Set what the last attempt failed with, unsaved."""
    channel.last_error, channel.last_error_sentence = text[:500], stored(text)
    channel.last_status_code = status_code


def _warn_or_disable(channel: Channel, elapsed: float) -> None:
    assert channel.failing_since is not None  # noqa: S101 (the caller checks it)
    if elapsed >= 1:
        disable_and_warn(channel, FAILED_TOO_LONG)
        return
    reached = next(share for share in WARNING_SHARES if elapsed >= share)
    warned = Event.objects.filter(
        subject=channel.pk,
        event_type=EventType.CHANNEL_FAILING,
        occurred_at__gte=channel.failing_since + FAILURES_TIMEOUT * reached,
    )
    if not warned.exclude(recipient="").exists():
        _warn_agency(channel, EventType.CHANNEL_FAILING)


def _warn_agency(channel: Channel, event_type: EventType) -> None:
    """Mail the agency's e-mail channels whatever they listen to, or its members if it has no such channel."""
    mail = Channel.objects.filter(agency=channel.agency, kind=ChannelKind.EMAIL, status=ChannelStatus.ENABLED)
    listening = list(mail.exclude(pk=channel.pk).defer("url", "headers"))
    if event_type == EventType.CHANNEL_DISABLED:  # interested channels get this event anyway
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
            record_channel_event(channel, event_type, recipient=address)
