"""What a claimed Delivery's transport needs, and whether it is to be sent after all."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.models import Agency, Event
from accounts.reauth.owner_mails import OwnerMail, owner_mails
from notifications.delivery.concurrency import ConcurrencyLimits
from notifications.delivery.digest import CHANNEL_OFF, cancel
from notifications.delivery.relevance import no_longer_needed
from notifications.egress.signing import valid_secrets
from notifications.message import PreparedDelivery
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, Hold
from notifications.policy import alert_policy
from notifications.policy.quiet_hours import hours_of
from notifications.policy.timing import SUMMARY, is_urgent
from notifications.staff import alerts as staff

NO_LONGER_ASKED = "No longer needed: the account's owner is not asked any more."
DAMAGED = "What is stored about this channel cannot be decrypted with the keys that are set."


def load(taken: Mapping[str, datetime | None], limits: ConcurrencyLimits) -> list[PreparedDelivery]:
    """Parcels of the claimed Deliveries that are to be sent; `taken` says when. The others give back their places."""
    deliveries = Delivery.objects.select_related("event").in_bulk(taken)
    agencies = Agency.objects.in_bulk({delivery.agency_id for delivery in deliveries.values()})
    channels = (
        Channel.objects.select_related("agency")
        .prefetch_related("secrets")
        .in_bulk(
            {delivery.channel_id for delivery in deliveries.values() if delivery.channel_id}
            | {_told_of(delivery.event) for delivery in deliveries.values()} - {""}
        )
    )
    owners_mail = _letters(deliveries.values())
    together = _together(deliveries.values(), channels)
    obsolete = no_longer_needed(event for events in together.values() for event in events)
    still = {pk: _still_told(deliveries[pk], events, obsolete) for pk, events in together.items()}
    moot = {pk: obsolete[deliveries[pk].event_id] for pk, events in still.items() if not events}
    moot |= _moot((row for row in deliveries.values() if row.pk not in together), channels)
    said = alert_policy.alerts_for(
        delivery.event
        for delivery in deliveries.values()
        if delivery.channel_id is None or _is_for_people(delivery, channels)
    )
    parcels = []
    for delivery in deliveries.values():
        channel = channels.get(delivery.channel_id) if delivery.channel_id else None
        prepared = PreparedDelivery(
            delivery=delivery,
            event=delivery.event,
            agency=agencies[delivery.agency_id],
            kind=ChannelKind(channel.kind) if channel else _kind_of(delivery.recipient),
            send_at=taken[delivery.pk],
            channel=channel,
            together=still.get(delivery.pk, ()),
            about=channels.get(_told_of(delivery.event)),
            owner_mail=owners_mail.get(delivery.event_id),
            alert=said.get(delivery.event_id),
            slack_url=staff.slack_url(delivery.recipient) if delivery.recipient.startswith(staff.SLACK) else "",
            secrets=valid_secrets(channel) if channel else (),
            problem=DAMAGED if channel and channel.damaged else "",
        )
        if _stays(prepared, moot.get(delivery.pk, "")):
            limits.give_back(prepared.receiver_key)
        else:
            parcels.append(prepared)
    return parcels


def withdraw(claimed: Iterable[Delivery]) -> set[str]:
    """Cancel those of which people need not hear any more, before they take places in a channel's rate; their ids."""
    ids = [delivery.pk for delivery in claimed]
    alone = Delivery.objects.filter(pk__in=ids, channel__kind=ChannelKind.SLACK, carried=None).select_related("event")
    deliveries = list(alone) if ids else []
    channels = Channel.objects.select_related("agency").in_bulk({row.channel_id for row in deliveries})
    moot = _moot(deliveries, channels)
    for reason in set(moot.values()):
        cancel(Delivery.objects.filter(pk__in=[pk for pk, why in moot.items() if why == reason]), reason)
    return set(moot)


def _moot(alone: Iterable[Delivery], channels: Mapping[str, Channel]) -> dict[str, str]:
    """Why people need not hear of these (nothing was gathered into them) any more, by their ids.

    What a person asked to be sent now is sent.
    """
    theirs = [(row, channels[row.channel_id or ""]) for row in alone if _is_for_people(row, channels)]
    asked = [row for row, channel in theirs if not row.urgent or is_urgent(channel, row.event)]
    obsolete = no_longer_needed(row.event for row in asked)
    elsewhere = alert_policy.told_elsewhere(asked, channels)
    reasons = {row.pk: obsolete.get(row.event_id) or elsewhere.get(row.pk, "") for row in asked}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _stays(prepared: PreparedDelivery, obsolete: str) -> bool:
    """Whether the parcel is not to be sent, at least not now; its row says why. The attempt does not count.

    `obsolete` says why people need not hear of it any more.
    """
    rows = Delivery.objects.filter(Q(pk=prepared.delivery.pk) | Q(carrier_id=prepared.delivery.pk))
    too_late = _too_late(prepared, obsolete)
    if too_late:
        rows.filter(pk=prepared.delivery.pk).update(attempts=F("attempts") - 1)
        cancel(rows, too_late)
        return True
    later = _opens_at(prepared)
    if later:
        first = prepared.delivery.attempts == 1 and not prepared.together
        rows.filter(pk=prepared.delivery.pk).update(
            attempts=F("attempts") - 1,
            next_attempt_at=later,
            leased_until=None,
            hold=Hold.QUIET_HOURS,
            batch=SUMMARY if first else "",
        )
    return later is not None


def _opens_at(prepared: PreparedDelivery) -> datetime | None:
    """When the channel's quiet hours end that have begun since the mail was due; None: they have not."""
    if prepared.channel is None or prepared.kind is ChannelKind.WEBHOOK or prepared.delivery.urgent:
        return None
    now = timezone.now()
    later = hours_of(prepared.channel).open_from(now)
    return later if later > now else None


def _too_late(prepared: PreparedDelivery, obsolete: str) -> str:
    """What happened between fan-out and now, so that nothing is to be sent; empty: nothing did."""
    if prepared.channel is not None and prepared.channel.status != ChannelStatus.ENABLED:
        return CHANNEL_OFF
    if obsolete:
        return obsolete
    return NO_LONGER_ASKED if _is_owners_mail(prepared.delivery) and prepared.owner_mail is None else ""


def _kind_of(recipient: str) -> ChannelKind:
    return ChannelKind.SLACK if recipient.startswith(staff.SLACK) else ChannelKind.EMAIL


def _is_for_people(delivery: Delivery, channels: Mapping[str, Channel]) -> bool:
    channel = channels.get(delivery.channel_id or "")
    return channel is not None and channel.kind != ChannelKind.WEBHOOK


def _together(deliveries: Iterable[Delivery], channels: Mapping[str, Channel]) -> dict[str, tuple[Event, ...]]:
    """All that each message tells, oldest first, by the ids of those that tell more than their own event."""
    carriers = {delivery.pk: delivery.event for delivery in deliveries if _is_for_people(delivery, channels)}
    if not carriers:
        return {}
    told: defaultdict[str, list[Event]] = defaultdict(list)
    for carried in Delivery.objects.filter(carrier_id__in=carriers).select_related("event"):
        told[carried.carrier_id or ""].append(carried.event)
    return {
        pk: tuple(sorted([carriers[pk], *events], key=lambda event: (event.occurred_at, event.pk)))
        for pk, events in told.items()
    }


def _still_told(carrier: Delivery, events: tuple[Event, ...], obsolete: Mapping[str, str]) -> tuple[Event, ...]:
    """What a message that waited for another try still tells; the rest of what it carried is cancelled.

    Nothing: it need not be sent. What a person sends again stays whole.
    """
    told = tuple(event for event in events if event.pk not in obsolete)
    if carrier.urgent:
        return events
    for event in events if told else ():
        if event.pk in obsolete:
            carried = Delivery.objects.filter(carrier=carrier, event=event)
            cancel(carried, obsolete[event.pk])
            carried.update(carrier=None)
    return told


def _letters(deliveries: Iterable[Delivery]) -> dict[str, OwnerMail]:
    """What the mails to accounts' owners among them say, by their Events' ids."""
    ids = [delivery.event_id for delivery in deliveries if _is_owners_mail(delivery)]
    return owner_mails(ids) if ids else {}


def _is_owners_mail(delivery: Delivery) -> bool:
    return delivery.channel_id is None and delivery.event.event_type == EventType.REAUTH_REQUESTED


def _told_of(event: Event) -> str:
    return str(event.payload.get("channel_id", ""))
