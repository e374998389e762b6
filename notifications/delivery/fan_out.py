"""Create one delivery for each interested channel, or for the one recipient of an event."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from types import MappingProxyType

import structlog
from django.db import transaction
from django.db.models import Exists, Q, QuerySet
from django.utils import timezone

from accounts.core.connections import is_outage
from accounts.core.enums import PERSONAL_EVENTS, STAFF_EVENTS, EventType
from accounts.core.jobs import Backoff
from accounts.events.reactions import unattempted_reactions
from accounts.linkedin.flapping import flapping_until
from accounts.models import Event
from notifications.content.stories import STATUS_CHANGES, account_id_of
from notifications.delivery.lead_conditions import Pair, refused_by_conditions
from notifications.delivery.recipient_limit import hold_excess_mails
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.policy import alert_policy
from notifications.policy.timing import plan_delivery
from notifications.staff import alerts as staff

log = structlog.get_logger(__name__)

BATCH = 200
BACKOFF = Backoff([*(timedelta(seconds=5) * 2**step for step in range(10)), timedelta(hours=1)], is_endless=True)
#: Events of one transaction differ by less in time, and are fanned out together.
SAME_REPORT_WINDOW = timedelta(seconds=1)
#: Repeats what an earlier event said: people get it only if their channel lists it.
OPT_IN_EVENTS = frozenset({EventType.REAUTH_REQUESTED})
CHANNEL_EVENTS = frozenset({EventType.CHANNEL_FAILING, EventType.CHANNEL_DISABLED, EventType.CHANNEL_RECOVERED})


def fan_out_due_events(limit: int = BATCH) -> int:
    """Create the deliveries of about `limit` due events. Return how many events were taken up.

    Idempotent, and safe beside other workers. An event that cannot be fanned out keeps its error, counts its attempts,
    backs off, and blocks no other.
    """
    now = timezone.now()
    if not _due(now).exists():
        return 0
    try:
        return _fan_out_due(now, limit)
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A batch of events could not be fanned out; they are fanned out one by one.")
        return sum(_fan_out_one(pk) for pk in list(_due(now).values_list("pk", flat=True)[:limit]))


def is_interested(channel: Channel, event: Event) -> bool:
    """Return whether the channel gets the event, unless its conditions keep it out (`lead_conditions`)."""
    if event.recipient or event.event_type in PERSONAL_EVENTS:
        return False
    if event.channel_id:
        return event.channel_id == channel.pk
    if event.event_type in CHANNEL_EVENTS and event.subject == channel.pk:
        return False
    if event.event_type == EventType.ACCOUNTS_INCIDENT and channel.kind != ChannelKind.WEBHOOK:
        return alert_policy.replaces_outages_for(event, channel)
    is_chosen = event.event_type in channel.event_types
    if channel.kind != ChannelKind.WEBHOOK and event.event_type in OPT_IN_EVENTS and not is_chosen:
        return False
    if event.also_for and channel.pk in event.also_for:
        return channel.test_events or not event.is_test
    if channel.event_types and not is_chosen:
        return False
    if event.is_test and not channel.test_events:
        return False
    if not _accepts_status(channel, event) or not _accepts_language(channel, event):
        return False
    return not channel.locations or event.location_id in channel.locations


def _accepts_status(channel: Channel, event: Event) -> bool:
    """Return whether the event passes the channel's lead statuses. Only status changes are filtered."""
    if not channel.lead_statuses or event.event_type not in STATUS_CHANGES:
        return True
    return event.payload.get("status") in channel.lead_statuses


def _accepts_language(channel: Channel, event: Event) -> bool:
    """Return whether the event passes the channel's form languages.

    While a lead's answers are pending its language is unknown, and its events pass.
    """
    if not channel.creation_locales or "lead_id" not in event.payload:
        return True
    return event.creation_locale in channel.creation_locales or "details_pending" in event.payload


def deliveries_for(
    event: Event,
    channels: Iterable[Channel],
    flapping_ends: Mapping[str, datetime] = MappingProxyType({}),
    refused: Collection[Pair] = (),
) -> list[Delivery]:
    """Return the unsaved deliveries of `event` to those of these channels (with agency) that are interested.

    `flapping_ends` says until when accounts count as flapping, `refused` which channels' conditions keep the event out.
    """
    if event.event_type in STAFF_EVENTS:
        return [Delivery(agency_id=event.agency_id, event=event, recipient=whom) for whom in staff.alert_recipients()]
    if event.recipient:
        return [Delivery(agency_id=event.agency_id, event=event, recipient=event.recipient)]
    now, flapping_until = timezone.now(), flapping_ends.get(account_id_of(event))
    earlier_recipients = (
        _earlier_recipients(event) if event.event_type == EventType.LEAD_ERASED and not event.channel_id else None
    )
    made = [
        Delivery(
            agency_id=event.agency_id,
            event=event,
            channel=channel,
            **asdict(plan_delivery(channel, event, now, flapping_until)),
        )
        for channel in channels
        if (
            is_interested(channel, event) and (event.pk, channel.pk) not in refused
            if earlier_recipients is None
            else (channel.pk, "") in earlier_recipients
        )
    ]
    return made + [
        Delivery(agency_id=event.agency_id, event=event, recipient=address)
        for channel_id, address in sorted(earlier_recipients or (), key=str)
        if channel_id is None and address
    ]


def _earlier_recipients(event: Event) -> set[tuple[str | None, str]]:
    """Return the channels and addresses that any delivery about the event's lead was sent to."""
    about = Event.objects.filter(agency_id=event.agency_id, subject=event.subject).exclude(pk=event.pk)
    sent = Q(attempts__gt=0) | Q(carrier__isnull=False) | Q(status=DeliveryStatus.DELIVERED)
    rows = Delivery.objects.filter(sent, event__in=about).values_list("channel_id", "recipient").distinct()
    return {(channel, "" if channel else address) for channel, address in rows}


def _due(now: datetime) -> QuerySet[Event]:
    due = Event.objects.filter(fanned_out_at__isnull=True, next_attempt_at__lte=now + SAME_REPORT_WINDOW)
    due = due.exclude(Exists(unattempted_reactions(now)))  # the events of its reactions are sent with it
    return due.order_by("next_attempt_at")


@transaction.atomic
def _fan_out_due(now: datetime, limit: int) -> int:
    due = _due(now).select_for_update(skip_locked=True)
    events = list(due[:limit])
    if len(events) == limit and events[-1].subject:  # all events of one report together
        ids = {event.pk for event in events}
        events += [event for event in due.filter(subject=events[-1].subject)[:limit] if event.pk not in ids]
    _create_deliveries(events)
    return len(events)


def _create_deliveries(events: Sequence[Event]) -> None:
    listening = _enabled_channels({event.agency_id for event in events})
    flapping_ends = flapping_until(filter(None, map(account_id_of, events)), timezone.now())
    refused = refused_by_conditions(events, [channel for channels in listening.values() for channel in channels])
    made = []
    for event in events:
        enabled = [channel for channel in listening[event.agency_id] if channel.status == ChannelStatus.ENABLED]
        made += deliveries_for(event, enabled, flapping_ends, refused)
    hold_excess_mails(made)
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(fanned_out_at=timezone.now(), error="")


def _enabled_channels(agencies: Iterable[str]) -> dict[str, list[Channel]]:
    by_agency = defaultdict(list)
    # Encrypted fields are not read: a channel that cannot be decrypted must not block others.
    channels = Channel.objects.filter(agency_id__in=agencies, status=ChannelStatus.ENABLED).select_related("agency")
    for channel in channels.defer("url", "headers"):
        by_agency[channel.agency_id].append(channel)
    return by_agency


def _fan_out_one(pk: str) -> int:
    try:
        with transaction.atomic():
            event = Event.objects.select_for_update(skip_locked=True).filter(pk=pk, fanned_out_at__isnull=True).first()
            if event is None:
                return 0
            _create_deliveries([event])
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("An event could not be fanned out.", event_id=pk)
        attempts = Event.objects.values_list("attempts", flat=True).get(pk=pk) + 1
        Event.objects.filter(pk=pk).update(
            attempts=attempts,
            error=f"{type(error).__name__}: {error}"[:500],
            next_attempt_at=BACKOFF.next_attempt_at(attempts),
        )
        return 0
    return 1
