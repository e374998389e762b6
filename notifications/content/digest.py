"""Render several events as one message: the events of one story as one sentence, several stories as a digest.

A digest has one line for each story: first the stories that need action, then the others by subject.
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
from leads.pipeline.history import ADDITIONAL_EVENTS
from notifications.content import rendering
from notifications.content.catalogue import CATALOGUE
from notifications.content.event_kinds import HEADINGS
from notifications.content.rendering import MAX_SUBJECT_LENGTH, Fact, Message, render_template, tidy_text
from notifications.content.stories import LEAD_STORY, STATUS_CHANGES, story_key
from notifications.message import PreparedDelivery
from notifications.models import Mode

NEEDS_SOMEBODY = "Needs somebody"
MAX_LINES = 30  # under one heading
MAX_STATUSES = 6  # named for one lead
_OPENINGS = {Mode.INSTANT: "While you were away", Mode.HOURLY: "The last hour", Mode.DAILY: "Your day"}
#: Event types of a lead, the least specific first, to choose between events of the same time.
_EVENT_RANKS = (EventType.LEAD_STATUS_CHANGED, EventType.LEAD_CREATED, *ADDITIONAL_EVENTS.values())
_PAGES = {"lead_": "leads", "acc_": "linkedin"}  # prefix of a subject's id --> path of its page


@dataclass(frozen=True, slots=True)
class DigestLine:
    text: str
    changes: str
    next_step: str
    happened_at: str
    late: bool
    url: str


@dataclass(frozen=True, slots=True)
class DigestSection:
    title: str
    lines: tuple[DigestLine, ...]
    more: int


def render_message(prepared: PreparedDelivery) -> Message:
    """Render a prepared delivery, with times in the format of its agency."""
    with override_locale(prepared.agency.locale):
        return _render(prepared)


def _render(prepared: PreparedDelivery) -> Message:
    """Render a prepared delivery as one event, one story or a digest."""
    if not prepared.digest_events:
        return rendering.render_event(prepared)
    stories = group_by_story(prepared.digest_events)
    if len(stories) > 1:
        return _render_digest(prepared, stories)
    changes = describe_changes(stories[0])
    facts = (Fact("Changes", changes),) if changes else ()
    return rendering.render_event(replace(prepared, event=merge_story(stories[0])), facts)


def group_by_story(events: Sequence[Event]) -> list[list[Event]]:
    """Return the events by story, each story in its order, the latest story last."""
    found = defaultdict(list)
    for event in events:
        found[story_key(event)].append(event)
    return sorted(found.values(), key=lambda events: events[-1].occurred_at)


def merge_story(events: Sequence[Event]) -> Event:
    """Return one unsaved event for a story: of a lead the first `previous_status` and the last `status`."""
    main = _main_event(events)
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


def describe_changes(events: Sequence[Event]) -> str:
    """Describe how often something changed, with a lead's statuses. Return "" for a single change."""
    if events[0].event_type not in LEAD_STORY:
        return f"{len(events)} changes" if len(events) > 1 else ""
    by_status = {(event.occurred_at, event.payload.get("status")): event for event in events}
    moves = [event.payload for event in by_status.values() if event.event_type in STATUS_CHANGES]
    if len(moves) < 2:
        return ""
    labels = [_label(moves[0].get("previous_status")), *(_label(move.get("status")) for move in moves)]
    labels_shown = [label for label in labels if label]
    if len(labels_shown) > MAX_STATUSES:
        labels_shown = [*labels_shown[: MAX_STATUSES // 2], "…", *labels_shown[-MAX_STATUSES // 2 :]]
    return f"{len(moves)} changes: {' → '.join(labels_shown)}"


def _main_event(events: Sequence[Event]) -> Event:
    if events[0].event_type not in LEAD_STORY:
        return events[-1]
    candidates = [event for event in events if event.event_type != EventType.LEAD_STATUS_CHANGED] or events
    return max(candidates, key=lambda event: (event.occurred_at, _EVENT_RANKS.index(EventType(event.event_type))))


def _render_digest(prepared: PreparedDelivery, stories: Sequence[Sequence[Event]]) -> Message:
    sections = _sections(prepared, stories)
    action_count = sum(len(section.lines) + section.more for section in sections if section.title == NEEDS_SOMEBODY)
    context: dict[str, Any] = {
        "opening": _opening(prepared),
        "agency": safe_line(prepared.agency.name) or "your agency",
        "brand": rendering.look_for(prepared),
        "sections": sections,
        "count": len(stories),
        "action_count": action_count,
        "action_label": "Open Leadline",
        "action_url": f"{settings.PUBLIC_URL}/",
        "log_url": f"{settings.PUBLIC_URL}/notifications/deliveries",
        "unsubscribe_url": rendering.unsubscribe_url(prepared.channel),
    }
    subject = safe_line(render_template("email/summary.subject.txt", context, html=False), MAX_SUBJECT_LENGTH)
    context |= {"subject": subject}
    return Message(
        subject=subject,
        text=tidy_text(render_template("email/summary.txt", context, html=False)),
        html=render_template("email/summary.html", context, html=True),
        slack=tidy_text(render_template("email/summary.slack.txt", context, html=False)),
        facts=(),
        action_label=context["action_label"],
        action_url=context["action_url"],
    )


def _opening(prepared: PreparedDelivery) -> str:
    channel = prepared.channel
    if channel is None or (channel.mode == Mode.INSTANT and not channel.quiet_hours and not channel.working_days):
        return "In short"
    return _OPENINGS[Mode(channel.mode)]


def _sections(prepared: PreparedDelivery, stories: Sequence[Sequence[Event]]) -> list[DigestSection]:
    found: dict[str, list[DigestLine]] = defaultdict(list)
    for events in reversed(stories):  # the latest first
        event = merge_story(events)
        kind = CATALOGUE[EventType(event.event_type)]
        found[NEEDS_SOMEBODY if kind.needs_action else kind.heading].append(_line(prepared, event, events))
    return [
        DigestSection(title, tuple(found[title][:MAX_LINES]), max(0, len(found[title]) - MAX_LINES))
        for title in (NEEDS_SOMEBODY, *HEADINGS)
        if title in found
    ]


def _line(prepared: PreparedDelivery, event: Event, events: Sequence[Event]) -> DigestLine:
    return DigestLine(
        text=rendering.render_subject(replace(prepared, event=event, digest_events=())),
        changes=describe_changes(events),
        next_step=rendering.next_step(event, prepared.owner_mail),
        happened_at=format_local_time(event.occurred_at, rendering.time_zone_of(prepared)),
        late=rendering.is_late(event),
        url=_page(event.subject),
    )


def _page(subject: str) -> str:
    """Return the URL of the subject's page, or "" if it has none."""
    places = [place for start, place in _PAGES.items() if subject.startswith(start)]
    return f"{settings.PUBLIC_URL}/{places[0]}/{quote(subject)}" if places else ""


def _label(status: Any) -> str:
    return LeadStatus(status).label if status in set(LeadStatus) else ""
