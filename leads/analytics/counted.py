"""Choose the leads that one number of a report counts, as an address names them: every number opens its leads."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.db.models.expressions import Star
from django.utils.dateparse import parse_date

from accounts.api.report import Question, Window, midnight
from accounts.models import Agency
from accounts.tenancy.localtime import get_zone
from leads.analytics import funnel_report, loss_report, response_report, work_report
from leads.analytics.counting import GROUPS, Facts, facts_in, grouped, within

Figures = dict[str, tuple[str, Q]]


def _condition_of(count: Any) -> Q:
    """Return which facts a count counts, so that what is counted and what is listed have one definition."""
    chosen: Q | None = count.filter
    if chosen is not None:
        return chosen
    [counted] = count.get_source_expressions()[:1]
    return Q() if isinstance(counted, Star) else Q(**{f"{counted.name}__isnull": False})


def _figures(time: str, counts: Mapping[str, Any]) -> Figures:
    return {name: (time, _condition_of(count)) for name, count in counts.items()}


#: The report --> its numbers --> the time by which they count leads, and which of them.
FIGURES: Mapping[str, Figures] = {
    "leads": {"leads": ("received", Q()), "conversions": ("converted", Q())},
    "response-times": _figures("asked", response_report.COUNTS) | {"waiting": ("asked", response_report.WAITING)},
    "funnel": _figures("received", funnel_report.COUNTS),
    "losses": _figures("lost", loss_report.COUNTS),
    "engagement": _figures("received", funnel_report.COUNTS) | {"replies": ("replied", Q())},
    "workload": _figures("received", work_report.WORK_COUNTS)
    | {"unassigned": ("received", Q(assigned_to__isnull=True))},
}
#: Groups whose keys are numbers.
NUMBERED = ("hour", "weekday")


@dataclass(frozen=True, slots=True)
class Counted:
    """The leads that a number of a report counts, from one midnight to before another, perhaps of one group."""

    report: str
    figure: str
    begin: date
    end: date
    by: str = ""
    key: str = ""
    include_inactive: bool = False

    def __str__(self) -> str:
        """Write it as an address has it."""
        accounts = "all" if self.include_inactive else "active"
        days = (f"{self.begin:%Y-%m-%d}", f"{self.end:%Y-%m-%d}")
        return ":".join([self.report, self.figure, *days, accounts, self.by, self.key])


def read_counted(text: str) -> Counted | None:
    """Read what an address says. What is no number of a report is None."""
    parts = text.split(":", 6)
    if len(parts) != 7 or "\x00" in text:
        return None
    report, figure, begin, end, accounts, by, key = parts
    days = [_day(begin), _day(end)]
    if figure not in FIGURES.get(report, {}) or days[0] is None or days[1] is None:
        return None
    if (by and by not in GROUPS) or (by in NUMBERED and not (key.isascii() and key.isdecimal() and len(key) < 3)):
        return None
    return Counted(report, figure, days[0], days[1], by, key, include_inactive=accounts == "all")


def facts_counted(agency: Agency, counted: Counted) -> Facts:
    """Return the facts of the leads that the number counts."""
    zone = get_zone(agency.timezone)
    window = Window(midnight(counted.begin, zone), midnight(counted.end, zone), zone, "day")
    question = Question(window, counted.by, "", "", counted.include_inactive, include_test=False)
    time, condition = FIGURES[counted.report][counted.figure]
    facts = within(facts_in(agency, question), time, window).filter(condition)
    return _of_group(agency, facts, counted.by, counted.key) if counted.by else facts


def _of_group(agency: Agency, facts: Facts, by: str, key: str) -> Facts:
    if by == "member":
        members = agency.members.filter(pk=key) if key else agency.members.all()
        theirs = Q(assigned_to__in=members.values("user"))
        return facts.filter(theirs if key else Q(assigned_to__isnull=True) | ~theirs)
    found = grouped(facts, by)
    if by in NUMBERED:
        return found.filter(key=int(key))
    return found.filter(key=key) if key else found.filter(Q(key="") | Q(key__isnull=True))


def _day(text: str) -> date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 2000 <= day.year <= 2200 else None
