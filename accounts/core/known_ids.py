"""Ids that become known: a company, a location. Reports that named one before may be waiting for it.

The apps above register what to do; the row that makes an id known calls them, in its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import Agency

Listener = Callable[["Agency", Collection[str]], None]
_listeners: list[Listener] = []


def on_known_id(listener: Listener) -> None:
    """Call `listener` with the agency and the ids whenever some become known."""
    _listeners.append(listener)


def announce(agency: Agency, *ids: str) -> None:
    """Tell the listeners that these ids are the agency's; empty ones are left out."""
    named = {each for each in ids if each}
    for listener in _listeners if named else ():
        listener(agency, named)
