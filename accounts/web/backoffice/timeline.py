"""Show an account's timeline in the back office: when, what, details, and who.

The app that adds a stream registers how to word its entries, in its `admin` (`words_for`).
"""

from collections.abc import Callable
from typing import Any

from accounts.core.markup import ago, table
from accounts.events.timeline import Entry, timeline
from accounts.models import Account

#: What happened, details, and who did it.
Words = tuple[str, str, str]
Describe = Callable[[Entry], Words]

_words: dict[str, Describe] = {}


def words_for(*streams: str) -> Callable[[Describe], Describe]:
    """Register a function that words the entries of these streams."""

    def register(describe: Describe) -> Describe:
        for stream in streams:
            _words[stream] = describe
        return describe

    return register


def timeline_of(account: Account, cursor: str) -> dict[str, Any]:
    """Return the template's context: a table, and the cursor of older entries."""
    page = timeline(account, cursor)
    rows = ((ago(entry.at), *_words[entry.kind](entry)) for entry in page.entries)
    empty = "That was all." if cursor else "Nothing has happened yet."
    return {
        "timeline": table(("When", "What", "More", "Who"), rows, empty=empty),
        "timeline_older": page.older,
        "timeline_newer": bool(cursor),
    }
