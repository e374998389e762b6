"""Channels: made, changed, confirmed, tested, switched on and off; and what they missed, sent again.

Deliveries of a channel that is switched off become `cancelled` and stay. `replay` sends them when it is on again, and
also what happened in the meantime, for which there are no Deliveries yet.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone as clock

from accounts.events import record
from accounts.ids import new_token
from accounts.models import Agency, Event
from accounts.models.source import overlap
from accounts.vocabulary import EventType
from notifications.channel_rules import ChannelError, checked, checked_kind
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.services.health import switch_off
from notifications.services.outbox import deliveries_of
from notifications.signing import new_secret
from notifications.tasks import ring

__all__ = [
    "ChannelError",
    "create_channel",
    "disable",
    "enable",
    "find_by_unsubscribe_token",
    "find_by_verification_token",
    "replay",
    "resend",
    "rotate_secret",
    "send_test",
    "unsubscribe",
    "update_channel",
    "verify",
]

UNSUBSCRIBED = "The recipient unsubscribed."
BY_HAND = "Switched off by hand."
BETWEEN_CONFIRMATIONS = timedelta(minutes=5)
BATCH = 500


@transaction.atomic
def create_channel(
    agency: Agency,
    *,
    kind: str,
    name: str = "",
    email: str = "",
    url: str = "",
    event_types: Iterable[str] = (),
    locations: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
    mode: str = "instant",
    quiet_hours: Mapping[str, str] | None = None,
    timezone: str = "",
    rate_per_second: float | None = None,
    verified: bool = False,
) -> tuple[Channel, str | None]:
    """Make a channel; the second value is a webhook's secret, which no other answer shows.

    An e-mail channel gets nothing but a request to confirm until its owner does, unless it is `verified` already.
    Raises ChannelError.
    """
    of_kind = checked_kind(kind)
    fields = checked(
        of_kind,
        {
            "name": name,
            "email": email,
            "url": url,
            "event_types": event_types,
            "locations": locations,
            "headers": headers,
            "mode": mode,
            "quiet_hours": quiet_hours,
            "timezone": timezone,
            "rate_per_second": rate_per_second,
        },
    )
    channel = Channel.objects.create(agency=agency, kind=of_kind, **fields)
    if of_kind is ChannelKind.EMAIL and not verified:
        _ask_to_confirm(channel)
    if of_kind is not ChannelKind.WEBHOOK:
        return channel, None
    secret = new_secret()
    channel.secrets.create(secret=secret)
    return channel, secret


@transaction.atomic
def update_channel(channel: Channel, **changes: Any) -> Channel:
    """Change fields; `status` may be `enabled` or `disabled`. A new e-mail address has to be confirmed.

    Raises ChannelError.
    """
    channel = _locked(channel)
    status = changes.pop("status", channel.status)
    fields = checked(ChannelKind(channel.kind), changes)
    moved = [name for name in ("email", "url") if name in fields and fields[name] != getattr(channel, name)]
    for name, value in fields.items():
        setattr(channel, name, value)
    if moved:
        channel.consecutive_failures, channel.failing_since = 0, None
    channel.save()
    if "email" in moved:
        channel.verification_token, channel.unsubscribe_token = new_token(), new_token()
        _ask_to_confirm(channel)
    elif status != channel.status:
        if status not in {ChannelStatus.ENABLED, ChannelStatus.DISABLED}:
            raise ChannelError("status", "Use enabled or disabled.")
        return enable(channel) if status == ChannelStatus.ENABLED else disable(channel, BY_HAND)
    return channel


@transaction.atomic
def rotate_secret(channel: Channel) -> str:
    """Give a webhook a new secret; the old one signs beside it for SECRET_OVERLAP_HOURS. Raises ChannelError."""
    channel = _locked(channel)
    if channel.kind != ChannelKind.WEBHOOK:
        raise ChannelError("kind", "Only webhook channels have a secret.")
    now, secret = clock.now(), new_secret()
    channel.secrets.filter(expires_at__lte=now).delete()
    channel.secrets.filter(expires_at__isnull=True).update(expires_at=now + overlap())
    channel.secrets.create(secret=secret)
    return secret


@transaction.atomic
def enable(channel: Channel) -> Channel:
    """Switch on. An address that was never confirmed, or unsubscribed, is asked (again) first."""
    channel = _locked(channel)
    unasked = channel.status == ChannelStatus.UNVERIFIED or channel.disabled_reason == UNSUBSCRIBED
    if channel.kind == ChannelKind.EMAIL and unasked:
        return _ask_to_confirm(channel)
    channel.status, channel.disabled_reason = ChannelStatus.ENABLED, ""
    channel.consecutive_failures, channel.failing_since = 0, None
    channel.save()
    return channel


@transaction.atomic
def disable(channel: Channel, reason: str) -> Channel:
    """Switch off: what was due is cancelled and kept, the agency's other channels hear of it. Raises ChannelError."""
    channel = _locked(channel)
    if channel.status == ChannelStatus.UNVERIFIED:
        raise ChannelError("status", "The channel waits for its confirmation and gets nothing: remove it instead.")
    switch_off(channel, reason)
    return channel


@transaction.atomic
def send_test(channel: Channel) -> Event:
    """Send a `test` event to this channel only, whatever it listens to. Raises ChannelError if it is not on."""
    channel = _locked_and_on(channel)
    return record(
        channel.agency,
        EventType.TEST,
        subject=channel.pk,
        for_channel=channel.pk,
        channel_id=channel.pk,
        channel_name=channel.name,
    )


@transaction.atomic
def replay(channel: Channel, *, since: datetime, until: datetime | None = None, status: str | None = None) -> int:
    """Send again what happened from `since` to before `until`, under the same `webhook-id`; how many Deliveries.

    With a `status`, only Deliveries that have it; without, all, and also those events that the channel listens to but
    never got because it was off. Raises ChannelError.
    """
    channel = _locked_and_on(channel)
    if until is not None and until <= since:
        raise ChannelError("until", "The end must be later than the beginning.")
    if status is not None and status not in set(DeliveryStatus):
        raise ChannelError("status", f"Use one of {', '.join(DeliveryStatus)}.")
    span = Q(created_at__gte=since) & (Q(created_at__lt=until) if until else Q())
    events = Event.objects.filter(span, agency=channel.agency)
    again = _due_now(channel.deliveries.filter(event__in=events, **({"status": status} if status else {})))
    if status is None:
        again += _send_missed(channel, events)
    transaction.on_commit(ring, robust=True)
    return again


@transaction.atomic
def resend(delivery: Delivery) -> Delivery:
    """Send once more, now, under the same `webhook-id`. Raises ChannelError if its channel is not on."""
    if delivery.channel:
        _locked_and_on(delivery.channel)
    _due_now(Delivery.objects.filter(pk=delivery.pk))
    transaction.on_commit(ring, robust=True)
    delivery.refresh_from_db()
    return delivery


@transaction.atomic
def verify(token: str) -> Channel:
    """The owner of the address agrees. Doing it twice changes nothing. Raises ChannelError for an unknown token."""
    channel = _locked(find_by_verification_token(token))
    if channel.status == ChannelStatus.UNVERIFIED:
        channel.status, channel.disabled_reason = ChannelStatus.ENABLED, ""
        channel.save(update_fields=["status", "disabled_reason", "updated_at"])
    return channel


@transaction.atomic
def unsubscribe(token: str) -> Channel:
    """The owner of the address wants no more. Raises ChannelError for an unknown token."""
    channel = _locked(find_by_unsubscribe_token(token))
    if channel.status == ChannelStatus.UNVERIFIED:
        channel.status = ChannelStatus.DISABLED
    switch_off(channel, UNSUBSCRIBED)
    channel.disabled_reason = UNSUBSCRIBED
    channel.save(update_fields=["status", "disabled_reason", "updated_at"])
    return channel


def find_by_verification_token(token: str) -> Channel:
    return _found(Channel.objects.filter(kind=ChannelKind.EMAIL, verification_token=token))


def find_by_unsubscribe_token(token: str) -> Channel:
    return _found(Channel.objects.filter(kind=ChannelKind.EMAIL, unsubscribe_token=token))


def _found(channels: QuerySet[Channel]) -> Channel:
    channel = channels.select_related("agency").first()
    if channel is None:
        raise ChannelError("token", "This link is not valid (any more).")
    return channel


def _locked(channel: Channel) -> Channel:
    """The row as it stands now, locked before its Deliveries are (the order that settling keeps)."""
    return Channel.objects.select_related("agency").select_for_update(of=("self",), no_key=True).get(pk=channel.pk)


def _locked_and_on(channel: Channel) -> Channel:
    channel = _locked(channel)
    if channel.status == ChannelStatus.UNVERIFIED:
        raise ChannelError("status", "The channel's address has not been confirmed yet.")
    if channel.status != ChannelStatus.ENABLED:
        raise ChannelError("status", "The channel is off: switch it on first.")
    return channel


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
        record(
            channel.agency,
            EventType.CHANNEL_VERIFICATION,
            subject=channel.pk,
            recipient=channel.email,
            channel_id=channel.pk,
            channel_name=channel.name,
        )
    return channel


def _due_now(deliveries: QuerySet[Delivery]) -> int:
    """From the first attempt on, at once; those on their way at this moment are left alone."""
    now = clock.now()
    return deliveries.filter(Q(leased_until__isnull=True) | Q(leased_until__lte=now)).update(
        status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=now, leased_until=None, delivered_at=None, error=""
    )


def _send_missed(channel: Channel, events: QuerySet[Event]) -> int:
    """Deliveries for what the channel would have got, had it been on. Nothing from before it existed."""
    missed = (
        events.filter(created_at__gte=channel.created_at, fanned_out_at__isnull=False, recipient="")
        .exclude(pk__in=channel.deliveries.values("event_id"))
        .order_by("pk")
    )
    made, batch = 0, []
    for event in missed.iterator(chunk_size=BATCH):
        batch += deliveries_of(event, [channel])
        if len(batch) >= BATCH:
            made, batch = made + len(Delivery.objects.bulk_create(batch, ignore_conflicts=True)), []
    return made + len(Delivery.objects.bulk_create(batch, ignore_conflicts=True))
