"""Load what transports need for claimed deliveries, and cancel or hold deliveries that should not be sent now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.enums import EventType
from accounts.models import Agency, Event
from accounts.reauth.owner_mails import OwnerMail, owner_mails
from notifications.delivery import readers
from notifications.delivery.concurrency import ConcurrencyLimits
from notifications.delivery.digest import CHANNEL_OFF, cancel_deliveries
from notifications.delivery.relevance import obsolete_reasons
from notifications.egress.signing import valid_secrets
from notifications.message import PreparedDelivery
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, Hold
from notifications.policy import alert_policy
from notifications.policy.quiet_hours import quiet_hours_of
from notifications.policy.timing import DIGEST_BATCH, is_urgent
from notifications.staff import alerts as staff

OWNER_NOT_ASKED = gettext_noop("No longer needed: the account's owner is not asked any more.")
DAMAGED = gettext_noop("What is stored about this channel cannot be decrypted with the keys that are set.")


def prepare_deliveries(claimed: Mapping[str, datetime | None], limits: ConcurrencyLimits) -> list[PreparedDelivery]:
    """Return the claimed deliveries that are to be sent, prepared. `claimed` says when to send each.

    The places of the others are released.
    """
    deliveries = Delivery.objects.select_related("event").in_bulk(claimed)
    agencies = Agency.objects.select_related("brand").in_bulk({delivery.agency_id for delivery in deliveries.values()})
    channels = (
        Channel.objects.select_related("agency")
        .prefetch_related("secrets")
        .in_bulk(
            {delivery.channel_id for delivery in deliveries.values() if delivery.channel_id}
            | {_subject_channel_id(delivery.event) for delivery in deliveries.values()} - {""}
        )
    )
    owner_mails = _owner_mails(deliveries.values())
    digest_events = _events_by_carrier(deliveries.values(), channels)
    obsolete = obsolete_reasons(event for events in digest_events.values() for event in events)
    remaining = {pk: _remove_obsolete(deliveries[pk], events, obsolete) for pk, events in digest_events.items()}
    cancel_reasons = {pk: obsolete[deliveries[pk].event_id] for pk, events in remaining.items() if not events}
    cancel_reasons |= _cancel_reasons((row for row in deliveries.values() if row.pk not in digest_events), channels)
    to_people = [row for row in deliveries.values() if row.channel_id is None or _is_for_people(row, channels)]
    alerts = alert_policy.alerts_for(delivery.event for delivery in to_people)
    locales = readers.locales_of(to_people, channels, agencies)
    replies = readers.replies_to(event for row in to_people for event in (row.event, *digest_events.get(row.pk, ())))
    prepared_deliveries = []
    for delivery in deliveries.values():
        channel = channels.get(delivery.channel_id) if delivery.channel_id else None
        prepared = PreparedDelivery(
            delivery=delivery,
            event=_as_delivered(delivery.event),
            agency=agencies[delivery.agency_id],
            kind=ChannelKind(channel.kind) if channel else _kind_of(delivery.recipient),
            send_at=claimed[delivery.pk],
            channel=channel,
            digest_events=remaining.get(delivery.pk, ()),
            subject_channel=channels.get(_subject_channel_id(delivery.event)),
            owner_mail=owner_mails.get(delivery.event_id),
            alert=alerts.get(delivery.event_id),
            slack_url=staff.slack_url(delivery.recipient) if delivery.recipient.startswith(staff.SLACK_PREFIX) else "",
            replies=replies,
            locale=locales.get(delivery.pk, ""),
            secrets=valid_secrets(channel) if channel else (),
            problem=DAMAGED if channel and channel.damaged else "",
        )
        if _cancel_or_hold(prepared, cancel_reasons.get(delivery.pk, "")):
            limits.release_unused(prepared.receiver_key)
        else:
            prepared_deliveries.append(prepared)
    return prepared_deliveries


def cancel_obsolete(claimed: Iterable[Delivery]) -> set[str]:
    """Cancel claimed deliveries that are obsolete, before they use up a channel's rate. Return their ids."""
    ids = [delivery.pk for delivery in claimed]
    alone = Delivery.objects.filter(pk__in=ids, channel__kind=ChannelKind.SLACK, carried=None).select_related("event")
    deliveries = list(alone) if ids else []
    channels = Channel.objects.select_related("agency").in_bulk({row.channel_id for row in deliveries})
    cancel_reasons = _cancel_reasons(deliveries, channels)
    for reason in set(cancel_reasons.values()):
        cancel_deliveries(
            Delivery.objects.filter(pk__in=[pk for pk, why in cancel_reasons.items() if why == reason]), reason
        )
    return set(cancel_reasons)


def _cancel_reasons(alone: Iterable[Delivery], channels: Mapping[str, Channel]) -> dict[str, str]:
    """Return why deliveries without carried ones are obsolete, by their ids.

    A delivery that a person asked to be sent now is never obsolete.
    """
    for_people = [(row, channels[row.channel_id or ""]) for row in alone if _is_for_people(row, channels)]
    cancellable = [row for row, channel in for_people if not row.urgent or is_urgent(channel, row.event)]
    obsolete = obsolete_reasons(row.event for row in cancellable)
    superseded = alert_policy.superseded_reasons(cancellable, channels)
    reasons = {row.pk: obsolete.get(row.event_id) or superseded.get(row.pk, "") for row in cancellable}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _cancel_or_hold(prepared: PreparedDelivery, obsolete: str) -> bool:
    """Cancel or hold a delivery that is not to be sent now. Return whether that was so. The attempt does not count.

    `obsolete` is the reason why people no longer need it, or "".
    """
    rows = Delivery.objects.filter(Q(pk=prepared.delivery.pk) | Q(carrier_id=prepared.delivery.pk))
    cancel_reason = _cancel_reason_of(prepared, obsolete)
    if cancel_reason:
        rows.filter(pk=prepared.delivery.pk).update(attempts=F("attempts") - 1)
        cancel_deliveries(rows, cancel_reason)
        return True
    later = _quiet_hours_end(prepared)
    if later:
        first = prepared.delivery.attempts == 1 and not prepared.digest_events
        rows.filter(pk=prepared.delivery.pk).update(
            attempts=F("attempts") - 1,
            next_attempt_at=later,
            leased_until=None,
            hold=Hold.QUIET_HOURS,
            batch=DIGEST_BATCH if first else "",
        )
    return later is not None


def _quiet_hours_end(prepared: PreparedDelivery) -> datetime | None:
    """Return when the channel's quiet hours end if they have begun since the mail was due, else None."""
    if prepared.channel is None or prepared.kind is ChannelKind.WEBHOOK or prepared.delivery.urgent:
        return None
    now = timezone.now()
    later = quiet_hours_of(prepared.channel).next_open_time(now)
    return later if later > now else None


def _cancel_reason_of(prepared: PreparedDelivery, obsolete: str) -> str:
    """Return why the delivery is not to be sent any more, or ""."""
    if prepared.channel is not None and prepared.channel.status != ChannelStatus.ENABLED:
        return CHANNEL_OFF
    if obsolete:
        return obsolete
    return OWNER_NOT_ASKED if _is_owner_mail(prepared.delivery) and prepared.owner_mail is None else ""


def _kind_of(recipient: str) -> ChannelKind:
    return ChannelKind.SLACK if recipient.startswith(staff.SLACK_PREFIX) else ChannelKind.EMAIL


def _is_for_people(delivery: Delivery, channels: Mapping[str, Channel]) -> bool:
    channel = channels.get(delivery.channel_id or "")
    return channel is not None and channel.kind != ChannelKind.WEBHOOK


def _events_by_carrier(deliveries: Iterable[Delivery], channels: Mapping[str, Channel]) -> dict[str, tuple[Event, ...]]:
    """Return all events of each message, oldest first, for messages that carry more than their own event."""
    carriers = {delivery.pk: delivery.event for delivery in deliveries if _is_for_people(delivery, channels)}
    if not carriers:
        return {}
    by_carrier: defaultdict[str, list[Event]] = defaultdict(list)
    for carried in Delivery.objects.filter(carrier_id__in=carriers).select_related("event"):
        by_carrier[carried.carrier_id or ""].append(carried.event)
    return {
        pk: tuple(sorted([carriers[pk], *events], key=lambda event: (event.occurred_at, event.pk)))
        for pk, events in by_carrier.items()
    }


def _remove_obsolete(carrier: Delivery, events: tuple[Event, ...], obsolete: Mapping[str, str]) -> tuple[Event, ...]:
    """Return the events that a retried message still tells; cancel the other deliveries that it carries.

    Without any event the message is not sent. A message that a person sends again keeps all its events.
    """
    remaining = tuple(event for event in events if event.pk not in obsolete)
    if carrier.urgent:
        return events
    for event in events if remaining else ():
        if event.pk in obsolete:
            carried = Delivery.objects.filter(carrier=carrier, event=event)
            cancel_deliveries(carried, obsolete[event.pk])
            carried.update(carrier=None)
    return remaining


def _owner_mails(deliveries: Iterable[Delivery]) -> dict[str, OwnerMail]:
    """Return the mails to owners of accounts among the deliveries, by the ids of their events."""
    ids = [delivery.event_id for delivery in deliveries if _is_owner_mail(delivery)]
    return owner_mails(ids) if ids else {}


def _is_owner_mail(delivery: Delivery) -> bool:
    return delivery.channel_id is None and delivery.event.event_type == EventType.REAUTH_REQUESTED


def _as_delivered(event: Event) -> Event:
    """Return the event as its message is: that of a test with an example of another type reads like that type."""
    name = event.payload.get("event_type", event.event_type)
    if name == event.event_type:
        return event
    return Event(
        id=event.id,
        agency_id=event.agency_id,
        event_type=name,
        payload=event.payload,
        channel_id=event.channel_id,
        occurred_at=event.occurred_at,
        created_at=event.created_at,
    )


def _subject_channel_id(event: Event) -> str:
    return str(event.payload.get("channel_id", ""))
