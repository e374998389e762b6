"""When people may be written to, also in the nights in which clocks change."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from notifications.models import Mode
from notifications.policy.quiet_hours import QuietHours

WORKDAYS = frozenset(range(5))
NIGHT = (time(22), time(7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "quiet", "days", "asked", "opens"),
    [
        ("UTC", None, frozenset(), "2026-03-02T03:00Z", "2026-03-02T03:00Z"),
        ("UTC", NIGHT, frozenset(), "2026-03-02T21:59:59Z", "2026-03-02T21:59:59Z"),
        ("UTC", NIGHT, frozenset(), "2026-03-02T22:00Z", "2026-03-03T07:00Z"),
        ("UTC", NIGHT, frozenset(), "2026-03-03T06:59Z", "2026-03-03T07:00Z"),
        ("UTC", NIGHT, frozenset(), "2026-03-03T07:00Z", "2026-03-03T07:00Z"),
        ("UTC", (time(12), time(13)), frozenset(), "2026-03-03T12:30Z", "2026-03-03T13:00Z"),
        ("Asia/Kolkata", NIGHT, frozenset(), "2026-03-02T17:00Z", "2026-03-03T01:30Z"),
        # Friday night, and a weekend off
        ("UTC", NIGHT, WORKDAYS, "2026-03-06T23:00Z", "2026-03-09T07:00Z"),
        ("UTC", None, WORKDAYS, "2026-03-07T12:00Z", "2026-03-09T00:00Z"),
        ("America/Los_Angeles", None, WORKDAYS, "2026-03-09T06:00Z", "2026-03-09T07:00Z"),
        # Berlin, 29 March: 02:00 becomes 03:00; 25 October: 03:00 becomes 02:00
        ("Europe/Berlin", NIGHT, frozenset(), "2026-03-28T23:00Z", "2026-03-29T05:00Z"),
        ("Europe/Berlin", NIGHT, frozenset(), "2026-10-24T23:00Z", "2026-10-25T06:00Z"),
        ("Europe/Berlin", (time(22), time(2, 30)), frozenset(), "2026-03-29T00:30Z", "2026-03-29T01:30Z"),
        ("Europe/Berlin", (time(22), time(2, 30)), frozenset(), "2026-10-25T00:15Z", "2026-10-25T00:30Z"),
        ("Europe/Berlin", (time(22), time(2, 30)), frozenset(), "2026-10-25T01:15Z", "2026-10-25T01:15Z"),
        # an hour a day that this day does not have
        ("Europe/Berlin", (time(3), time(2)), frozenset(), "2026-03-28T12:00Z", "2026-03-30T00:00Z"),
        # Beirut, 29 March: midnight becomes one o'clock
        ("Asia/Beirut", None, frozenset({6}), "2026-03-28T12:00Z", "2026-03-28T22:00Z"),
    ],
)
def test_what_is_held_goes_out_when_people_may_be_written_to(
    zone: str, quiet: tuple[time, time] | None, days: frozenset[int], asked: str, opens: str
) -> None:
    hours = QuietHours(ZoneInfo(zone), quiet, days)
    assert hours.next_open_time(at(asked)) == at(opens)
    assert hours.next_open_time(at(opens)) == at(opens)


@pytest.mark.parametrize(
    ("zone", "quiet", "days", "mode", "happened", "goes_out"),
    [
        ("UTC", None, frozenset(), Mode.HOURLY, "2026-03-02T09:20:30Z", "2026-03-02T10:00Z"),
        ("UTC", None, frozenset(), Mode.HOURLY, "2026-03-02T10:00Z", "2026-03-02T11:00Z"),
        ("Asia/Kolkata", None, frozenset(), Mode.HOURLY, "2026-03-02T09:20Z", "2026-03-02T09:30Z"),
        ("UTC", NIGHT, frozenset(), Mode.HOURLY, "2026-03-02T21:20Z", "2026-03-03T07:00Z"),
        ("Europe/Berlin", None, frozenset(), Mode.HOURLY, "2026-03-29T00:30Z", "2026-03-29T01:00Z"),
        ("Europe/Berlin", None, frozenset(), Mode.HOURLY, "2026-10-25T00:30Z", "2026-10-25T01:00Z"),
        ("UTC", None, frozenset(), Mode.DAILY, "2026-03-02T07:59:59Z", "2026-03-02T08:00Z"),
        ("UTC", None, frozenset(), Mode.DAILY, "2026-03-02T08:00Z", "2026-03-03T08:00Z"),
        ("UTC", None, WORKDAYS, Mode.DAILY, "2026-03-06T09:00Z", "2026-03-09T08:00Z"),
        ("UTC", (time(20), time(9)), frozenset(), Mode.DAILY, "2026-03-02T12:00Z", "2026-03-03T09:00Z"),
        # a day of 23 hours, and one of 25
        ("Europe/Berlin", None, frozenset(), Mode.DAILY, "2026-03-28T07:00Z", "2026-03-29T06:00Z"),
        ("Europe/Berlin", None, frozenset(), Mode.DAILY, "2026-10-24T06:00Z", "2026-10-25T07:00Z"),
    ],
)
def test_a_summary_goes_out_on_the_hour_or_in_the_morning_of_its_readers(
    zone: str, quiet: tuple[time, time] | None, days: frozenset[int], mode: Mode, happened: str, goes_out: str
) -> None:
    assert QuietHours(ZoneInfo(zone), quiet, days).next_digest_time(mode, at(happened)) == at(goes_out)


@pytest.mark.parametrize(
    ("zone", "digest_at", "quiet", "days", "happened", "goes_out"),
    [
        ("UTC", time(17, 30), None, frozenset(), "2026-03-02T17:29:59Z", "2026-03-02T17:30Z"),
        ("UTC", time(17, 30), None, frozenset(), "2026-03-02T17:30Z", "2026-03-03T17:30Z"),
        ("Asia/Kolkata", time(17, 30), None, WORKDAYS, "2026-03-06T12:01Z", "2026-03-09T12:00Z"),
        ("UTC", time(6), NIGHT, frozenset(), "2026-03-02T12:00Z", "2026-03-03T07:00Z"),
        ("UTC", time(0), None, frozenset(), "2026-03-02T00:00Z", "2026-03-03T00:00Z"),
        # a time that the clocks leave out, and one that comes twice
        ("Europe/Berlin", time(2, 30), None, frozenset(), "2026-03-28T12:00Z", "2026-03-29T01:30Z"),
        ("Europe/Berlin", time(2, 30), None, frozenset(), "2026-10-24T12:00Z", "2026-10-25T00:30Z"),
        ("Europe/Berlin", time(2, 30), None, frozenset(), "2026-10-25T01:00Z", "2026-10-26T01:30Z"),
    ],
)
def test_a_daily_summary_goes_out_at_the_time_that_its_readers_chose(
    zone: str, digest_at: time, quiet: tuple[time, time] | None, days: frozenset[int], happened: str, goes_out: str
) -> None:
    hours = QuietHours(ZoneInfo(zone), quiet, days, digest_at)
    assert hours.next_digest_time(Mode.DAILY, at(happened)) == at(goes_out)
