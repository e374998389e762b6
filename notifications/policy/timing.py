"""Decide when a delivery is due. Programs get every event at once; messages to people may wait, visibly.

Whether a channel gets an event is decided before (`fan_out.is_interested`), when it is recorded.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.core.enums import EventType
from accounts.events.ordering import MAX_ALERT_AGE
from accounts.models import Event
from leads.enums import LeadStatus
from leads.pipeline.history import ADDITIONAL_EVENTS
from notifications.content.catalogue import CATALOGUE
from notifications.content.stories import LEAD_STORY, account_id_of, story_key
from notifications.models import Channel, ChannelKind, Hold, Mode
from notifications.policy import alert_policy
from notifications.policy.quiet_hours import quiet_hours_of

#: Batch of deliveries that wait for a digest or for the end of quiet hours.
DIGEST_BATCH = "summary"
#: Statuses that do not wait for further changes.
IMMEDIATE_STATUSES = frozenset({LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY})
#: Wait for the companion event, such as `lead_replied` beside `lead_status_changed`.
COMPANION_WAIT = timedelta(seconds=5)
#: A test is due so much before what became due when it was sent: it goes first.
HEAD_START = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class DeliveryPlan:
    """Hold the columns of a delivery that say when it is due, why it waits, and what it is combined with."""

    next_attempt_at: datetime
    hold: str = ""
    batch: str = ""
    urgent: bool = False


def plan_delivery(
    channel: Channel, event: Event, now: datetime, flapping_until: datetime | None = None
) -> DeliveryPlan:
    """Plan the delivery of `event` to `channel` (with its agency). `flapping_until`: its account flaps until then."""
    if event.channel_id:  # a person tests the channel: first of all that waits for it
        now -= HEAD_START
    planned, alert_at = (
        _plan_without_alert(channel, event, now, flapping_until),
        alert_policy.alert_due_at(event, channel),
    )
    if alert_at is None or alert_at <= planned.next_attempt_at:
        return planned
    return replace(planned, next_attempt_at=alert_at, hold=planned.hold or Hold.ALERT)


def _plan_without_alert(channel: Channel, event: Event, now: datetime, flapping_until: datetime | None) -> DeliveryPlan:
    if channel.kind == ChannelKind.WEBHOOK:
        return DeliveryPlan(now)
    urgent = is_urgent(channel, event)
    hours, mode = quiet_hours_of(channel), Mode(channel.mode)
    if not urgent and mode is not Mode.INSTANT:
        return DeliveryPlan(hours.next_digest_time(mode, now), Hold.DIGEST, DIGEST_BATCH)
    if not urgent and (later := hours.next_open_time(now)) > now:
        return DeliveryPlan(later, Hold.QUIET_HOURS, DIGEST_BATCH)
    if not urgent and flapping_until is not None and flapping_until > now:
        return DeliveryPlan(flapping_until, Hold.FLAPPING, f"{account_id_of(event)}/settles")
    if not event.subject or event.event_type not in LEAD_STORY:
        return DeliveryPlan(now, urgent=urgent)
    wait = _conflation_wait(channel, event, urgent=urgent)
    return DeliveryPlan(now + wait, Hold.CONFLATION if wait else "", _batch_key(channel, event), urgent)


def is_urgent(channel: Channel, event: Event) -> bool:
    """Return whether the event waits for nothing: by its type, by the channel's choice, or because a person asked."""
    if event.channel_id:
        return True
    if event.created_at - event.occurred_at > MAX_ALERT_AGE:
        return False
    kinds = [event.event_type, *_companion_events(event), *alert_policy.replaced_event_types(event)]
    return any(kind in channel.urgent_event_types or CATALOGUE[EventType(kind)].urgent for kind in kinds)


def _conflation_wait(channel: Channel, event: Event, *, urgent: bool) -> timedelta:
    window = timedelta(seconds=channel.conflation_seconds)
    prompt = urgent or event.event_type == EventType.LEAD_CREATED or event.payload.get("status") in IMMEDIATE_STATUSES
    if not prompt and window:
        return window
    comes = any(not channel.event_types or kind in channel.event_types for kind in _companion_events(event))
    return COMPANION_WAIT if comes else timedelta(0)


def _companion_events(event: Event) -> list[EventType]:
    """Return the event types that are recorded beside a lead's status change."""
    if event.event_type != EventType.LEAD_STATUS_CHANGED:
        return []
    return [kind for status, kind in ADDITIONAL_EVENTS.items() if status == event.payload.get("status")]


def _batch_key(channel: Channel, event: Event) -> str:
    """Return the key of deliveries to combine: one change, or with conflation all changes of a story."""
    if channel.conflation_seconds:
        return story_key(event)
    return f"{event.subject}/{event.payload.get('status', '')}/{event.occurred_at.timestamp()}"
