"""Compare when leads had to wait with when somebody could answer, and say what other hours and targets would change."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from accounts.api.report import Question
from accounts.core.enums import Role
from accounts.models import Agency, Calendar
from accounts.tenancy.calendars.lookup import ALWAYS_OPEN, calendar_for, usable_hours
from leads.analytics.counting import facts_in, within

Interval = tuple[datetime, datetime]
EXTENSIONS = tuple(timedelta(minutes=minutes) for minutes in (15, 60))
TARGETS = (5, 15, 30, 60, 120, 240)  # minutes of working time
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@dataclass(frozen=True, slots=True)
class HourOfDay:
    """What happens in an hour of the day: leads that began to wait, those that somebody could answer at once, and how
    many minutes of it somebody could answer, on average."""

    hour: int
    leads: int
    covered: int
    open_minutes: int

    @property
    def uncovered(self) -> int:
        return self.leads - self.covered


@dataclass(frozen=True, slots=True)
class Extension:
    """How many more leads somebody could answer at once, if each opening began earlier or ended later."""

    minutes: int
    earlier: int
    later: int


@dataclass(frozen=True, slots=True)
class Target:
    """How many leads were answered within so many minutes of working time."""

    minutes: int
    met: int
    leads: int

    @property
    def share(self) -> float | None:
        return self.met / self.leads if self.leads else None


@dataclass(frozen=True, slots=True)
class Coverage:
    """When leads of a period had to wait and when somebody could answer, and what would change that."""

    leads: int
    covered: int
    hours: Sequence[HourOfDay]
    extensions: Sequence[Extension]
    targets: Sequence[Target]

    @property
    def uncovered(self) -> int:
        return self.leads - self.covered


def coverage_of(agency: Agency, question: Question) -> Coverage:
    """Return the coverage of the leads that first had to wait within the question's window, by today's hours."""
    window = question.window
    waits = within(facts_in(agency, question), "asked", window)
    asked = sorted(at for at in waits.values_list("asked_at", flat=True) if at)
    intervals = open_intervals(agency, window.begin, window.end)
    covered = _is_open(asked, intervals)
    extensions = [_extension(asked, intervals, by) for by in EXTENSIONS]
    met: dict[str, Any] = {
        str(minutes): Count("agency", filter=Q(response_working_seconds__lte=60 * minutes)) for minutes in TARGETS
    }
    found = waits.aggregate(**met)
    return Coverage(
        leads=len(asked),
        covered=sum(covered),
        hours=_by_hour(asked, covered, intervals, window.zone, days=max(ceil((window.end - window.begin) / DAY), 1)),
        extensions=extensions,
        targets=[Target(minutes, found[str(minutes)], len(asked)) for minutes in TARGETS],
    )


def open_intervals(agency: Agency, begin: datetime, end: datetime) -> list[Interval]:
    """Return when at least one member who may answer has working hours, in order, none touching another.

    A member without a calendar has the agency's.
    """
    members = agency.members.exclude(role=Role.READ_ONLY).filter(user__is_active=True)
    keys: set[str | None] = set(members.values_list("calendar", flat=True)) or {None}
    calendars: list[Calendar | None] = list(
        Calendar.objects.filter(agency=agency, pk__in=[key for key in keys if key]).prefetch_related("exceptions")
    )
    if None in keys:
        calendars.append(calendar_for(agency.pk))
    hours = [usable_hours(calendar) for calendar in calendars] or [ALWAYS_OPEN]
    return _union(interval for each in hours for interval in each.intervals(begin, end))


def _union(intervals: Iterable[Interval]) -> list[Interval]:
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _is_open(asked: Sequence[datetime], intervals: Sequence[Interval]) -> list[bool]:
    """Return of each time whether it lies in an interval."""
    starts = [start for start, _ in intervals]
    places = [bisect_right(starts, at) - 1 for at in asked]
    return [place >= 0 and at < intervals[place][1] for at, place in zip(asked, places, strict=True)]


def _extension(asked: Sequence[datetime], intervals: Sequence[Interval], by: timedelta) -> Extension:
    """Count the leads within the time by which each interval would begin earlier or end later, up to the next one."""

    def between(start: datetime, end: datetime) -> int:
        return max(bisect_left(asked, end) - bisect_left(asked, start), 0)

    first, last = (datetime.min.replace(tzinfo=UTC),) * 2, (datetime.max.replace(tzinfo=UTC),) * 2
    gaps = [(before[1], after[0]) for before, after in pairwise([first, *intervals, last])]
    earlier = sum(between(max(end - by, start), end) for start, end in gaps[:-1])
    later = sum(between(start, min(start + by, end)) for start, end in gaps[1:])
    return Extension(int(by.total_seconds() // 60), earlier, later)


def _by_hour(
    asked: Sequence[datetime], covered: Sequence[bool], intervals: Sequence[Interval], zone: ZoneInfo, *, days: int
) -> list[HourOfDay]:
    leads, answerable, seconds = [0] * 24, [0] * 24, [0.0] * 24
    for at, is_covered in zip(asked, covered, strict=True):
        hour = at.astimezone(zone).hour
        leads[hour] += 1
        answerable[hour] += is_covered
    for start, end in intervals:
        at = start
        while at < end:
            local = at.astimezone(zone)
            into = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
            until = min(at + HOUR - into, end)
            seconds[local.hour] += (until - at).total_seconds()
            at = until
    return [HourOfDay(hour, leads[hour], answerable[hour], round(seconds[hour] / 60 / days)) for hour in range(24)]
