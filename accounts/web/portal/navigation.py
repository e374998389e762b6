"""Collect the entries of the portal's menu, in groups. Each app adds its entries in `AppConfig.ready`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from accounts.core.enums import Role
from accounts.core.markup import Tone
from accounts.models import Agency

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

EVERYBODY = frozenset(Role)
WRITERS = frozenset({Role.OWNER, Role.MANAGER})
OWNERS = frozenset({Role.OWNER})
#: In the order of the menu; a group without entries is not shown.
GROUPS = (_("Work"), _("Health"), _("Outgoing"), _("Insight"), _("Automation"), _("Settings"))
MAX_COUNT = 99  # counting stops here


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the menu. `section` is what the pages below it pass to `render_page`; `title` is English and marked
    for translation (`gettext_noop`); `view` is the name of the linked URL; `icon` is one of Tabler's. Only `roles` see
    it. A greater `position` stands further back in its group.

    `count` returns the rows that wait for somebody there; `tone` says how much that matters.
    """

    section: str
    title: "str | _StrPromise"
    view: str
    group: str
    icon: str
    position: int
    roles: frozenset[Role] = EVERYBODY
    count: Callable[[Agency], "QuerySet[Any]"] | None = None
    tone: Tone = "quiet"


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as one agency sees it; `count` is empty where nothing waits."""

    entry: Entry
    count: str


@dataclass(frozen=True, slots=True)
class MenuGroup:
    title: str
    links: list[Link]


_entries: dict[str, Entry] = {}


def add_entry(entry: Entry) -> None:
    """Add an entry to the menu."""
    _entries[entry.section] = entry


def menu_for(agency: Agency, role: str) -> list[MenuGroup]:
    """Return the menu that a member of this role sees, with the counts of the agency."""
    groups = []
    for title in GROUPS:
        entries = [entry for entry in _entries.values() if entry.group == title and role in entry.roles]
        links = [Link(entry, _count(entry, agency)) for entry in sorted(entries, key=lambda entry: entry.position)]
        if links:
            groups.append(MenuGroup(title, links))
    return groups


def capped_count(rows: "QuerySet[Any]", most: int = MAX_COUNT) -> str:
    """Return how many rows there are, as `99+` beyond `most`: counting a long list is slow and tells nobody more."""
    number = rows.order_by().values("pk")[: most + 1].count()
    return f"{most}+" if number > most else str(number)


def _count(entry: Entry, agency: Agency) -> str:
    number = capped_count(entry.count(agency)) if entry.count else "0"
    return "" if number == "0" else number
