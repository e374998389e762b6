"""Render several events as one message: the events of one story as one sentence, several stories as a digest.

A digest has one line for each story: first the stories that need action, then the others by subject.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.urls import reverse
from django.utils import translation
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import EventType
from accounts.core.text import safe_line
from accounts.models import Event
from accounts.tenancy.languages import language_code_of
from accounts.tenancy.localtime import format_local_time, override_locale
from leads.enums import LeadStatus
from leads.labels import STATUSES
from leads.pipeline.history import ADDITIONAL_EVENTS
from notifications.content import rendering
from notifications.content.catalogue import CATALOGUE
from notifications.content.event_kinds import HEADINGS
from notifications.content.facts import Fact
from notifications.content.rendering import MAX_SUBJECT_LENGTH, Message, render_template, tidy_text
from notifications.content.stories import LEAD_STORY, STATUS_CHANGES, story_key
from notifications.content.subject_pages import absolute, subject_page
from notifications.message import PreparedDelivery
from notifications.models import Mode

NEEDS_ATTENTION = "Needs attention"
MAX_LINES = 30  # under one heading
MAX_STATUSES = 6  # named for one lead
_OPENINGS = {Mode.INSTANT: _("While you were away"), Mode.HOURLY: _("The last hour"), Mode.DAILY: _("Your day")}
#: Event types of a lead, the least specific first, to choose between events of the same time.
_EVENT_RANKS = (
    *(EventType.LEAD_STATUS_CHANGED, EventType.MESSAGE_RECEIVED, EventType.LEAD_CREATED),
    *ADDITIONAL_EVENTS.values(),
)


@dataclass(frozen=True, slots=True)
class DigestLine:
    text: str
    changes: str
    reply: str
    next_step: str
    happened_at: str
    late: bool
    url: str


@dataclass(frozen=True, slots=True)
class DigestSection:
    title: str
    lines: tuple[DigestLine, ...]
    more: int
    needs_action: bool = False


def render_message(prepared: PreparedDelivery) -> Message:
    """Render a prepared delivery in the language and the formats of who gets it."""
    locale = prepared.locale or prepared.agency.locale
    with translation.override(language_code_of(locale)), override_locale(locale):
        return _render(prepared)


def _render(prepared: PreparedDelivery) -> Message:
    """Render a prepared delivery as one event, one story or a digest."""
    if not prepared.digest_events:
        return rendering.render_event(prepared)
    stories = group_by_story(prepared.digest_events)
    if len(stories) > 1:
        return _render_digest(prepared, stories)
    changes = describe_changes(stories[0])
    facts = (Fact(gettext("Changes"), changes),) if changes else ()
    event = merge_story(stories[0])
    replies = {event.pk: reply_in(prepared, stories[0])}
    return rendering.render_event(replace(prepared, event=event, replies=replies), facts)


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
        changes = ngettext("%(count)d change", "%(count)d changes", len(events)) % {"count": len(events)}
        return changes if len(events) > 1 else ""
    changed = [event for event in events if event.event_type in STATUS_CHANGES]
    moves = list({(event.occurred_at, event.payload.get("status")): event.payload for event in changed}.values())
    if len(moves) < 2:
        return ""
    labels = [_label(moves[0].get("previous_status")), *(_label(move.get("status")) for move in moves)]
    labels_shown = [label for label in labels if label]
    if len(labels_shown) > MAX_STATUSES:
        labels_shown = [*labels_shown[: MAX_STATUSES // 2], "…", *labels_shown[-MAX_STATUSES // 2 :]]
    changes = ngettext("%(count)d change", "%(count)d changes", len(moves)) % {"count": len(moves)}
    return f"{changes}: {' → '.join(labels_shown)}"


def reply_in(prepared: PreparedDelivery, events: Sequence[Event]) -> str:
    """Return the latest reply among the events of a story, or ""."""
    return next((prepared.replies[event.pk] for event in reversed(events) if event.pk in prepared.replies), "")


def _main_event(events: Sequence[Event]) -> Event:
    if events[0].event_type not in LEAD_STORY:
        return events[-1]
    candidates = [event for event in events if event.event_type != EventType.LEAD_STATUS_CHANGED] or events
    return max(candidates, key=lambda event: (event.occurred_at, _EVENT_RANKS.index(EventType(event.event_type))))


def _render_digest(prepared: PreparedDelivery, stories: Sequence[Sequence[Event]]) -> Message:
    sections = _sections(prepared, stories)
    action_count = sum(len(section.lines) + section.more for section in sections if section.needs_action)
    context: dict[str, Any] = {
        "opening": _opening(prepared),
        "agency": safe_line(prepared.agency.name) or gettext("your agency"),
        "brand": rendering.look_for(prepared),
        "sections": sections,
        "count": len(stories),
        "action_count": action_count,
        "action_label": gettext("Open the overview"),
        "action_url": absolute("/"),
        "log_url": absolute(reverse("portal_deliveries")),
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
        language=get_language() or "en",
    )


def _opening(prepared: PreparedDelivery) -> str:
    channel = prepared.channel
    if channel is None or (channel.mode == Mode.INSTANT and not channel.quiet_hours and not channel.working_days):
        return gettext("In short")
    return str(_OPENINGS[Mode(channel.mode)])


def _sections(prepared: PreparedDelivery, stories: Sequence[Sequence[Event]]) -> list[DigestSection]:
    found: dict[str, list[DigestLine]] = defaultdict(list)
    for events in reversed(stories):  # the latest first
        event = merge_story(events)
        kind = CATALOGUE[EventType(event.event_type)]
        found[NEEDS_ATTENTION if kind.needs_action else kind.heading].append(_line(prepared, event, events))
    return [
        DigestSection(
            gettext(title),
            tuple(found[title][:MAX_LINES]),
            max(0, len(found[title]) - MAX_LINES),
            needs_action=title == NEEDS_ATTENTION,
        )
        for title in (NEEDS_ATTENTION, *HEADINGS)
        if title in found
    ]


def _line(prepared: PreparedDelivery, event: Event, events: Sequence[Event]) -> DigestLine:
    return DigestLine(
        text=rendering.render_subject(replace(prepared, event=event, digest_events=())),
        changes=describe_changes(events),
        reply=rendering.quote(reply_in(prepared, events)),
        next_step=rendering.next_step(event, prepared.owner_mail),
        happened_at=format_local_time(event.occurred_at, rendering.time_zone_of(prepared)),
        late=rendering.is_late(event),
        url=subject_page("" if event.event_type == EventType.LEAD_ERASED else event.subject)[1],
    )


def _label(status: Any) -> str:
    return STATUSES[LeadStatus(status)].text if status in set(LeadStatus) else ""
