"""When people may be written to: quiet hours and working days as clocks and calendars show them where they are.

Every boundary is turned into a moment once, so that no hour is lost or held twice when clocks change: a time that a
change skips is as much later as the clocks jump, one that comes twice counts the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.tenancy.localtime import get_zone
from notifications.models import MORNING, Channel, Mode

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MORNING = time.fromisoformat(MORNING)
_DAY = timedelta(days=1)
_MAX_STEPS = 40  # quiet hours and days off in turn, for more than two weeks


@dataclass(frozen=True, slots=True)
class Hours:
    """`quiet` from … until; `days` as `date.weekday` counts them, empty: all; daily summaries go out at `digest_at`."""

    zone: ZoneInfo
    quiet: tuple[time, time] | None = None
    days: frozenset[int] = frozenset()
    digest_at: time = _MORNING

    def open_from(self, at: datetime) -> datetime:
        """The first moment from `at` on at which people may be written to; `at` itself if they may be now."""
        for _ in range(_MAX_STEPS):
            later = self._end_of_quiet(at) or self._end_of_days_off(at)
            if later is None:
                return at
            at = later
        return at

    def next_summary(self, mode: Mode, at: datetime) -> datetime:
        """When what happened at `at` goes out with an hourly or a daily summary."""
        return self.open_from(self._next_hour(at) if mode is Mode.HOURLY else self._next_digest(at))

    def _next_hour(self, at: datetime) -> datetime:
        local = at.astimezone(self.zone)
        return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond) + _DAY / 24

    def _next_digest(self, at: datetime) -> datetime:
        day = at.astimezone(self.zone).date()
        while self._moment(day, self.digest_at) <= at or not self._works_on(day):
            day += _DAY
        return self._moment(day, self.digest_at)

    def _end_of_quiet(self, at: datetime) -> datetime | None:
        if self.quiet is None:
            return None
        start, end = self.quiet
        today = at.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            until = self._moment(day if start < end else day + _DAY, end)
            if self._moment(day, start) <= at < until:
                return until
        return None

    def _end_of_days_off(self, at: datetime) -> datetime | None:
        today = at.astimezone(self.zone).date()
        return None if self._works_on(today) else self._moment(today + _DAY, time(0))

    def _works_on(self, day: date) -> bool:
        return not self.days or day.weekday() in self.days

    def _moment(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)


def hours_of(channel: Channel) -> Hours:
    """The channel's own; its agency (loaded) has the time zone where it names none."""
    quiet = channel.quiet_hours
    return Hours(
        zone=get_zone(channel.timezone or channel.agency.timezone),
        quiet=(time.fromisoformat(quiet["start"]), time.fromisoformat(quiet["end"])) if quiet else None,
        days=frozenset(WEEK.index(day) for day in channel.working_days),
        digest_at=time.fromisoformat(channel.digest_at),
    )
