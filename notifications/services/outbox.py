"""One Delivery for each interested channel, or for the one address an Event is meant for."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.models import Event
from accounts.vocabulary import PERSONAL_EVENTS, EventType
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery

log = structlog.get_logger(__name__)

BATCH = 200
LONGEST_WAIT = timedelta(hours=1)
#: Follows at once on an event that said the same; people hear of it only where they ticked it.
AFTERTHOUGHTS = frozenset({EventType.REAUTH_REQUESTED})
ABOUT_CHANNELS = frozenset({EventType.CHANNEL_FAILING, EventType.CHANNEL_DISABLED, EventType.CHANNEL_RECOVERED})


def fan_out(limit: int = BATCH) -> int:
    """Make the Deliveries of up to `limit` due Events; how many Events were taken up.

    Idempotent and safe beside others doing the same. An Event that cannot be fanned out keeps its error, counts its
    attempts, waits longer each time, and holds up no other.
    """
    now = timezone.now()
    if not _due(now).exists():
        return 0
    try:
        return _fan_out_due(now, limit)
    except Exception:
        log.exception("A batch of events could not be fanned out; now one by one.")
        return sum(_fan_out_alone(pk) for pk in list(_due(now).values_list("pk", flat=True)[:limit]))


def hears(channel: Channel, event: Event) -> bool:
    """Whether `channel` is to get `event`."""
    if event.recipient or event.event_type in PERSONAL_EVENTS:
        return False
    if event.channel_id:
        return event.channel_id == channel.pk
    if event.event_type in ABOUT_CHANNELS and event.subject == channel.pk:
        return False
    ticked = event.event_type in channel.event_types
    if channel.kind != ChannelKind.WEBHOOK and event.event_type in AFTERTHOUGHTS and not ticked:
        return False
    if channel.event_types and not ticked:
        return False
    return not channel.locations or event.location_id in channel.locations


def deliveries_of(event: Event, channels: Iterable[Channel]) -> list[Delivery]:
    """The Deliveries, unsaved, of `event` to those of its agency's `channels` that hear it."""
    if event.recipient:
        return [Delivery(agency_id=event.agency_id, event=event, recipient=event.recipient)]
    return [
        Delivery(agency_id=event.agency_id, event=event, channel=channel)
        for channel in channels
        if hears(channel, event)
    ]


def _due(now: datetime) -> QuerySet[Event]:
    return Event.objects.filter(fanned_out_at__isnull=True, next_attempt_at__lte=now).order_by("next_attempt_at")


@transaction.atomic
def _fan_out_due(now: datetime, limit: int) -> int:
    events = list(_due(now).select_for_update(skip_locked=True)[:limit])
    _write(events)
    return len(events)


def _write(events: Sequence[Event]) -> None:
    listening = _listening({event.agency_id for event in events})
    Delivery.objects.bulk_create(
        [delivery for event in events for delivery in deliveries_of(event, listening[event.agency_id])],
        ignore_conflicts=True,
    )
    Event.objects.filter(pk__in=[event.pk for event in events]).update(fanned_out_at=timezone.now(), error="")


def _listening(agencies: Iterable[str]) -> dict[str, list[Channel]]:
    by_agency = defaultdict(list)
    # Nothing encrypted is read: a damaged channel must not hold up the others.
    channels = Channel.objects.filter(agency_id__in=agencies, status=ChannelStatus.ENABLED).defer("url", "headers")
    for channel in channels:
        by_agency[channel.agency_id].append(channel)
    return by_agency


def _fan_out_alone(pk: str) -> int:
    try:
        with transaction.atomic():
            event = Event.objects.select_for_update(skip_locked=True).filter(pk=pk, fanned_out_at__isnull=True).first()
            if event is None:
                return 0
            _write([event])
    except Exception as error:
        log.exception("An event could not be fanned out.", event_id=pk)
        attempts = Event.objects.values_list("attempts", flat=True).get(pk=pk)
        wait = min(timedelta(seconds=5) * 2 ** min(attempts, 12), LONGEST_WAIT)
        Event.objects.filter(pk=pk).update(
            attempts=F("attempts") + 1,
            error=f"{type(error).__name__}: {error}"[:500],
            next_attempt_at=timezone.now() + wait,
        )
        return 0
    return 1
