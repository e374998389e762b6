"""Create, change, confirm, test, enable and disable channels."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone as clock
from django.utils.translation import gettext, gettext_noop

from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.core.errors import FieldError, StateError
from accounts.core.ids import new_token
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from accounts.models.source import secret_overlap
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from accounts.tenancy.mail_limits import count_mail
from leads.conditions.target_lists import compile_for
from notifications.channels.fields import FIELDS, TIMING_FIELDS, validated_fields, validated_kind
from notifications.content.catalogue import CATALOGUE
from notifications.delivery.channel_health import (
    UNSUBSCRIBED,
    disable_address,
    mark_disabled,
    needs_confirmation,
    set_last_error,
)
from notifications.delivery.digest import reschedule_waiting
from notifications.delivery.rate_limit import close_circuit
from notifications.egress.signing import new_secret
from notifications.models import Channel, ChannelKind, ChannelStatus

__all__ = [
    "create_channel",
    "delete_channel",
    "disable_channel",
    "enable_channel",
    "find_by_unsubscribe_token",
    "find_by_verification_token",
    "lock_enabled_channel",
    "rotate_secret",
    "send_test_event",
    "unsubscribe_address",
    "update_channel",
    "verify_address",
]

DISABLED_BY_HAND = gettext_noop("Switched off by hand.")
CONFIRMATION_INTERVAL = timedelta(minutes=5)
#: The event types of which a test may send an example.
EXAMPLES = tuple(name for name in AGENCY_EVENTS if name != EventType.CHANNEL_VERIFICATION)


@transaction.atomic
def create_channel(
    agency: Agency, *, kind: str, verified: bool = False, by: Actor | None = None, **values: Any
) -> tuple[Channel, str | None]:
    """Create a channel from `values` (`fields.FIELDS`). Return it with the webhook's secret, which is shown only here.

    An e-mail channel gets only a request for confirmation until its owner confirms, unless it is `verified` already.
    Raises FieldError.
    """
    of_kind = validated_kind(kind)
    given = {name: values.pop(name, field.default) for name, field in FIELDS.items()}
    fields = validated_fields(of_kind, {**given, **values})
    compile_for(agency, fields["conditions"])
    channel = Channel.objects.create(agency=agency, kind=of_kind, **fields)
    audit.log_creation(by, channel, "Created")
    if of_kind is ChannelKind.EMAIL and not verified:
        _request_confirmation(channel)
    if of_kind is not ChannelKind.WEBHOOK:
        return channel, None
    secret = new_secret()
    channel.secrets.create(secret=secret)
    return channel, secret


@transaction.atomic
def update_channel(channel: Channel, *, by: Actor | None = None, **changes: Any) -> Channel:
    """Change fields. `status` may be `enabled` or `disabled`. A new e-mail address must be confirmed.

    Raises FieldError.
    """
    channel = _lock_channel(channel)
    audit.log_change(by, channel, "Changed", ", ".join(sorted(changes)))
    status = changes.pop("status", channel.status)
    fields = validated_fields(ChannelKind(channel.kind), changes)
    if "conditions" in fields:
        compile_for(channel.agency, fields["conditions"])
    moved = [name for name in ("email", "url") if name in fields and fields[name] != getattr(channel, name)]
    for name, value in fields.items():
        setattr(channel, name, value)
    if moved:
        _reset_health(channel)
    channel.save()
    if fields.keys() & TIMING_FIELDS:
        reschedule_waiting(channel)
    if "email" in moved:
        channel.verification_token, channel.unsubscribe_token = new_token(), new_token()
        _request_confirmation(channel)
    elif status != channel.status:
        if status not in {ChannelStatus.ENABLED, ChannelStatus.DISABLED}:
            raise FieldError("status", gettext("Use enabled or disabled."))
        return (
            enable_channel(channel) if status == ChannelStatus.ENABLED else disable_channel(channel, DISABLED_BY_HAND)
        )
    return channel


@transaction.atomic
def rotate_secret(channel: Channel, *, by: Actor | None = None) -> str:
    """Give a webhook a new secret. The old one also signs for SECRET_OVERLAP_HOURS. Raises FieldError."""
    channel = _lock_channel(channel)
    if channel.kind != ChannelKind.WEBHOOK:
        raise StateError("kind", "Only webhook channels have a secret.")
    audit.log_change(by, channel, "Secret rotated")
    if channel.damaged:
        channel.secrets.all().delete()
    now, secret = clock.now(), new_secret()
    channel.secrets.filter(expires_at__lte=now).delete()
    channel.secrets.filter(expires_at__isnull=True).update(expires_at=now + secret_overlap())
    channel.secrets.create(secret=secret)
    return secret


@transaction.atomic
def enable_channel(channel: Channel, *, by: Actor | None = None) -> Channel:
    """Enable a channel. Request a confirmation first if its address is unconfirmed, unsubscribed or bouncing.

    Raises FieldError while its conditions cannot be compiled.
    """
    channel = _lock_channel(channel)
    compile_for(channel.agency, channel.conditions)
    audit.log_change(by, channel, "Enabled")
    if channel.kind == ChannelKind.EMAIL and needs_confirmation(channel):
        return _request_confirmation(channel)
    channel.status, channel.disabled_reason = ChannelStatus.ENABLED, ""
    _reset_health(channel)
    channel.save()
    return channel


@transaction.atomic
def disable_channel(channel: Channel, reason: str, *, by: Actor | None = None) -> Channel:
    """Disable a channel: cancel its pending deliveries, keep them in the log, and record `channel_disabled`.

    Raises FieldError if the channel's address was never confirmed.
    """
    channel = _lock_channel(channel)
    if channel.status == ChannelStatus.UNVERIFIED:
        raise FieldError(
            "status", gettext("The channel waits for its confirmation and gets nothing: remove it instead.")
        )
    audit.log_change(by, channel, "Disabled")
    mark_disabled(channel, reason)
    return channel


@transaction.atomic
def delete_channel(channel: Channel, *, by: Actor | None = None) -> None:
    """Delete a channel and its deliveries."""
    audit.log_deletion(by, channel, "Removed")
    channel.delete()


@transaction.atomic
def send_test_event(channel: Channel, *, example: str = EventType.TEST, by: Actor | None = None) -> Event:
    """Send a test event to this channel only, whatever it listens to. Its body is that of a `test`, or the catalogue's
    `example` of another event type.

    Raises FieldError if the channel is not enabled or there is no such example.
    """
    if example not in EXAMPLES:
        raise FieldError("event_type", f"There is no example of {str(example)[:100]!r}.")
    kind = CATALOGUE[EventType(example)]
    channel = lock_enabled_channel(channel)
    audit.log_change(by, channel, "Test sent")
    if channel.kind == ChannelKind.EMAIL:
        count_mail(channel.email, agency=channel.agency, purpose="test")
    close_circuit(channel)
    return record_event(
        channel.agency,
        EventType.TEST,
        subject=channel.pk,
        for_channel=channel.pk,
        example_of=kind.event_type,
        **{**kind.example_fields, "channel_id": channel.pk, "channel_name": channel.name}
        if "channel_id" in kind.fields
        else kind.example_fields,
    )


@transaction.atomic
def verify_address(token: str) -> Channel:
    """Confirm the address of a channel. Confirming twice changes nothing. Raises FieldError for an unknown token."""
    channel = _lock_channel(find_by_verification_token(token))
    if channel.status == ChannelStatus.UNVERIFIED:
        channel.status, channel.disabled_reason = ChannelStatus.ENABLED, ""
        channel.save(update_fields=["status", "disabled_reason", "updated_at"])
    return channel


@transaction.atomic
def unsubscribe_address(token: str) -> Channel:
    """Disable a channel for the owner of its address. Raises FieldError for an unknown token."""
    channel = _lock_channel(find_by_unsubscribe_token(token))
    if channel.disabled_reason != UNSUBSCRIBED:
        disable_address(channel, UNSUBSCRIBED)
    return channel


def find_by_verification_token(token: str) -> Channel:
    return _first_or_refuse(Channel.objects.filter(kind=ChannelKind.EMAIL, verification_token=token))


def find_by_unsubscribe_token(token: str) -> Channel:
    return _first_or_refuse(Channel.objects.filter(kind=ChannelKind.EMAIL, unsubscribe_token=token))


def _first_or_refuse(channels: QuerySet[Channel]) -> Channel:
    channel = channels.select_related("agency").first()
    if channel is None:
        raise FieldError("token", gettext("This link is not valid (any more)."))
    return channel


def _lock_channel(channel: Channel) -> Channel:
    """Lock and return the channel's current row. Lock channels before their deliveries, as `save_results` does."""
    return Channel.objects.select_related("agency").select_for_update(of=("self",), no_key=True).get(pk=channel.pk)


def lock_enabled_channel(channel: Channel) -> Channel:
    """Lock and return the channel's current row. Raises FieldError if the channel is not enabled."""
    channel = _lock_channel(channel)
    if channel.status == ChannelStatus.UNVERIFIED:
        raise StateError("status", "The channel's address has not been confirmed yet.")
    if channel.status != ChannelStatus.ENABLED:
        raise StateError("status", "The channel is off: switch it on first.")
    return channel


def _reset_health(channel: Channel) -> None:
    """Reset the channel's count of failures and close its circuit breaker."""
    channel.consecutive_failures, channel.failing_since = 0, None
    set_last_error(channel, "", None)
    channel.last_excerpt = ""
    close_circuit(channel)


def _request_confirmation(channel: Channel) -> Channel:
    """Make the channel `unverified` and mail a link, at most once in five minutes to an address.

    The link's token is read when the mail is sent: in the event's body, the agency could see it.
    """
    channel.status, channel.disabled_reason = ChannelStatus.UNVERIFIED, ""
    channel.save()
    recent = Event.objects.filter(
        subject=channel.pk,
        event_type=EventType.CHANNEL_VERIFICATION,
        recipient=channel.email,
        created_at__gt=clock.now() - CONFIRMATION_INTERVAL,
    )
    if not recent.exists():
        count_mail(channel.email, agency=channel.agency)
        record_event(
            channel.agency,
            EventType.CHANNEL_VERIFICATION,
            subject=channel.pk,
            recipient=channel.email,
            channel_id=channel.pk,
            channel_name=channel.name,
        )
    return channel
