"""Compute when a clock warns and is due, and where its time went. Only working time counts towards the target."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import Calendar
from accounts.tenancy.calendars.hours import Hours, NoWorkingTime
from accounts.tenancy.calendars.lookup import ALWAYS_OPEN, usable_hours
from leads.enums import SegmentKind
from leads.models import ClockSegment, ResponseClock

#: A clock warns after this share of its target, where no rule says otherwise.
WARN_SHARE = 2 / 3

PLAN_FIELDS = (
    *("calendar", "calendar_version", "warn_at", "due_at", "breached"),
    *("next_attempt_at", "attempts", "error"),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a clock until a time: seconds on the wall, of working time, and of each part."""

    elapsed: float
    working: float
    parts: dict[SegmentKind, float]


def plan(clock: ResponseClock, calendar: Calendar | None, now: datetime) -> None:
    """Set when the clock warns, is due and is looked at next, by a calendar. Does not save.

    What was warned of or reported already is not again.
    """
    hours = usable_hours(calendar)
    clock.calendar, clock.calendar_version = calendar, calendar.version if calendar else None
    if clock.warn_seconds >= clock.spent_seconds:  # else that was in an earlier owner's period
        clock.warn_at = _after(hours, clock, clock.warn_seconds)
    if clock.target_seconds >= clock.spent_seconds:
        clock.due_at = _after(hours, clock, clock.target_seconds)
    clock.breached = clock.due_at <= now
    clock.next_attempt_at = next_alert_at(clock)
    clock.attempts, clock.error = 0, ""


def next_alert_at(clock: ResponseClock) -> datetime | None:
    """Return when the clock warns, or is overdue. None: it has nothing more to say."""
    if clock.alerted_at is not None:
        return None
    return clock.warn_at if clock.warned_at is None and clock.warn_at < clock.due_at else clock.due_at


def segments_until(clock: ResponseClock, until: datetime) -> list[ClockSegment]:
    """Return the unsaved parts of the clock's running period until a time. Together they are as long as the period."""
    hours, found = usable_hours(clock.calendar), []
    received, known = (min(max(at, clock.started_at), until) for at in (clock.received_at, clock.known_at))
    if clock.period_started_at == clock.started_at:
        found.append(_segment(clock, SegmentKind.PROVIDER, clock.started_at, received))
        found.append(_segment(clock, SegmentKind.HUB, received, max(known, received)))
    start = min(max(clock.period_started_at, known, received), until)
    length, worked = (until - start).total_seconds(), hours.seconds_between(start, until)
    found.append(_segment(clock, SegmentKind.WAITING, start, until, length - worked))
    found.append(_segment(clock, SegmentKind.PERSON, start, until, worked))
    return [segment for segment in found if segment.seconds > 0]


def working_seconds(clock: ResponseClock, until: datetime) -> float:
    """Return the working seconds of all periods until a time."""
    hours = usable_hours(clock.calendar)
    return clock.spent_seconds + hours.seconds_between(clock.period_started_at, until)


def figures_of(clock: ResponseClock, now: datetime) -> Figures:
    """Return the frozen figures of a clock that stopped, or those of an open one until now."""
    parts = dict.fromkeys(SegmentKind, 0.0)
    running = segments_until(clock, max(now, clock.started_at)) if clock.is_open else []
    for segment in [*clock.segments.all(), *running]:
        parts[SegmentKind(segment.kind)] += segment.seconds
    if clock.is_open:
        elapsed = max((now - clock.started_at).total_seconds(), 0.0)
        return Figures(elapsed, working_seconds(clock, now), parts)
    return Figures(clock.elapsed_seconds or 0.0, clock.working_seconds or 0.0, parts)


def _after(hours: Hours, clock: ResponseClock, seconds: float) -> datetime:
    """Return when so many working seconds of the clock have passed."""
    left = seconds - clock.spent_seconds
    try:
        return hours.add(clock.period_started_at, left)
    except NoWorkingTime:
        return ALWAYS_OPEN.add(clock.period_started_at, left)


def _segment(
    clock: ResponseClock, kind: SegmentKind, start: datetime, end: datetime, seconds: float | None = None
) -> ClockSegment:
    length = (max(end - start, timedelta())).total_seconds() if seconds is None else seconds
    owner = clock.owner_id if kind in (SegmentKind.WAITING, SegmentKind.PERSON) else None
    return ClockSegment(clock=clock, kind=kind, owner_id=owner, started_at=start, ended_at=end, seconds=length)
