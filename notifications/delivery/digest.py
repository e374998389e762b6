"""Combine deliveries to people that are due together into one message, in a transaction before anything is sent.

The oldest delivery carries the message: its id is the Message-ID, its lease and attempts count for the message. A
worker that dies between sending and saving the result sends the same message again, and nothing else.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from notifications.content.stories import LEAD_STORY, STATUS_CHANGES, story_key
from notifications.delivery.relevance import obsolete_reasons
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus, Hold, error_fields
from notifications.policy.alert_policy import superseded_reasons
from notifications.policy.quiet_hours import quiet_hours_of
from notifications.policy.timing import DIGEST_BATCH, IMMEDIATE_STATUSES, DeliveryPlan, plan_delivery

MAX_CHANNELS = 50  # in one call
MAX_DELIVERIES = 2000  # in one message; the rest goes into the next
CHANNEL_OFF = gettext_noop("The channel was off.")
UNCHANGED_LEAD = gettext_noop("Nothing to tell: the lead is back where it was.")


def build_digests() -> int:
    """Combine waiting deliveries that are due. Return how many channels had any.

    Idempotent, and safe beside other workers: each channel is locked.
    """
    now = timezone.now()
    channels = list(_due(now).order_by().values_list("channel_id", flat=True).distinct()[:MAX_CHANNELS])
    for channel_id in channels:
        with transaction.atomic():
            _build_channel_digests(channel_id, now)
    return len(channels)


def reschedule_waiting(channel: Channel) -> None:
    """Apply the channel's current rules to its waiting deliveries. The channel is locked, its agency loaded."""
    now = timezone.now()
    rows = list(_waiting().filter(channel=channel).select_related("event"))
    for row in rows:
        for name, value in asdict(plan_delivery(channel, row.event, now)).items():
            setattr(row, name, value)
    Delivery.objects.bulk_update(rows, [field.name for field in fields(DeliveryPlan)], batch_size=500)


def cancel_deliveries(deliveries: QuerySet[Delivery], reason: str) -> None:
    """Cancel deliveries. They stay in the log with the reason."""
    deliveries.update(
        status=DeliveryStatus.CANCELLED, hold="", next_attempt_at=None, leased_until=None, **error_fields(reason)
    )


def remove_from_digests(deliveries: QuerySet[Delivery]) -> None:
    """Remove deliveries from their digests. Deliveries that they carried are combined anew."""
    deliveries.update(carrier=None)
    carried = Delivery.objects.filter(carrier__in=deliveries.values("pk"), status=DeliveryStatus.PENDING)
    carried.update(carrier=None, batch=DIGEST_BATCH, next_attempt_at=timezone.now())


def _due(now: datetime) -> QuerySet[Delivery]:
    return _waiting().filter(next_attempt_at__lte=now)


def _waiting() -> QuerySet[Delivery]:
    """Return deliveries that wait for a digest, as partial indexes hold them."""
    return Delivery.objects.exclude(batch="").filter(status=DeliveryStatus.PENDING)


def _build_channel_digests(channel_id: str, now: datetime) -> None:
    channels = Channel.objects.select_related("agency").defer("url", "headers")
    channel = channels.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=channel_id).first()
    if channel is None:  # deleted, or locked by another worker
        return
    due = _due(now).filter(channel=channel)
    if channel.status != ChannelStatus.ENABLED:
        cancel_deliveries(due, CHANNEL_OFF)
        return
    for batch in set(due.order_by().values_list("batch", flat=True)):
        _build_digest(channel, batch, now)


def _build_digest(channel: Channel, batch: str, now: datetime) -> None:
    waiting = _waiting().filter(channel=channel, batch=batch)
    rows = list(waiting.select_related("event").order_by("pk").select_for_update(of=("self",))[:MAX_DELIVERIES])
    rows.sort(key=lambda row: (row.event.occurred_at, row.event_id))
    urgent = any(row.urgent for row in rows)
    later = quiet_hours_of(channel).next_open_time(now)
    if later > now and not urgent:
        waiting.update(next_attempt_at=later, hold=Hold.QUIET_HOURS, batch=DIGEST_BATCH)
        return
    latest = max(row.next_attempt_at or now for row in rows)
    if latest > now and all(row.hold == Hold.FLAPPING for row in rows):
        waiting.update(next_attempt_at=latest)
        return
    superseded = superseded_reasons(rows, {channel.pk: channel})
    cancelled = (
        {row.event_id: superseded[row.pk] for row in rows if row.pk in superseded}
        | obsolete_reasons(row.event for row in rows)
        | _without_net_change(rows)
    )
    for reason in set(cancelled.values()):
        events = [pk for pk, why in cancelled.items() if why == reason]
        cancel_deliveries(waiting.filter(event_id__in=events), reason)
    kept = [row for row in rows if row.event_id not in cancelled]
    if kept:
        _combine_deliveries(kept, urgent=urgent, now=now)


def _combine_deliveries(rows: Sequence[Delivery], *, urgent: bool, now: datetime) -> None:
    carrier, *others = rows
    Delivery.objects.filter(pk__in=[row.pk for row in others]).update(
        carrier=carrier, batch="", hold="", next_attempt_at=None
    )
    Delivery.objects.filter(pk=carrier.pk).update(batch="", hold="", next_attempt_at=now, urgent=urgent)


def _without_net_change(rows: Iterable[Delivery]) -> dict[str, str]:
    """Return the lead changes that cancel each other out, with the reason. Statuses sent at once stay."""
    stories = defaultdict(list)
    for row in rows:
        if row.event.subject and row.event.event_type in LEAD_STORY:
            stories[story_key(row.event)].append(row.event)
    return {
        event.pk: UNCHANGED_LEAD
        for events in stories.values()
        if all(
            event.event_type in STATUS_CHANGES and event.payload.get("status") not in IMMEDIATE_STATUSES
            for event in events
        )
        and events[0].payload.get("previous_status", "") == events[-1].payload.get("status")
        for event in events
    }
