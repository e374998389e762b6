"""Announce ids that become known, such as a company's or a location's. Reports that named one before may wait for it.

The apps above register listeners. Saving the row that makes an id known calls them in its transaction.
"""

from collections.abc import Callable, Collection

Listener = Callable[[str, Collection[str]], None]
_listeners: list[Listener] = []


def on_known_id(listener: Listener) -> None:
    """Call `listener` with an agency's id and those ids of the agency that became known."""
    _listeners.append(listener)


def announce_known_ids(agency_id: str, *ids: str) -> None:
    """Call the listeners with the ids that became known of an agency. Empty ids are left out."""
    named = {each for each in ids if each}
    for listener in _listeners if named else ():
        listener(agency_id, named)
