"""Collect how an agency is doing, for its page in the back office. Each app adds its rows in `AppConfig.ready`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from accounts.core.markup import Tone, badge, list_link, table
from accounts.models import Agency

MAX_COUNT = 999  # counting stops here


@dataclass(frozen=True, slots=True)
class HealthRow:
    """What may be wrong with an agency: its rows that need somebody, and the list of the back office that has them.

    `filters` are those of the list, beside the agency. A greater `position` stands further back.
    """

    title: str
    rows: Callable[[Agency], "QuerySet[Any]"]
    view: str
    position: int
    filters: dict[str, str]
    tone: Tone = "bad"


_rows: dict[str, HealthRow] = {}


def add_health_row(row: HealthRow) -> None:
    """Add a row to the health of every agency."""
    _rows[row.title] = row


def agency_health(agency: Agency) -> SafeString:
    """Return the table of an agency's health: how many rows need somebody, each number a link to them."""
    rows = sorted(_rows.values(), key=lambda row: row.position)
    return table(("Check", "State", "List"), (_cells(row, agency) for row in rows), empty="")


def _cells(row: HealthRow, agency: Agency) -> tuple[str, str, str]:
    number = row.rows(agency).order_by().values("pk")[: MAX_COUNT + 1].count()
    shown = f"{MAX_COUNT}+" if number > MAX_COUNT else str(number)
    state = badge(shown, row.tone) if number else badge("OK", "good")
    return row.title, state, list_link(row.view, "Show", agency=agency.pk, **row.filters)
