"""Build the timeline of an account (reports, prompts, pauses, deliveries, staff actions) or of a lead.

Each stream is a table, read newest first by its key. The streams are merged by the time at which Leadline learned of
each entry. A cursor holds the last shown key of every stream, so that any page costs the same. In `AppConfig.ready`
apps add their streams (`add_stream`) and the look-up of an event's deliveries (`register_delivery_loader`).
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet

from accounts.core.enums import EventType
from accounts.core.markup import Tone
from accounts.models import Account, Event, ReauthStep

PAGE = 30
MAX_CAMPAIGNS = 50  # the newest campaigns, whose pauses are shown
_CURSOR = re.compile(r"(?<![a-z])([a-z]++)-([0-9A-Za-z_]{1,40})")


@dataclass(frozen=True, slots=True)
class DeliverySummary:
    """One delivery of an event: its recipient, its state, the tone of that state, and its id."""

    recipient: str
    state: str
    tone: Tone
    delivery_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a timeline. `kind` is the stream's name; only events have `deliveries`."""

    at: datetime
    kind: str
    row: Any
    deliveries: Sequence[DeliverySummary] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a timeline. `older` is the cursor of the next page, "" on the last one."""

    entries: list[Entry]
    older: str


@dataclass(frozen=True, slots=True)
class Stream:
    """One table of a timeline: its rows about an account or a lead, and the field with the time at which Leadline
    learned of a row."""

    name: str
    time: str
    rows: Callable[[Any], "QuerySet[Any]"]


LoadDeliveries = Callable[[Sequence[str]], Mapping[str, Sequence[DeliverySummary]]]
_delivery_loaders: list[LoadDeliveries] = []
_streams: dict[type[Model], dict[str, Stream]] = {}


def add_stream(stream: Stream, of: type[Model] = Account) -> None:
    """Add a stream to the timeline of every account or lead. `accounts.web.backoffice.timeline` words its entries.

    Its name is used by no other stream.
    """
    _streams.setdefault(of, {})[stream.name] = stream


def register_delivery_loader(load: LoadDeliveries) -> LoadDeliveries:
    """Register a function that returns the deliveries of each event by the event's id."""
    _delivery_loaders.append(load)
    return load


def timeline_page(subject: Model, cursor: str = "", size: int = PAGE, streams: Collection[str] | None = None) -> Page:
    """Return one page of the timeline, newest first, perhaps of some streams only. An invalid cursor starts at the
    top."""
    last = dict(_CURSOR.findall(cursor)) if cursor else {}
    known = _streams[type(subject)]
    entries = _merged(subject, last, size + 1, [known[name] for name in (known if streams is None else streams)])
    page_entries = entries[:size]
    for entry in page_entries:
        last[entry.kind] = str(entry.row.pk)
    older = ".".join(f"{name}-{key}" for name, key in sorted(last.items())) if len(entries) > size else ""
    return Page(_with_deliveries(page_entries), older)


def _merged(subject: Model, last: Mapping[str, str], limit: int, streams: Iterable[Stream]) -> list[Entry]:
    entries: list[Entry] = []
    for stream in streams:
        rows = stream.rows(subject)
        if stream.name in last:
            rows = rows.filter(pk__lt=_key(rows, last[stream.name]))
        entries += [Entry(getattr(row, stream.time), stream.name, row) for row in rows.order_by("-pk")[:limit]]
    # The sort is stable: the rows of one table stay in the order of their keys, whatever their times.
    return list(islice(_in_time(entries), limit))


def _in_time(entries: Iterable[Entry]) -> Iterable[Entry]:
    """Yield the entries merged by time, keeping the order of each stream."""
    queues: dict[str, list[Entry]] = {}
    for entry in entries:
        queues.setdefault(entry.kind, []).append(entry)
    heads = dict.fromkeys(queues, 0)
    while heads:
        newest = max(heads, key=lambda name: queues[name][heads[name]].at)
        yield queues[newest][heads[newest]]
        heads[newest] += 1
        if heads[newest] == len(queues[newest]):
            del heads[newest]


def _key(rows: "QuerySet[Any]", text: str) -> Any:
    """Return the key in the table's type. A text that is no key becomes one beyond all rows."""
    field = rows.model._meta.pk
    if field.get_internal_type() == "CharField":
        return text
    return int(text) if text.isdecimal() and len(text) <= 18 else 2**62


def _with_deliveries(entries: list[Entry]) -> list[Entry]:
    ids = [entry.row.pk for entry in entries if isinstance(entry.row, Event)]
    deliveries_of: dict[str, list[DeliverySummary]] = {}
    for find in _delivery_loaders if ids else ():
        for event_id, deliveries in find(ids).items():
            deliveries_of.setdefault(event_id, []).extend(deliveries)
    return [
        Entry(entry.at, entry.kind, entry.row, deliveries_of[entry.row.pk])
        if isinstance(entry.row, Event) and entry.row.pk in deliveries_of
        else entry
        for entry in entries
    ]


def _steps(account: Account) -> "QuerySet[ReauthStep]":
    return ReauthStep.objects.filter(prompt__in=list(account.prompts.values_list("pk", flat=True)))


def _events(account: Account) -> "QuerySet[Event]":
    return Event.objects.filter(subject=account.pk)


def _pauses(account: Account) -> "QuerySet[Event]":
    campaigns = list(account.campaigns.order_by("-id").values_list("id", flat=True)[:MAX_CAMPAIGNS])
    kinds = [EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED]
    return Event.objects.filter(subject__in=campaigns, event_type__in=kinds, payload__linkedin_account_id=account.pk)


def _staff(account: Account) -> "QuerySet[LogEntry]":
    kind = ContentType.objects.get_for_model(Account)
    return LogEntry.objects.filter(object_id=account.pk, content_type=kind).select_related("user")


def add_own_streams() -> None:
    """Add the streams of the accounts app."""
    add_stream(Stream("report", "created_at", lambda account: account.reports.all()))
    add_stream(Stream("prompt", "at", _steps))
    add_stream(Stream("event", "created_at", _events))
    add_stream(Stream("pause", "created_at", _pauses))
    add_stream(Stream("staff", "action_time", _staff))
