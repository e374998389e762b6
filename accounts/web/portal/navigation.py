"""Collect the entries of the portal's menu. Each app adds its entries in `AppConfig.ready`."""

from dataclasses import dataclass

from accounts.core.enums import Role

EVERYBODY = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.MANAGER})
OWNERS = frozenset({Role.OWNER})


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the menu. `section` is what the pages below it pass to `render_page`; `view` is the name of the
    linked URL. Only `roles` see it. A greater `position` stands further back."""

    section: str
    title: str
    view: str
    position: int
    roles: frozenset[Role] = EVERYBODY


_entries: dict[str, Entry] = {}


def add_entry(entry: Entry) -> None:
    """Add an entry to the menu."""
    _entries[entry.section] = entry


def entries_for(role: str) -> list[Entry]:
    """Return the entries that a member of this role sees, in their order."""
    return sorted((entry for entry in _entries.values() if role in entry.roles), key=lambda entry: entry.position)
