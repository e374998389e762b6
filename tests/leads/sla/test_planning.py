"""Due times and measured times of clocks beside an independent library, and what a change of working hours does."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.contrib.auth.models import User
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from workclock import Holidays, Schedule, WorkDay

from accounts.models import Agency, Calendar, Member
from accounts.tenancy.calendars.hours import DAY_MINUTES, Block, merged
from accounts.tenancy.calendars.lookup import open_clocks
from accounts.tenancy.calendars.parsing import DAYS
from accounts.tenancy.calendars.service import create_calendar, delete_calendar, update_calendar
from accounts.tenancy.members import update_member
from leads.models import Lead, ResponseClock
from leads.pipeline.changes import create_lead
from leads.sla.alerts import alert_due
from leads.sla.figures import plan, segments_until, working_seconds
from leads.sla.responses import answer_elsewhere
from tests.reactions import react

ZONES = ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"]
#: Shortly before both changes of each zone in 2026.
STARTS = [
    datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 6), (3, 27), (4, 3), (10, 2), (10, 23), (10, 30))
]
BLOCKS = st.lists(
    st.builds(
        lambda start, length: Block(start, start + length),
        st.integers(0, DAY_MINUTES - 1),
        st.integers(30, DAY_MINUTES),
    ),
    max_size=3,
)
MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
NINE_TO_FIVE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


def text_of(minutes: int) -> str:
    return f"{minutes % DAY_MINUTES // 60:02}:{minutes % 60:02}"


def time_of(minutes: int) -> time:
    return time(minutes % DAY_MINUTES // 60, minutes % 60)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Calendar, Schedule]:
    """Draw an unsaved calendar with split shifts, night shifts and removed days, and workclock's same schedule."""
    zone = draw(st.sampled_from(ZONES))
    week = [[block for block in merged(draw(BLOCKS)) if block.end - block.start <= DAY_MINUTES] for _ in DAYS]
    if not any(week):
        week[0] = [Block(22 * 60, 30 * 60)]
    removed = draw(st.lists(st.dates(date(2026, 3, 1), date(2026, 11, 5)), max_size=4, unique=True))
    stored = {
        day: [[text_of(one.start), text_of(one.end)] for one in of_day] for day, of_day in zip(DAYS, week, strict=True)
    }
    calendar = Calendar(name="Drawn", timezone=zone, week=stored, version=1)
    exceptions = [calendar.exceptions.model(first=day, last=day, working=False, blocks=[]) for day in removed]
    calendar._prefetched_objects_cache = {"exceptions": exceptions}  # type: ignore[attr-defined]
    rules = [
        WorkDay(time_of(one.start), time_of(one.end), days=[day]) for day, of_day in enumerate(week) for one in of_day
    ]
    return calendar, Schedule([*rules, Holidays(removed)], time_zone=zone)


def check_against_workclock(
    drawn: tuple[Calendar, Schedule], at: datetime, ahead: int, minutes: int, late: int
) -> None:
    calendar, oracle = drawn
    start = at + timedelta(minutes=ahead)
    clock = ResponseClock(
        started_at=start,
        received_at=start,
        known_at=start,
        period_started_at=start,
        target_seconds=minutes * 60,
        warn_seconds=minutes * 40,
    )
    plan(clock, calendar, start)
    assert clock.due_at == oracle.add(start, timedelta(minutes=minutes))
    assert clock.warn_at == oracle.add(start, timedelta(seconds=minutes * 40))
    assert clock.next_attempt_at == min(clock.warn_at, clock.due_at)
    answered = start + timedelta(minutes=late)
    worked = oracle.between(start, answered).total_seconds()
    assert working_seconds(clock, answered) == worked
    assert (worked > minutes * 60) <= (answered > clock.due_at)
    parts = {segment.kind: segment.seconds for segment in segments_until(clock, answered)}
    assert (parts.get("person", 0), sum(parts.values())) == (worked, late * 60)


ARGUMENTS = (
    *(schedules(), st.sampled_from(STARTS), st.integers(0, 4 * DAY_MINUTES)),
    *(st.integers(1, 3 * DAY_MINUTES), st.integers(0, 10 * DAY_MINUTES)),
)
SLOWLY = [HealthCheck.too_slow]


@settings(deadline=None, max_examples=25, suppress_health_check=SLOWLY)
@given(*ARGUMENTS)
def test_clocks_equal_workclock_over_changes_of_the_clock(
    drawn: tuple[Calendar, Schedule], at: datetime, ahead: int, minutes: int, late: int
) -> None:
    check_against_workclock(drawn, at, ahead, minutes, late)


@pytest.mark.fault
@settings(deadline=None, max_examples=600, suppress_health_check=SLOWLY)
@given(*ARGUMENTS)
def test_many_clocks_equal_workclock(
    drawn: tuple[Calendar, Schedule], at: datetime, ahead: int, minutes: int, late: int
) -> None:
    check_against_workclock(drawn, at, ahead, minutes, late)


@pytest.mark.parametrize("zone", ZONES)
def test_a_block_per_day_only(zone: str) -> None:
    """Lunch is no working time, a night shift is one, a day off is none, and an added day is one."""
    week = {"mon": [["09:00", "12:00"], ["13:00", "17:00"]], "tue": [["22:00", "06:00"]]}
    calendar = Calendar(timezone=zone, week=week, version=1)
    wednesday = date(2026, 3, 4)
    added = calendar.exceptions.model(first=wednesday, last=wednesday, working=True, blocks=[["10:00", "11:00"]])
    calendar._prefetched_objects_cache = {"exceptions": [added]}  # type: ignore[attr-defined]
    monday = datetime(2026, 3, 2, 11, 50, tzinfo=ZoneInfo(zone))
    clock = ResponseClock(period_started_at=monday, target_seconds=20 * 60, warn_seconds=10 * 60)
    plan(clock, calendar, monday)
    assert clock.due_at == datetime(2026, 3, 2, 13, 10, tzinfo=ZoneInfo(zone))
    clock.target_seconds = (10 + 4 * 60 + 8 * 60 + 30) * 60
    plan(clock, calendar, monday)
    assert clock.due_at == datetime(2026, 3, 4, 10, 30, tzinfo=ZoneInfo(zone))


def waiting_lead(agency: Agency) -> Lead:
    lead = create_lead(agency, email="ada@example.com")
    react()
    return lead


def test_a_change_of_hours_plans_open_clocks_anew_and_leaves_the_others(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    calendar = create_calendar(agency, name="Office", timezone="UTC", week=NINE_TO_FIVE)
    answered, lead = waiting_lead(agency), create_lead(agency, phone="+4930123")
    react()
    clock.shift(timedelta(minutes=20))
    answer_elsewhere(answered)
    before = ResponseClock.objects.filter(lead=answered).values().get()
    assert open_clocks(calendar) == 1
    update_calendar(calendar, week={"mon": [["13:00", "17:00"]]})
    react()
    open_clock = lead.clocks.get()
    assert open_clock.due_at == MONDAY + timedelta(hours=3, minutes=15)
    assert (open_clock.calendar_version, open_clock.breached) == (2, False)
    lead.refresh_from_db()
    assert lead.response_due_at == open_clock.due_at
    assert ResponseClock.objects.filter(lead=answered).values().get() == before


def test_no_alert_comes_by_working_hours_that_were_changed_since(agency: Agency, clock: time_machine.Traveller) -> None:
    calendar = create_calendar(agency, name="Office", timezone="UTC", week=NINE_TO_FIVE)
    lead = waiting_lead(agency)
    update_calendar(calendar, week={"mon": [["13:00", "17:00"]]})
    clock.shift(timedelta(minutes=20))
    assert [alert_due(), alert_due()] == [1, 0]  # before anybody reacted to the change
    assert lead.clocks.get().due_at == MONDAY + timedelta(hours=3, minutes=15)
    clock.shift(timedelta(hours=3))
    assert alert_due() == 1
    assert agency.events.filter(event_type="lead_overdue").count() == 1


def test_without_working_hours_every_hour_counts(agency: Agency, clock: time_machine.Traveller) -> None:
    calendar = create_calendar(agency, name="Closed", timezone="UTC", week={})
    lead = waiting_lead(agency)
    assert lead.clocks.get().due_at == MONDAY + timedelta(minutes=15)
    update_calendar(calendar, week={"tue": [["09:00", "17:00"]]})
    react()
    assert lead.clocks.get().due_at == MONDAY + timedelta(hours=23, minutes=15)
    delete_calendar(calendar)
    react()
    assert lead.clocks.get().due_at == MONDAY + timedelta(minutes=15)
    assert lead.clocks.get().calendar is None


def test_the_owners_own_hours_count_from_when_they_get_them(agency: Agency, clock: time_machine.Traveller) -> None:
    create_calendar(agency, name="Office", timezone="UTC", week=NINE_TO_FIVE)
    late = create_calendar(agency, name="Late", timezone="UTC", week={"mon": [["13:00", "17:00"]]})
    anna = Member.objects.create(agency=agency, user=User.objects.create_user("anna"), role="manager")
    lead = create_lead(agency, email="ada@example.com", assigned_to=anna.user)
    react()
    assert lead.clocks.get().due_at == MONDAY + timedelta(minutes=15)
    update_member(anna, calendar=late)
    react()
    assert lead.clocks.get().due_at == MONDAY + timedelta(hours=3, minutes=15)
