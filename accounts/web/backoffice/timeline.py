"""An account's timeline as the back office shows it: when, what, what more there is to say, and who.

How the entries of a stream are worded, the app that adds the stream says in its `admin` (`words_for`).
"""

from collections.abc import Callable
from typing import Any

from accounts.core.markup import ago, table
from accounts.events.timeline import Entry, timeline
from accounts.models import Account

#: What, what more, and who.
Words = tuple[str, str, str]
Describe = Callable[[Entry], Words]

_words: dict[str, Describe] = {}


def words_for(*streams: str) -> Callable[[Describe], Describe]:
    """Register how the entries of these streams are worded."""

    def register(describe: Describe) -> Describe:
        for stream in streams:
            _words[stream] = describe
        return describe

    return register


def timeline_of(account: Account, cursor: str) -> dict[str, Any]:
    """The template's context: a table, and the cursors of what is older."""
    page = timeline(account, cursor)
    rows = ((ago(entry.at), *_words[entry.kind](entry)) for entry in page.entries)
    empty = "That was all." if cursor else "Nothing has happened yet."
    return {
        "timeline": table(("When", "What", "More", "Who"), rows, empty=empty),
        "timeline_older": page.older,
        "timeline_newer": bool(cursor),
    }
