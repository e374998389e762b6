"""When a Delivery is due. A program gets every event at once; what people get may wait, visibly.

Holding is about delivery: what a channel hears of was decided before (`outbox.hears`), at the moment it happened.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from accounts.core.enums import EventType
from accounts.events.ordering import MAX_ALERT_AGE
from accounts.models import Event
from leads.enums import LeadStatus
from leads.pipeline.history import ALSO_TOLD
from notifications.content.catalogue import CATALOGUE
from notifications.content.stories import LEAD_STORY, account_of, story
from notifications.models import Channel, ChannelKind, Hold, Mode
from notifications.policy import alert_policy
from notifications.policy.quiet_hours import hours_of

#: What waits for a summary, or for the end of the quiet hours, goes out as one message.
SUMMARY = "summary"
#: Statuses for which nobody waits to see whether more comes.
PROMPT = frozenset({LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY})
#: `lead_replied` and the like come with a `lead_status_changed`, which they take along.
COMPANION_WAIT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns of a Delivery that say when it is due, why it waits, and with what it is one message."""

    next_attempt_at: datetime
    hold: str = ""
    batch: str = ""
    urgent: bool = False


def plan(channel: Channel, event: Event, now: datetime, settles_at: datetime | None = None) -> Plan:
    """When `channel` (its agency loaded) gets `event`; `stable_at`: its account flaps until then."""
    planned, alert_at = _plan(channel, event, now, settles_at), alert_policy.due_at(event, channel)
    if alert_at is None or alert_at <= planned.next_attempt_at:
        return planned
    return replace(planned, next_attempt_at=alert_at, hold=planned.hold or Hold.ALERT)


def _plan(channel: Channel, event: Event, now: datetime, settles_at: datetime | None) -> Plan:
    if channel.kind == ChannelKind.WEBHOOK:
        return Plan(now)
    urgent = is_urgent(channel, event)
    hours, mode = hours_of(channel), Mode(channel.mode)
    if not urgent and mode is not Mode.INSTANT:
        return Plan(hours.next_summary(mode, now), Hold.DIGEST, SUMMARY)
    if not urgent and (later := hours.open_from(now)) > now:
        return Plan(later, Hold.QUIET_HOURS, SUMMARY)
    if not urgent and settles_at is not None and settles_at > now:
        return Plan(settles_at, Hold.FLAPPING, f"{account_of(event)}/settles")
    if not event.subject or event.event_type not in LEAD_STORY:
        return Plan(now, urgent=urgent)
    wait = _wait_for_more(channel, event, urgent=urgent)
    return Plan(now + wait, Hold.CONFLATION if wait else "", _batch(channel, event), urgent)


def is_urgent(channel: Channel, event: Event) -> bool:
    """Whether it goes through at once: by its type, because the agency said so, or because a person asked for it."""
    if event.channel_id:
        return True
    if event.created_at - event.occurred_at > MAX_ALERT_AGE:
        return False
    kinds = [event.event_type, *_companion(event), *alert_policy.stands_in_for(event)]
    return any(kind in channel.urgent_event_types or CATALOGUE[EventType(kind)].urgent for kind in kinds)


def _wait_for_more(channel: Channel, event: Event, *, urgent: bool) -> timedelta:
    window = timedelta(seconds=channel.conflation_seconds)
    prompt = urgent or event.event_type == EventType.LEAD_CREATED or event.payload.get("status") in PROMPT
    if not prompt and window:
        return window
    comes = any(not channel.event_types or kind in channel.event_types for kind in _companion(event))
    return COMPANION_WAIT if comes else timedelta(0)


def _companion(event: Event) -> list[EventType]:
    """The event that says the same change of a lead by a name of its own."""
    if event.event_type != EventType.LEAD_STATUS_CHANGED:
        return []
    return [kind for status, kind in ALSO_TOLD.items() if status == event.payload.get("status")]


def _batch(channel: Channel, event: Event) -> str:
    """One change is one message; with a window so are all changes within it."""
    if channel.conflation_seconds:
        return story(event)
    return f"{event.subject}/{event.payload.get('status', '')}/{event.occurred_at.timestamp()}"
