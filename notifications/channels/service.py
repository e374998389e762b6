"""Channels: made, changed, confirmed, tested, switched on and off."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone as clock

from accounts.core import audit
from accounts.core.enums import EventType
from accounts.core.errors import FieldError, StateError
from accounts.core.ids import new_token
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from accounts.models.source import secret_overlap
from accounts.tenancy.mail_limits import count_mail
from notifications.channels.fields import FIELDS, TIMING, checked, checked_kind
from notifications.delivery.channel_health import UNSUBSCRIBED, is_lost, lose, switch_off
from notifications.delivery.digest import replan
from notifications.delivery.rate_limit import wake
from notifications.egress.signing import new_secret
from notifications.models import Channel, ChannelKind, ChannelStatus

__all__ = [
    "create_channel",
    "delete_channel",
    "disable",
    "enable",
    "find_by_unsubscribe_token",
    "find_by_verification_token",
    "locked_and_on",
    "rotate_secret",
    "send_test",
    "unsubscribe",
    "update_channel",
    "verify",
]

BY_HAND = "Switched off by hand."
BETWEEN_CONFIRMATIONS = timedelta(minutes=5)


@transaction.atomic
def create_channel(
    agency: Agency, *, kind: str, verified: bool = False, by: User | None = None, **values: Any
) -> tuple[Channel, str | None]:
    """Make a channel of `values` (`fields.FIELDS`) and, for a webhook, its secret, which no other answer shows.

    An e-mail channel gets nothing but a request to confirm until its owner does, unless it is `verified` already.
    Raises FieldError.
    """
    of_kind = checked_kind(kind)
    given = {name: values.pop(name, field.absent) for name, field in FIELDS.items()}
    fields = checked(of_kind, {**given, **values})
    channel = Channel.objects.create(agency=agency, kind=of_kind, **fields)
    audit.log_creation(by, channel, "Made.")
    if of_kind is ChannelKind.EMAIL and not verified:
        _ask_to_confirm(channel)
    if of_kind is not ChannelKind.WEBHOOK:
        return channel, None
    secret = new_secret()
    channel.secrets.create(secret=secret)
    return channel, secret


@transaction.atomic
def update_channel(channel: Channel, *, by: User | None = None, **changes: Any) -> Channel:
    """Change fields; `status` may be `enabled` or `disabled`. A new e-mail address has to be confirmed.

    Raises FieldError.
    """
    channel = _locked(channel)
    audit.log_change(by, channel, f"Changed: {', '.join(sorted(changes))}.")
    status = changes.pop("status", channel.status)
    fields = checked(ChannelKind(channel.kind), changes)
    moved = [name for name in ("email", "url") if name in fields and fields[name] != getattr(channel, name)]
    for name, value in fields.items():
        setattr(channel, name, value)
    if moved:
        _forgive(channel)
    channel.save()
    if fields.keys() & TIMING:
        replan(channel)
    if "email" in moved:
        channel.verification_token, channel.unsubscribe_token = new_token(), new_token()
        _ask_to_confirm(channel)
    elif status != channel.status:
        if status not in {ChannelStatus.ENABLED, ChannelStatus.DISABLED}:
            raise FieldError("status", "Use enabled or disabled.")
        return enable(channel) if status == ChannelStatus.ENABLED else disable(channel, BY_HAND)
    return channel


@transaction.atomic
def rotate_secret(channel: Channel, *, by: User | None = None) -> str:
    """Give a webhook a new secret; the old one signs beside it for SECRET_OVERLAP_HOURS. Raises FieldError."""
    channel = _locked(channel)
    if channel.kind != ChannelKind.WEBHOOK:
        raise StateError("kind", "Only webhook channels have a secret.")
    audit.log_change(by, channel, "Secret rotated.")
    if channel.damaged:
        channel.secrets.all().delete()
    now, secret = clock.now(), new_secret()
    channel.secrets.filter(expires_at__lte=now).delete()
    channel.secrets.filter(expires_at__isnull=True).update(expires_at=now + secret_overlap())
    channel.secrets.create(secret=secret)
    return secret


@transaction.atomic
def enable(channel: Channel, *, by: User | None = None) -> Channel:
    """Switch a channel on. Ask for a new confirmation first if its e-mail address is unconfirmed, unsubscribed or
    bouncing."""
    channel = _locked(channel)
    audit.log_change(by, channel, "Enabled.")
    if channel.kind == ChannelKind.EMAIL and is_lost(channel):
        return _ask_to_confirm(channel)
    channel.status, channel.disabled_reason = ChannelStatus.ENABLED, ""
    _forgive(channel)
    channel.save()
    return channel


@transaction.atomic
def disable(channel: Channel, reason: str, *, by: User | None = None) -> Channel:
    """Switch a channel off: cancel its pending deliveries, keep them in the log, and notify the other channels.

    Raises FieldError if the channel's address was never confirmed.
    """
    channel = _locked(channel)
    if channel.status == ChannelStatus.UNVERIFIED:
        raise FieldError("status", "The channel waits for its confirmation and gets nothing: remove it instead.")
    audit.log_change(by, channel, "Disabled.")
    switch_off(channel, reason)
    return channel


@transaction.atomic
def delete_channel(channel: Channel, *, by: User | None = None) -> None:
    """Delete a channel and its deliveries."""
    audit.log_deletion(by, channel, "Removed.")
    channel.delete()


@transaction.atomic
def send_test(channel: Channel, *, by: User | None = None) -> Event:
    """Send a `test` event to this channel only, whatever it listens to. Raises FieldError if it is not on."""
    channel = locked_and_on(channel)
    audit.log_change(by, channel, "Test sent.")
    if channel.kind == ChannelKind.EMAIL:
        count_mail(channel.email, agency=channel.agency, purpose="test")
    wake(channel)
    return record_event(
        channel.agency,
        EventType.TEST,
        subject=channel.pk,
        for_channel=channel.pk,
        channel_id=channel.pk,
        channel_name=channel.name,
    )


@transaction.atomic
def verify(token: str) -> Channel:
    """The owner of the address agrees. Doing it twice changes nothing. Raises FieldError for an unknown token."""
    channel = _locked(find_by_verification_token(token))
    if channel.status == ChannelStatus.UNVERIFIED:
        channel.status, channel.disabled_reason = ChannelStatus.ENABLED, ""
        channel.save(update_fields=["status", "disabled_reason", "updated_at"])
    return channel


@transaction.atomic
def unsubscribe(token: str) -> Channel:
    """The owner of the address wants no more. Raises FieldError for an unknown token."""
    channel = _locked(find_by_unsubscribe_token(token))
    if channel.disabled_reason != UNSUBSCRIBED:
        lose(channel, UNSUBSCRIBED)
    return channel


def find_by_verification_token(token: str) -> Channel:
    return _found(Channel.objects.filter(kind=ChannelKind.EMAIL, verification_token=token))


def find_by_unsubscribe_token(token: str) -> Channel:
    return _found(Channel.objects.filter(kind=ChannelKind.EMAIL, unsubscribe_token=token))


def _found(channels: QuerySet[Channel]) -> Channel:
    channel = channels.select_related("agency").first()
    if channel is None:
        raise FieldError("token", "This link is not valid (any more).")
    return channel


def _locked(channel: Channel) -> Channel:
    """The row as it stands now, locked before its Deliveries are (the order that settling keeps)."""
    return Channel.objects.select_related("agency").select_for_update(of=("self",), no_key=True).get(pk=channel.pk)


def locked_and_on(channel: Channel) -> Channel:
    """The row as it stands now, locked. Raises FieldError if the channel gets nothing."""
    channel = _locked(channel)
    if channel.status == ChannelStatus.UNVERIFIED:
        raise StateError("status", "The channel's address has not been confirmed yet.")
    if channel.status != ChannelStatus.ENABLED:
        raise StateError("status", "The channel is off: switch it on first.")
    return channel


def _forgive(channel: Channel) -> None:
    """Its health starts anew."""
    channel.consecutive_failures, channel.failing_since = 0, None
    wake(channel)


def _ask_to_confirm(channel: Channel) -> Channel:
    """Back to `unverified`, and a mail with the link; not more than one in five minutes to the same address.

    The link's token is looked up when the mail is sent: an event's body would show it to those who asked.
    """
    channel.status, channel.disabled_reason = ChannelStatus.UNVERIFIED, ""
    channel.save()
    lately = Event.objects.filter(
        subject=channel.pk,
        event_type=EventType.CHANNEL_VERIFICATION,
        recipient=channel.email,
        created_at__gt=clock.now() - BETWEEN_CONFIRMATIONS,
    )
    if not lately.exists():
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
