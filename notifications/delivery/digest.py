"""Deliveries to people that are due together become one message, in one transaction and before anything is sent.

The oldest carries it: its id is the Message-ID, its lease and attempts are the message's. So a worker that dies between
sending and settling sends the same message again, and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from notifications.content.stories import LEAD_STORY, STATUS_CHANGES, story
from notifications.delivery.relevance import no_longer_needed
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus, Hold
from notifications.policy.alert_policy import told_elsewhere
from notifications.policy.quiet_hours import hours_of
from notifications.policy.timing import PROMPT, SUMMARY, Plan, plan

CHANNELS = 50  # in one go
MAX_DELIVERIES = 2000  # Deliveries in one message; what is over goes into the next
CHANNEL_OFF = "The channel was off."
BACK_AGAIN = "Nothing to tell: the lead is back where it was."


def gather() -> int:
    """Make messages of what waited and is due; how many channels were looked at.

    Idempotent and safe beside others doing the same: a channel is gathered under its lock.
    """
    now = timezone.now()
    channels = list(_due(now).order_by().values_list("channel_id", flat=True).distinct()[:CHANNELS])
    for channel_id in channels:
        with transaction.atomic():
            _gather_channel(channel_id, now)
    return len(channels)


def replan(channel: Channel) -> None:
    """Let what waits follow the channel's rules as they are now. The channel is locked, its agency loaded."""
    now = timezone.now()
    rows = list(_waiting().filter(channel=channel).select_related("event"))
    for row in rows:
        for name, value in asdict(plan(channel, row.event, now)).items():
            setattr(row, name, value)
    Delivery.objects.bulk_update(rows, [field.name for field in fields(Plan)], batch_size=500)


def cancel(deliveries: QuerySet[Delivery], reason: str) -> None:
    """They stay in the log, with the reason."""
    deliveries.update(
        status=DeliveryStatus.CANCELLED, hold="", error=reason[:500], next_attempt_at=None, leased_until=None
    )


def leave(deliveries: QuerySet[Delivery]) -> None:
    """Take them out of the messages they were gathered into; what they carried is gathered anew."""
    deliveries.update(carrier=None)
    carried = Delivery.objects.filter(carrier__in=deliveries.values("pk"), status=DeliveryStatus.PENDING)
    carried.update(carrier=None, batch=SUMMARY, next_attempt_at=timezone.now())


def _due(now: datetime) -> QuerySet[Delivery]:
    return _waiting().filter(next_attempt_at__lte=now)


def _waiting() -> QuerySet[Delivery]:
    """What partial indexes hold."""
    return Delivery.objects.exclude(batch="").filter(status=DeliveryStatus.PENDING)


def _gather_channel(channel_id: str, now: datetime) -> None:
    channels = Channel.objects.select_related("agency").defer("url", "headers")
    channel = channels.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=channel_id).first()
    if channel is None:  # gone, or gathered by somebody else at this moment
        return
    due = _due(now).filter(channel=channel)
    if channel.status != ChannelStatus.ENABLED:
        cancel(due, CHANNEL_OFF)
        return
    for batch in set(due.order_by().values_list("batch", flat=True)):
        _gather_batch(channel, batch, now)


def _gather_batch(channel: Channel, batch: str, now: datetime) -> None:
    waiting = _waiting().filter(channel=channel, batch=batch)
    rows = list(waiting.select_related("event").order_by("pk").select_for_update(of=("self",))[:MAX_DELIVERIES])
    rows.sort(key=lambda row: (row.event.occurred_at, row.event_id))
    urgent = any(row.urgent for row in rows)
    later = hours_of(channel).open_from(now)
    if later > now and not urgent:
        waiting.update(next_attempt_at=later, hold=Hold.QUIET_HOURS, batch=SUMMARY)
        return
    settled = max(row.next_attempt_at or now for row in rows)
    if settled > now and all(row.hold == Hold.FLAPPING for row in rows):
        waiting.update(next_attempt_at=settled)
        return
    elsewhere = told_elsewhere(rows, {channel.pk: channel})
    dropped = (
        {row.event_id: elsewhere[row.pk] for row in rows if row.pk in elsewhere}
        | no_longer_needed(row.event for row in rows)
        | _back_where_they_were(rows)
    )
    for reason in set(dropped.values()):
        events = [pk for pk, why in dropped.items() if why == reason]
        cancel(waiting.filter(event_id__in=events), reason)
    kept = [row for row in rows if row.event_id not in dropped]
    if kept:
        _send_together(kept, urgent=urgent, now=now)


def _send_together(rows: Sequence[Delivery], *, urgent: bool, now: datetime) -> None:
    carrier, *others = rows
    Delivery.objects.filter(pk__in=[row.pk for row in others]).update(
        carrier=carrier, batch="", hold="", next_attempt_at=None
    )
    Delivery.objects.filter(pk=carrier.pk).update(batch="", hold="", next_attempt_at=now, urgent=urgent)


def _back_where_they_were(rows: Iterable[Delivery]) -> dict[str, str]:
    """The changes of leads that all in all changed nothing; those that people wait for are told even so."""
    stories = defaultdict(list)
    for row in rows:
        if row.event.subject and row.event.event_type in LEAD_STORY:
            stories[story(row.event)].append(row.event)
    return {
        event.pk: BACK_AGAIN
        for events in stories.values()
        if all(event.event_type in STATUS_CHANGES and event.payload.get("status") not in PROMPT for event in events)
        and events[0].payload.get("previous_status", "") == events[-1].payload.get("status")
        for event in events
    }
