"""Compute when people may be written to: quiet hours and working days in their time zone.

Each boundary is converted to UTC once, so that no hour is lost or counted twice when clocks change: a local time that
is skipped moves by the change, one that occurs twice counts the first time.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from accounts.tenancy.localtime import get_zone
from notifications.models import DEFAULT_DIGEST_TIME, Channel, Mode

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MORNING = time.fromisoformat(DEFAULT_DIGEST_TIME)
_DAY = timedelta(days=1)
_MAX_STEPS = 40  # quiet hours and days off in turn cover more than two weeks


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Hold a channel's quiet hours (from, until), working `days` (as `date.weekday`, empty: all) and `digest_at`."""

    zone: ZoneInfo
    quiet: tuple[time, time] | None = None
    days: frozenset[int] = frozenset()
    digest_at: time = _MORNING

    def next_open_time(self, at: datetime) -> datetime:
        """Return the first time from `at` on at which people may be written to."""
        for _ in range(_MAX_STEPS):
            later = self._end_of_quiet(at) or self._end_of_days_off(at)
            if later is None:
                return at
            at = later
        return at

    def next_digest_time(self, mode: Mode, at: datetime) -> datetime:
        """Return when an event of `at` goes out with an hourly or a daily digest."""
        return self.next_open_time(self._next_hour(at) if mode is Mode.HOURLY else self._next_digest(at))

    def _next_hour(self, at: datetime) -> datetime:
        local = at.astimezone(self.zone)
        return at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond) + _DAY / 24

    def _next_digest(self, at: datetime) -> datetime:
        day = at.astimezone(self.zone).date()
        while self._to_utc(day, self.digest_at) <= at or not self._is_working_day(day):
            day += _DAY
        return self._to_utc(day, self.digest_at)

    def _end_of_quiet(self, at: datetime) -> datetime | None:
        if self.quiet is None:
            return None
        start, end = self.quiet
        today = at.astimezone(self.zone).date()
        for day in (today - _DAY, today):
            until = self._to_utc(day if start < end else day + _DAY, end)
            if self._to_utc(day, start) <= at < until:
                return until
        return None

    def _end_of_days_off(self, at: datetime) -> datetime | None:
        today = at.astimezone(self.zone).date()
        return None if self._is_working_day(today) else self._to_utc(today + _DAY, time(0))

    def _is_working_day(self, day: date) -> bool:
        return not self.days or day.weekday() in self.days

    def _to_utc(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)


def quiet_hours_of(channel: Channel) -> QuietHours:
    """Return the channel's quiet hours, in its time zone or its agency's (loaded)."""
    quiet = channel.quiet_hours
    return QuietHours(
        zone=get_zone(channel.timezone or channel.agency.timezone),
        quiet=(time.fromisoformat(quiet["start"]), time.fromisoformat(quiet["end"])) if quiet else None,
        days=frozenset(WEEK.index(day) for day in channel.working_days),
        digest_at=time.fromisoformat(channel.digest_at),
    )
