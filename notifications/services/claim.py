"""Taking due Deliveries: a lease, the attempt counted before the work, and everything their transport needs."""

from collections.abc import Iterable, Set
from datetime import datetime, timedelta

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import Agency, Event
from accounts.reauth import Letter, letters
from accounts.vocabulary import EventType
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.schedule import MAX_ATTEMPTS
from notifications.services.lanes import Lanes, Receiver
from notifications.signing import valid_secrets
from notifications.transports.base import MAIL_LANE, Parcel

LEASE = timedelta(seconds=60)
ROUNDS = 8  # a round takes from the oldest; what it finds in full lanes, the next one skips
ANYBODY = Receiver(MAIL_LANE, failing=False)  # bare addresses
CHANNEL_OFF = "The channel was off."
NO_LONGER_ASKED = "No longer needed: the account's owner is not asked any more."
DAMAGED = "What is stored about this channel cannot be decrypted with the keys that are set."
CRASHED = "Every attempt ended with the worker that made it."


def is_due() -> bool:
    return _due(timezone.now()).exists()


def claim(lanes: Lanes) -> list[Parcel]:
    """Lease what is due and fits into the lanes. Somebody else's leases are left alone until they end (60 s)."""
    now = timezone.now()
    if lanes.room <= 0 or not _due(now, lanes).exists():
        return []
    taken: list[str] = []
    for _ in range(ROUNDS):
        more, skipped = _claim_round(now, lanes)
        taken += more
        if not skipped or lanes.room <= 0:
            break
    return _load(taken, lanes)


def _due(now: datetime, lanes: Lanes | None = None) -> QuerySet[Delivery]:
    due = Delivery.objects.filter(
        Q(leased_until__isnull=True) | Q(leased_until__lte=now),
        status=DeliveryStatus.PENDING,
        next_attempt_at__lte=now,
    ).order_by("next_attempt_at")
    if lanes is None:
        return due
    full = lanes.full()
    if MAIL_LANE in full:
        due = due.filter(channel_id__in=Channel.objects.exclude(kind=ChannelKind.EMAIL).values("pk"))
    if lanes.closing:
        due = due.exclude(channel_id__in=Channel.objects.filter(consecutive_failures__gt=0).values("pk"))
    return due.exclude(channel_id__in=[lane for lane in full if lane != MAIL_LANE])


@transaction.atomic
def _claim_round(now: datetime, lanes: Lanes) -> tuple[list[str], bool]:
    """The ids taken, and whether there was more that did not fit."""
    rows = list(
        _due(now, lanes).select_for_update(skip_locked=True).values_list("pk", "channel_id", "attempts")[: lanes.room]
    )
    receivers = _receivers({channel_id for _, channel_id, _ in rows if channel_id})
    spent = [pk for pk, _, attempts in rows if attempts >= MAX_ATTEMPTS]
    taken = [
        pk
        for pk, channel_id, attempts in rows
        if attempts < MAX_ATTEMPTS and lanes.enter(receivers[channel_id] if channel_id else ANYBODY)
    ]
    Delivery.objects.filter(pk__in=spent).update(
        status=DeliveryStatus.FAILED, error=CRASHED, next_attempt_at=None, leased_until=None
    )
    Delivery.objects.filter(pk__in=taken).update(attempts=F("attempts") + 1, leased_until=now + LEASE)
    return taken, len(rows) > len(spent) + len(taken)


def _receivers(channel_ids: set[str]) -> dict[str, Receiver]:
    rows = Channel.objects.filter(pk__in=channel_ids).values_list("pk", "kind", "consecutive_failures")
    return {
        pk: Receiver(MAIL_LANE if kind == ChannelKind.EMAIL else pk, failing=failures > 0)
        for pk, kind, failures in rows
    }


def _load(taken: list[str], lanes: Lanes) -> list[Parcel]:
    deliveries = Delivery.objects.select_related("event").in_bulk(taken)
    agencies = Agency.objects.in_bulk({delivery.agency_id for delivery in deliveries.values()})
    channels, damaged = _channels(
        {delivery.channel_id for delivery in deliveries.values() if delivery.channel_id}
        | {_told_of(delivery.event) for delivery in deliveries.values()} - {""}
    )
    owners_mail = _letters(deliveries.values())
    parcels = []
    for delivery in deliveries.values():
        channel = channels.get(delivery.channel_id) if delivery.channel_id else None
        parcel = Parcel(
            delivery=delivery,
            event=delivery.event,
            agency=agencies[delivery.agency_id],
            kind=ChannelKind(channel.kind) if channel else ChannelKind.EMAIL,
            channel=channel,
            about=channels.get(_told_of(delivery.event)),
            letter=owners_mail.get(delivery.event_id),
            secrets=valid_secrets(channel) if channel and channel.pk not in damaged else (),
            problem=DAMAGED if delivery.channel_id in damaged else "",
        )
        too_late = _too_late(parcel)
        if not too_late:
            parcels.append(parcel)
        else:
            Delivery.objects.filter(pk=delivery.pk).update(
                status=DeliveryStatus.CANCELLED,
                attempts=F("attempts") - 1,
                error=too_late,
                next_attempt_at=None,
                leased_until=None,
            )
            lanes.give_back(parcel.lane)
    return parcels


def _too_late(parcel: Parcel) -> str:
    """What happened between fan-out and now, so that nothing is to be sent; empty: nothing did."""
    if parcel.channel is not None and parcel.channel.status != ChannelStatus.ENABLED:
        return CHANNEL_OFF
    return NO_LONGER_ASKED if _is_owners_mail(parcel.delivery) and parcel.letter is None else ""


def _letters(deliveries: Iterable[Delivery]) -> dict[str, Letter]:
    """What the mails to accounts' owners among them say, by their Events' ids."""
    ids = [delivery.event_id for delivery in deliveries if _is_owners_mail(delivery)]
    return letters(ids) if ids else {}


def _is_owners_mail(delivery: Delivery) -> bool:
    return delivery.channel_id is None and delivery.event.event_type == EventType.REAUTH_REQUESTED


def _told_of(event: Event) -> str:
    return str(event.payload.get("channel_id", ""))


def _channels(ids: Set[str]) -> tuple[dict[str, Channel], set[str]]:
    """The channels, their secrets loaded, and the ids of those whose encrypted columns no key opens."""
    try:
        return Channel.objects.prefetch_related("secrets").in_bulk(ids), set()
    except InvalidToken:
        channels: dict[str, Channel] = {}
        damaged: set[str] = set()
        for pk in ids:
            try:
                channels |= Channel.objects.prefetch_related("secrets").in_bulk([pk])
            except InvalidToken:
                channels |= Channel.objects.defer("url", "headers").in_bulk([pk])
                damaged.add(pk)
        return channels, damaged
