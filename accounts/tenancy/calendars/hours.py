"""Compute opening intervals, working time between two times, and the time after so much working time.

Blocks are local; they become intervals of UTC, and only times in UTC are subtracted. A local time that the clock skips
counts as the time after the change; one that comes twice counts as the first.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY_MINUTES = 24 * 60
#: How far ahead openings are looked for. A calendar without working time for so long has none.
HORIZON = timedelta(days=400)

Interval = tuple[datetime, datetime]


class NoWorkingTime(ValueError):
    """A calendar has no working time within HORIZON."""


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """Minutes from a day's local midnight. An overnight block ends after DAY_MINUTES, on the next day."""

    start: int
    end: int


WHOLE_DAY = Block(0, DAY_MINUTES)


@dataclass(frozen=True, slots=True)
class DatedException:
    """Days, both ends included, that lose their working time in `blocks`, or with `working` gain it."""

    first: date
    last: date
    working: bool
    blocks: tuple[Block, ...] = (WHOLE_DAY,)


@dataclass(frozen=True, slots=True)
class Hours:
    """Working hours. `week` holds the blocks of seven days, Monday first. Additions count after removals."""

    zone: ZoneInfo
    week: tuple[tuple[Block, ...], ...]
    exceptions: tuple[DatedException, ...] = field(default=())
    always_open: bool = False

    def intervals(self, since: datetime, until: datetime) -> Iterator[Interval]:
        """Yield the opening intervals between two times, in order, merged, cut at both ends."""
        if self.always_open:
            if since < until:
                yield since.astimezone(UTC), until.astimezone(UTC)
            return
        last: Interval | None = None
        for start, end in self._days(since.astimezone(UTC), until.astimezone(UTC)):
            if last is not None and start <= last[1]:
                last = last[0], max(last[1], end)
            else:
                if last is not None:
                    yield last
                last = start, end
        if last is not None:
            yield last

    def seconds_between(self, since: datetime, until: datetime) -> float:
        """Return the working seconds between two times; 0 if `until` is not later."""
        return sum((end - start).total_seconds() for start, end in self.intervals(since, until))

    def add(self, since: datetime, seconds: float) -> datetime:
        """Return when so many working seconds have passed since a time. Raises NoWorkingTime."""
        if seconds <= 0:
            return since.astimezone(UTC)
        for start, end in self._ahead(since):
            length = (end - start).total_seconds()
            if seconds <= length:
                return start + timedelta(seconds=seconds)
            seconds -= length
        raise NoWorkingTime

    def is_open(self, at: datetime) -> bool:
        return any(True for _ in self.intervals(at, at + timedelta(microseconds=1)))

    def next_opening(self, at: datetime) -> datetime:
        """Return the first working time at or after a time. Raises NoWorkingTime."""
        for start, _ in self._ahead(at):
            return start
        raise NoWorkingTime

    def _ahead(self, since: datetime) -> Iterator[Interval]:
        """Yield opening intervals by month until HORIZON has passed without one."""
        start, idle_until = since.astimezone(UTC), since.astimezone(UTC) + HORIZON
        while start < idle_until:
            end = start + timedelta(days=31)
            for interval in self.intervals(start, end):
                idle_until = interval[1] + HORIZON
                yield interval
            start = end

    def _days(self, since: datetime, until: datetime) -> Iterator[Interval]:
        """Yield the intervals of each day, cut at both ends, in order of their starts."""
        day = since.astimezone(self.zone).date() - timedelta(days=1)  # an overnight block of the day before
        last = until.astimezone(self.zone).date()
        pending: list[Interval] = []
        while day <= last:
            pending = sorted([*pending, *self._of_day(day)])
            midnight = self._instant(day + timedelta(days=1), 0)
            pending, ready = _split(pending, midnight)
            yield from _cut(self._without_removals(ready, day), since, until)
            day += timedelta(days=1)
        yield from _cut(self._without_removals(pending, day), since, until)

    def _of_day(self, day: date) -> list[Interval]:
        return [self._interval(day, block) for block in self.week[day.weekday()]]

    def _without_removals(self, intervals: list[Interval], day: date) -> list[Interval]:
        """Apply the exceptions of a local day to what lies in it."""
        exceptions = [one for one in self.exceptions if one.first <= day <= one.last]
        for one in exceptions:
            if not one.working:
                for block in one.blocks:
                    intervals = _subtract(intervals, self._interval(day, block))
        added = [self._interval(day, block) for one in exceptions if one.working for block in one.blocks]
        return sorted([*intervals, *added])

    def _interval(self, day: date, block: Block) -> Interval:
        return self._instant(day, block.start), self._instant(day, block.end)

    def _instant(self, day: date, minutes: int) -> datetime:
        local = datetime.combine(day, time()) + timedelta(minutes=minutes)
        return local.replace(tzinfo=self.zone).astimezone(UTC)


def merged(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return blocks in order, those that touch or overlap as one."""
    result: list[Block] = []
    for block in sorted(blocks):
        if result and block.start <= result[-1].end:
            result[-1] = Block(result[-1].start, max(result[-1].end, block.end))
        else:
            result.append(block)
    return tuple(result)


def _split(intervals: list[Interval], at: datetime) -> tuple[list[Interval], list[Interval]]:
    """Return what lies after a time, and what lies before it."""
    after = [(max(start, at), end) for start, end in intervals if end > at]
    before = [(start, min(end, at)) for start, end in intervals if start < at]
    return after, before


def _cut(intervals: Sequence[Interval], since: datetime, until: datetime) -> Iterator[Interval]:
    for start, end in intervals:
        if start < until and end > since and start < end:
            yield max(start, since), min(end, until)


def _subtract(intervals: list[Interval], removed: Interval) -> list[Interval]:
    left = [(start, min(end, removed[0])) for start, end in intervals if start < removed[0]]
    right = [(max(start, removed[1]), end) for start, end in intervals if end > removed[1]]
    return sorted(left + right)
