"""One Delivery for each interested channel, or for the one address an Event is meant for."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from notifications.content.stories import STATUS_CHANGES, account_of
from notifications.delivery.recipient_limit import hold_back
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.policy import alert_policy
from notifications.policy.timing import plan
from notifications.staff import alerts as staff

log = structlog.get_logger(__name__)

BATCH = 200
BACKOFF = Backoff([*(timedelta(seconds=5) * 2**step for step in range(10)), timedelta(hours=1)], is_endless=True)
#: The events of one transaction bear times that differ by less, and are taken up together.
ONE_REPORT = timedelta(seconds=1)
#: Follows at once on an event that said the same; people hear of it only where they ticked it.
AFTERTHOUGHTS = frozenset({EventType.REAUTH_REQUESTED})
ABOUT_CHANNELS = frozenset({EventType.CHANNEL_FAILING, EventType.CHANNEL_DISABLED, EventType.CHANNEL_RECOVERED})


def fan_out(limit: int = BATCH) -> int:
    """Make the Deliveries of `limit` due Events, or a few more; how many Events were taken up.

    Idempotent and safe beside others doing the same. An Event that cannot be fanned out keeps its error, counts its
    attempts, waits longer each time, and holds up no other.
    """
    now = timezone.now()
    if not _due(now).exists():
        return 0
    try:
        return _fan_out_due(now, limit)
    except Exception as error:
        if is_outage(error):
            raise
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
    if event.event_type == EventType.ACCOUNTS_INCIDENT and channel.kind != ChannelKind.WEBHOOK:
        return alert_policy.stands_for(event, channel)
    ticked = event.event_type in channel.event_types
    if channel.kind != ChannelKind.WEBHOOK and event.event_type in AFTERTHOUGHTS and not ticked:
        return False
    if channel.event_types and not ticked:
        return False
    if event.is_test and not channel.test_events:
        return False
    if not _hears_of_status(channel, event) or not _hears_of_language(channel, event):
        return False
    return not channel.locations or event.location_id in channel.locations


def _hears_of_status(channel: Channel, event: Event) -> bool:
    """A channel that chose statuses hears of changes to these only; a new lead is no change."""
    if not channel.lead_statuses or event.event_type not in STATUS_CHANGES:
        return True
    return event.payload.get("status") in channel.lead_statuses


def _hears_of_language(channel: Channel, event: Event) -> bool:
    """A channel that chose languages of forms hears of no other leads, except while a form's answers, and with them
    its language, are still to come: better one too many than one missed."""
    if not channel.creation_locales or "lead_id" not in event.payload:
        return True
    return event.creation_locale in channel.creation_locales or "details_pending" in event.payload


def deliveries_of(
    event: Event, channels: Iterable[Channel], restless: Mapping[str, datetime] = MappingProxyType({})
) -> list[Delivery]:
    """The Deliveries, unsaved, of `event` to those of its agency's `channels` (with it loaded) that hear it.

    `restless` are the accounts that flap, and when they will have settled.
    """
    if event.event_type in STAFF_EVENTS:
        return [Delivery(agency_id=event.agency_id, event=event, recipient=whom) for whom in staff.recipients()]
    if event.recipient:
        return [Delivery(agency_id=event.agency_id, event=event, recipient=event.recipient)]
    now, settles_at = timezone.now(), restless.get(account_of(event))
    got_it = _who_got(event) if event.event_type == EventType.LEAD_ERASED and not event.channel_id else None
    made = [
        Delivery(
            agency_id=event.agency_id, event=event, channel=channel, **asdict(plan(channel, event, now, settles_at))
        )
        for channel in channels
        if (hears(channel, event) if got_it is None else (channel.pk, "") in got_it)
    ]
    return made + [
        Delivery(agency_id=event.agency_id, event=event, recipient=address)
        for channel_id, address in sorted(got_it or (), key=str)
        if channel_id is None and address
    ]


def _who_got(event: Event) -> set[tuple[str | None, str]]:
    """The channels and addresses to which anything about the event's lead was ever sent, whatever they listen to."""
    about = Event.objects.filter(agency_id=event.agency_id, subject=event.subject).exclude(pk=event.pk)
    sent = Q(attempts__gt=0) | Q(carrier__isnull=False) | Q(status=DeliveryStatus.DELIVERED)
    rows = Delivery.objects.filter(sent, event__in=about).values_list("channel_id", "recipient").distinct()
    return {(channel, "" if channel else address) for channel, address in rows}


def _due(now: datetime) -> QuerySet[Event]:
    due = Event.objects.filter(fanned_out_at__isnull=True, next_attempt_at__lte=now + ONE_REPORT)
    due = due.exclude(Exists(unattempted_reactions(now)))  # what a reaction tells is told with it
    return due.order_by("next_attempt_at")


@transaction.atomic
def _fan_out_due(now: datetime, limit: int) -> int:
    due = _due(now).select_for_update(skip_locked=True)
    events = list(due[:limit])
    if len(events) == limit and events[-1].subject:  # not a part of what one report said
        taken = {event.pk for event in events}
        events += [event for event in due.filter(subject=events[-1].subject)[:limit] if event.pk not in taken]
    _write(events)
    return len(events)


def _write(events: Sequence[Event]) -> None:
    listening = _listening({event.agency_id for event in events})
    restless = flapping_until(filter(None, map(account_of, events)), timezone.now())
    made = [delivery for event in events for delivery in deliveries_of(event, listening[event.agency_id], restless)]
    hold_back(made)
    Delivery.objects.bulk_create(made, ignore_conflicts=True)
    Event.objects.filter(pk__in=[event.pk for event in events]).update(fanned_out_at=timezone.now(), error="")


def _listening(agencies: Iterable[str]) -> dict[str, list[Channel]]:
    by_agency = defaultdict(list)
    # Nothing encrypted is read: a damaged channel must not hold up the others.
    channels = Channel.objects.filter(agency_id__in=agencies, status=ChannelStatus.ENABLED).select_related("agency")
    for channel in channels.defer("url", "headers"):
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
