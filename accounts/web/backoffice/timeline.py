"""Show the timeline of an account or a lead in the back office: when, what, details, and who.

The app that adds a stream registers how to word its entries, in its `admin` (`describes_streams`).
"""

from collections.abc import Callable
from typing import Any

from django.db.models import Model

from accounts.core.markup import ago, table
from accounts.events.timeline import Entry, timeline_page

#: What happened, details, and who did it.
EntryTexts = tuple[str, str, str]
Describe = Callable[[Entry], EntryTexts]

_descriptions: dict[str, Describe] = {}


def describes_streams(*streams: str) -> Callable[[Describe], Describe]:
    """Register a function that words the entries of these streams."""

    def register(describe: Describe) -> Describe:
        for stream in streams:
            _descriptions[stream] = describe
        return describe

    return register


def timeline_context(subject: Model, cursor: str) -> dict[str, Any]:
    """Return the template's context: a table, and the cursor of older entries."""
    page = timeline_page(subject, cursor)
    rows = ((ago(entry.at), *_descriptions[entry.kind](entry)) for entry in page.entries)
    empty = "That was all." if cursor else "Nothing has happened yet."
    return {
        "timeline": table(("When", "What", "More", "Who"), rows, empty=empty),
        "timeline_older": page.older,
        "timeline_newer": bool(cursor),
    }
