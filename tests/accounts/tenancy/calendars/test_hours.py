"""Working hours beside an independent library, over changes of clocks, and by hand where the library has no word."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workclock import Holidays, Schedule, WorkDay

from accounts.tenancy.calendars.hours import (
    DAY_MINUTES,
    Block,
    DatedException,
    Hours,
    NoWorkingTime,
    merged,
)

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]
NINE_TO_FIVE = Block(9 * 60, 17 * 60)
WEEKDAYS = (*[(NINE_TO_FIVE,)] * 5, (), ())
#: Around both changes of each zone in 2026.
STARTS = [
    datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 6), (3, 27), (4, 3), (10, 2), (10, 23), (10, 30))
]


BLOCKS = st.lists(
    st.builds(
        lambda start, length: Block(start, start + length),
        st.integers(0, DAY_MINUTES - 1),
        st.integers(1, DAY_MINUTES),
    ),
    max_size=3,
)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Hours, Schedule | None]:
    """Draw working hours and the same schedule in workclock's words; None where there is no working time."""
    zone = draw(st.sampled_from(ZONES))
    week = [draw(BLOCKS) for _ in range(7)]
    removed = draw(st.lists(st.dates(date(2026, 3, 1), date(2026, 11, 5)), max_size=4, unique=True))
    rules = [
        WorkDay(clock(block.start), clock(block.end), days=[day]) for day, of_day in enumerate(week) for block in of_day
    ]
    exceptions = tuple(DatedException(day, day, working=False) for day in removed)
    oracle = Schedule([*rules, Holidays(removed)], time_zone=zone) if rules else None
    return Hours(ZoneInfo(zone), tuple(merged(of_day) for of_day in week), exceptions), oracle


def clock(minutes: int) -> time:
    return time(minutes % DAY_MINUTES // 60, minutes % 60)


SLOWLY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@SLOWLY
@given(schedules(), st.sampled_from(STARTS), st.integers(0, 4 * DAY_MINUTES), st.integers(0, 10 * DAY_MINUTES))
def test_working_time_equals_workclocks(
    drawn: tuple[Hours, Schedule | None], at: datetime, ahead: int, length: int
) -> None:
    hours, oracle = drawn
    since = at + timedelta(minutes=ahead)
    until = since + timedelta(minutes=length)
    expected = oracle.between(since, until).total_seconds() if oracle else 0
    assert hours.seconds_between(since, until) == expected


@SLOWLY
@given(schedules(), st.sampled_from(STARTS), st.integers(0, 4 * DAY_MINUTES), st.integers(1, 5 * DAY_MINUTES))
def test_a_due_time_equals_workclocks(
    drawn: tuple[Hours, Schedule | None], at: datetime, ahead: int, minutes: int
) -> None:
    hours, oracle = drawn
    since = at + timedelta(minutes=ahead)
    if oracle is None:
        with pytest.raises(NoWorkingTime):
            hours.add(since, minutes * 60)
    else:
        assert hours.add(since, minutes * 60) == oracle.add(since, timedelta(minutes=minutes))


BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)


def at(hour: int, minute: int = 0, *, day: date = MONDAY) -> datetime:
    return datetime.combine(day, time(hour, minute), BERLIN)


def test_a_half_day_a_holiday_and_a_working_saturday() -> None:
    friday, saturday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=5)
    hours = Hours(
        BERLIN,
        WEEKDAYS,
        (
            DatedException(MONDAY, MONDAY, working=False, blocks=(Block(13 * 60, DAY_MINUTES),)),
            DatedException(friday, friday, working=False),
            DatedException(saturday, saturday, working=True, blocks=(Block(10 * 60, 12 * 60),)),
        ),
    )
    week = list(hours.intervals(at(0), at(0, day=MONDAY + timedelta(days=7))))
    local = [(start.astimezone(BERLIN), end.astimezone(BERLIN)) for start, end in week]
    assert [f"{start:%a %H:%M}-{end:%H:%M}" for start, end in local] == [
        *("Mon 09:00-13:00", "Tue 09:00-17:00", "Wed 09:00-17:00", "Thu 09:00-17:00", "Sat 10:00-12:00")
    ]


def test_a_removed_day_takes_its_own_hours_from_both_night_shifts() -> None:
    nights = Hours(
        BERLIN, tuple((Block(22 * 60, 30 * 60),) for _ in range(7)), (DatedException(MONDAY, MONDAY, False),)
    )
    sunday, tuesday = MONDAY - timedelta(days=1), MONDAY + timedelta(days=1)
    around = list(nights.intervals(at(12, day=sunday), at(12, day=tuesday)))
    assert around == [(at(22, day=sunday), at(0)), (at(0, day=tuesday), at(6, day=tuesday))]


def test_what_is_added_on_a_removed_day_counts() -> None:
    both = (DatedException(MONDAY, MONDAY, False), DatedException(MONDAY, MONDAY, True, (Block(600, 660),)))
    assert list(Hours(BERLIN, WEEKDAYS, both).intervals(at(0), at(23))) == [(at(10), at(11))]


def test_a_target_of_an_hour_late_on_friday_is_due_on_monday() -> None:
    hours = Hours(BERLIN, WEEKDAYS)
    friday = MONDAY + timedelta(days=4)
    assert hours.add(at(16, 30, day=friday), 3600) == at(9, 30, day=MONDAY + timedelta(days=7))
    assert hours.add(at(16, 0, day=friday), 3600) == at(17, day=friday)
    assert hours.next_opening(at(18, day=friday)) == at(9, day=MONDAY + timedelta(days=7))
    assert [hours.is_open(at(hour)) for hour in (8, 9, 16, 17)] == [False, True, True, False]


def test_who_is_always_open_works_through_the_change_of_clocks() -> None:
    hours = Hours(BERLIN, ((),) * 7, always_open=True)
    night = datetime(2026, 3, 29, 0, 0, tzinfo=BERLIN)
    assert hours.seconds_between(night, night + timedelta(days=1)) == 23 * 3600
    assert hours.add(night, 3600) == datetime(2026, 3, 29, 0, 0, tzinfo=UTC)


def test_a_calendar_without_working_time_says_so() -> None:
    with pytest.raises(NoWorkingTime):
        Hours(BERLIN, ((),) * 7).next_opening(at(0))
