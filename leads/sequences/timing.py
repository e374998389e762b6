"""Compute when a step of a sequence is due: after some sending days, within its window. Pure.

Sending days are Monday to Friday. A step without a window and without a delay is due at once, on any day.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
FRIDAY = 4


@dataclass(frozen=True, slots=True)
class Window:
    """From when until when on a sending day a step may be carried out, by local time."""

    begin: time
    end: time


def due_at(after: datetime, *, delay: int, window: Window | None, zone: ZoneInfo) -> datetime:
    """Return when a step is due that follows what was confirmed at `after`, in UTC.

    With a delay it is due at the same local time of that sending day, moved into the window.
    """
    local = after.astimezone(zone)
    if delay:
        day = add_sending_days(local.date(), delay)
        local = _at(day, local.time(), zone)
    return next_in_window(local.astimezone(UTC), window=window, zone=zone)


def next_in_window(at: datetime, *, window: Window | None, zone: ZoneInfo) -> datetime:
    """Return the first time from `at` on at which a step with this window may be carried out, in UTC."""
    if window is None:
        return at.astimezone(UTC)
    local = at.astimezone(zone)
    day, now = local.date(), local.time()
    if day.weekday() <= FRIDAY and window.begin <= now < window.end:
        return at.astimezone(UTC)
    if day.weekday() > FRIDAY or now >= window.end:
        day = add_sending_days(day, 1)
    return _at(day, window.begin, zone).astimezone(UTC)


def add_sending_days(day: date, count: int) -> date:
    """Return the sending day that comes so many sending days after a day."""
    for _ in range(count):
        day += DAY
        while day.weekday() > FRIDAY:
            day += DAY
    return day


def _at(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return a local time of a day. One that the change of clocks leaves out is moved past the gap."""
    return datetime.combine(day, at.replace(tzinfo=None), zone).astimezone(UTC).astimezone(zone)
