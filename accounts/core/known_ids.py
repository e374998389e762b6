"""Ids that become known: a company, a location. Reports that named one before may be waiting for it.

The apps above register what to do; the row that makes an id known calls them, in its transaction.
"""

from collections.abc import Callable, Collection

Listener = Callable[[str, Collection[str]], None]
_listeners: list[Listener] = []


def on_known_id(listener: Listener) -> None:
    """Call `listener` with an agency's id and the ids that became known of it, whenever some do."""
    _listeners.append(listener)


def announce(agency_id: str, *ids: str) -> None:
    """Tell the listeners that these ids are the agency's; empty ones are left out."""
    named = {each for each in ids if each}
    for listener in _listeners if named else ():
        listener(agency_id, named)
