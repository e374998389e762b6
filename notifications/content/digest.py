"""Several events in one message: those of one story as one sentence, those of many as a summary people read.

A summary has a line for each story, first what somebody has to do something about, then the rest by what it is about.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from django.conf import settings

from accounts.core.enums import EventType
from accounts.core.text import safe_line
from accounts.models import Event
from accounts.tenancy.localtime import format_local_time, override_locale
from leads.enums import LeadStatus
from leads.pipeline.history import ALSO_TOLD
from notifications.content import rendering
from notifications.content.catalogue import CATALOGUE
from notifications.content.event_kinds import HEADINGS
from notifications.content.rendering import MAX_SUBJECT_LENGTH, Fact, Message, render, tidy
from notifications.content.stories import LEAD_STORY, STATUS_CHANGES, story
from notifications.message import PreparedDelivery
from notifications.models import Mode

NEEDS_SOMEBODY = "Needs somebody"
MAX_LINES = 30  # under one heading
MAX_STEPS = 6  # of a lead's way
_OPENINGS = {Mode.INSTANT: "While you were away", Mode.HOURLY: "The last hour", Mode.DAILY: "Your day"}
#: Which of a lead's events says most, of those that say the same moment.
_TELLING = (EventType.LEAD_STATUS_CHANGED, EventType.LEAD_CREATED, *ALSO_TOLD.values())
_PAGES = {"lead_": "leads", "acc_": "linkedin"}  # how a subject's id begins --> where its page lies


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    changes: str
    next_step: str
    happened_at: str
    late: bool
    url: str


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    lines: tuple[Line, ...]
    more: int


def message_for(prepared: PreparedDelivery) -> Message:
    """What a parcel says, in its agency's way to write times."""
    with override_locale(prepared.agency.locale):
        return _message(prepared)


def _message(prepared: PreparedDelivery) -> Message:
    """A parcel in words, whatever it tells."""
    if not prepared.together:
        return rendering.message_for(prepared)
    stories = stories_of(prepared.together)
    if len(stories) > 1:
        return _summary(prepared, stories)
    changes = changes_of(stories[0])
    facts = (Fact("Changes", changes),) if changes else ()
    return rendering.message_for(replace(prepared, event=merged(stories[0])), facts)


def stories_of(events: Sequence[Event]) -> list[list[Event]]:
    """The events by what they are about, each story in its order, the latest story last."""
    found = defaultdict(list)
    for event in events:
        found[story(event)].append(event)
    return sorted(found.values(), key=lambda told: told[-1].occurred_at)


def merged(events: Sequence[Event]) -> Event:
    """What a story comes to: of a lead the first `previous_status` and the last `status`."""
    main = _most_telling(events)
    body = dict(main.payload)
    changes = [event.payload for event in events if event.event_type in STATUS_CHANGES]
    if changes:
        body.pop("previous_status", None)
        body |= {name: changes[-1][name] for name in ("status", "status_label") if name in changes[-1]}
        body |= {name: changes[0][name] for name in ("previous_status",) if name in changes[0]}
    return Event(
        pk=main.pk,
        agency_id=main.agency_id,
        event_type=main.event_type,
        payload=body,
        subject=main.subject,
        location_id=main.location_id,
        occurred_at=events[-1].occurred_at,
        created_at=events[-1].created_at,
        is_test=main.is_test,
    )


def changes_of(events: Sequence[Event]) -> str:
    """How often something changed, and a lead's way; empty: once."""
    if events[0].event_type not in LEAD_STORY:
        return f"{len(events)} changes" if len(events) > 1 else ""
    steps = {(event.occurred_at, event.payload.get("status")): event for event in events}
    moves = [event.payload for event in steps.values() if event.event_type in STATUS_CHANGES]
    if len(moves) < 2:
        return ""
    labels = [_label(moves[0].get("previous_status")), *(_label(move.get("status")) for move in moves)]
    way = [label for label in labels if label]
    if len(way) > MAX_STEPS:
        way = [*way[: MAX_STEPS // 2], "…", *way[-MAX_STEPS // 2 :]]
    return f"{len(moves)} changes: {' → '.join(way)}"


def _most_telling(events: Sequence[Event]) -> Event:
    if events[0].event_type not in LEAD_STORY:
        return events[-1]
    telling = [event for event in events if event.event_type != EventType.LEAD_STATUS_CHANGED] or events
    return max(telling, key=lambda event: (event.occurred_at, _TELLING.index(EventType(event.event_type))))


def _summary(prepared: PreparedDelivery, stories: Sequence[Sequence[Event]]) -> Message:
    sections = _sections(prepared, stories)
    asking = sum(len(section.lines) + section.more for section in sections if section.title == NEEDS_SOMEBODY)
    context: dict[str, Any] = {
        "opening": _opening(prepared),
        "agency": safe_line(prepared.agency.name) or "your agency",
        "sections": sections,
        "count": len(stories),
        "asking": asking,
        "action_label": "Open Leadline",
        "action_url": f"{settings.PUBLIC_URL}/",
        "log_url": f"{settings.PUBLIC_URL}/notifications/deliveries",
        "unsubscribe_url": rendering.unsubscribe_url(prepared.channel),
    }
    subject = safe_line(render("email/summary.subject.txt", context, html=False), MAX_SUBJECT_LENGTH)
    context |= {"subject": subject}
    return Message(
        subject=subject,
        text=tidy(render("email/summary.txt", context, html=False)),
        html=render("email/summary.html", context, html=True),
        slack=tidy(render("email/summary.slack.txt", context, html=False)),
        facts=(),
        action_label=context["action_label"],
        action_url=context["action_url"],
    )


def _opening(prepared: PreparedDelivery) -> str:
    channel = prepared.channel
    if channel is None or (channel.mode == Mode.INSTANT and not channel.quiet_hours and not channel.working_days):
        return "In short"
    return _OPENINGS[Mode(channel.mode)]


def _sections(prepared: PreparedDelivery, stories: Sequence[Sequence[Event]]) -> list[Section]:
    found: dict[str, list[Line]] = defaultdict(list)
    for events in reversed(stories):  # the latest first
        event = merged(events)
        kind = CATALOGUE[EventType(event.event_type)]
        found[NEEDS_SOMEBODY if kind.asks else kind.heading].append(_line(prepared, event, events))
    return [
        Section(title, tuple(found[title][:MAX_LINES]), max(0, len(found[title]) - MAX_LINES))
        for title in (NEEDS_SOMEBODY, *HEADINGS)
        if title in found
    ]


def _line(prepared: PreparedDelivery, event: Event, events: Sequence[Event]) -> Line:
    return Line(
        text=rendering.subject_of(replace(prepared, event=event, together=())),
        changes=changes_of(events),
        next_step=rendering.next_step(event, prepared.owner_mail),
        happened_at=format_local_time(event.occurred_at, rendering.zone_of(prepared)),
        late=rendering.is_late(event),
        url=_page(event.subject),
    )


def _page(subject: str) -> str:
    """The page of what an event is about; empty: it has none."""
    places = [place for start, place in _PAGES.items() if subject.startswith(start)]
    return f"{settings.PUBLIC_URL}/{places[0]}/{quote(subject)}" if places else ""


def _label(status: Any) -> str:
    return LeadStatus(status).label if status in set(LeadStatus) else ""
