"""Lay out a report as rows of cells, as bars, and as tiles, each number with the list of the leads that it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import formats
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from accounts.api.report import Question, Window
from accounts.models import Agency
from accounts.web.portal.pictures import Bar, Trend, percent
from leads.analytics.compared import counts_before, group_counts_before
from leads.analytics.counted import FIGURES, Counted
from leads.portal.figures.labels import ORDERED, group_name
from leads.portal.figures.spec import TILES, Column, ReportPage, Values

MAX_ROWS, MAX_BARS = 100, 15
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """A number as people read it, and the leads behind it."""

    title: str
    text: str
    url: str = ""

    @property
    def is_nothing(self) -> bool:
        return self.text in {"0", NOTHING}


@dataclass(frozen=True, slots=True)
class Row:
    """A period or a group: its name, where it leads, its numbers, and its count in the period before."""

    name: str
    url: str
    cells: Sequence[Cell]
    values: Values
    before: int | None


@dataclass(frozen=True, slots=True)
class Tile:
    title: str
    text: str
    url: str
    trend: Trend | None
    before: str
    tone: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A report as a page shows it."""

    name: str
    page: ReportPage
    question: Question
    agency: Agency
    found: Mapping[str, Any]

    @property
    def group_by(self) -> str:
        """Return by what rows are grouped, "" if by time."""
        return self.question.group_by if self.question.group_by in self.page.groups else ""

    def columns(self, rows: Sequence[Row]) -> list[Column]:
        """Return the columns that the rows have; those of the total if there is none."""
        return self._known(rows[0].values if rows else self.found["figures"])

    def rows(self) -> list[Row]:
        """Return the periods, or the largest groups, those of an order of their own in it."""
        return self._groups() if self.group_by else self._periods()

    @property
    def left_out(self) -> int:
        """Return how many groups are in the file alone."""
        return max(len(self.found["groups"]) - MAX_ROWS, 0) if self.group_by else 0

    def total(self, columns: Sequence[Column]) -> Row:
        window = self.question.window
        return self._row(_("Total"), self.found["figures"], self.counted(window), columns)

    def before(self, title: str, columns: Sequence[Column]) -> Row:
        return self._row(title, self.found["before"], self.counted(self.question.before.window), columns)

    def bars(self, rows: Sequence[Row]) -> list[Bar]:
        shown = rows[:MAX_BARS] if self.group_by not in ORDERED and self.group_by else rows
        return [
            Bar(Truncator(row.name).chars(18), [part.of(row.values) for part in self.page.parts], row.url)
            for row in shown
        ]

    def tiles(self) -> list[Tile]:
        columns = {column.name: column for column in self.page.columns} | dict(TILES)
        return [self._tile(columns[name]) for name in self.page.tiles]

    def _tile(self, column: Column) -> Tile:
        now, before = (self.found[when].get(column.name) for when in ("figures", "before"))
        counts = column.kind == "count" and now is not None and before is not None
        return Tile(
            str(column.title),
            shown(now, column.kind),
            link(self.counted(self.question.window), column.name, now) or "#table",
            Trend(now, before, ()) if counts else None,
            "" if before is None else shown(before, column.kind),
            column.name in self.page.good,
        )

    def _periods(self) -> list[Row]:
        window = self.question.window
        earlier: Sequence[int | None] = self._periods_before()
        rows = []
        for number, (begin, end) in enumerate(window.periods()):
            name = formats.date_format(begin, "D j M" if len(earlier) <= 7 else "j M")
            part = Window(begin, end, window.zone, window.period)
            values = self.found["series"][number]
            rows.append(self._row(name, values, self.counted(part), self._known(values), earlier[number]))
        return rows

    def _periods_before(self) -> list[int | None]:
        length = len(self.question.window.periods())
        found: list[int | None] = [None] * length
        if self.page.time:
            counts = counts_before(self.agency, self.question, self.page.time)
            found[: len(counts)] = counts
        return found

    def _groups(self) -> list[Row]:
        group_by, rows = self.group_by, []
        earlier = group_counts_before(self.agency, self.question, group_by, self.page.time) if self.page.time else None
        for values in _sorted(self.found["groups"], group_by, self.page.size)[:MAX_ROWS]:
            key = values[group_by]
            counted = self.counted(self.question.window)
            counted = replace(counted, by=group_by, key="" if key is None else str(key)) if counted else None
            name = group_name(group_by, key, values["name"])
            before = None if earlier is None else earlier.get(key, 0)
            row = self._row(name, values, counted, self._known(values), before)
            rows.append(replace(row, url=row.url or _account_url(group_by, key)))
        return rows

    def _known(self, values: Values) -> list[Column]:
        return [column for column in self.page.columns if column.name in values]

    def _row(
        self,
        name: str,
        values: Values,
        counted: Counted | None,
        columns: Sequence[Column],
        before: int | None = None,
    ) -> Row:
        cells = []
        for column in columns:
            value = values.get(column.name)
            cells.append(Cell(str(column.title), shown(value, column.kind), link(counted, column.name, value)))
        return Row(name, link(counted, self.page.size, values.get(self.page.size)), cells, values, before)

    def counted(self, window: Window) -> Counted | None:
        """Return what the first number of the report counts in a window; None for accounts."""
        if not self.page.time:
            return None
        days = _first_day(window), _day_after(window)
        return Counted(self.name, self.page.size, *days, include_inactive=self.question.include_inactive)


def link(counted: Counted | None, figure: str, value: Any) -> str:
    """Return the list of the leads that a number counts, "" where it counts none or is no count."""
    if counted is None or not value or figure not in FIGURES[counted.report]:
        return ""
    return f"{reverse('portal_leads')}?{urlencode({'counted': str(replace(counted, figure=figure))})}"


def shown(value: Any, kind: str) -> str:
    """Return a number as people read it."""
    if value is None:
        return NOTHING
    if kind == "share":
        return percent(value, 1)
    if kind == "seconds":
        return short_duration(int(value))
    return formats.number_format(value, use_l10n=True, force_grouping=True)


def short_duration(seconds: int) -> str:
    """Return a duration in its two largest units: `45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86_400
    if days:
        return _("%(days)s d %(hours)s h") % {"days": days, "hours": hours % 24}
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes % 60}
    return _("%(minutes)s min") % {"minutes": minutes} if minutes else _("%(seconds)s s") % {"seconds": seconds}


def _sorted(groups: Sequence[Values], group_by: str, size: str) -> list[Values]:
    if order := ORDERED.get(group_by):
        return sorted(groups, key=lambda row: order(row[group_by]))
    return sorted(groups, key=lambda row: -row[size])


def _account_url(group_by: str, key: Any) -> str:
    return reverse("portal_account", args=[key]) if group_by == "account" and key else ""


def _first_day(window: Window) -> date:
    return window.begin.astimezone(window.zone).date()


def _day_after(window: Window) -> date:
    end: datetime = window.end.astimezone(window.zone)
    return end.date() if end.time().replace(microsecond=0) == datetime.min.time() else end.date() + timedelta(days=1)
