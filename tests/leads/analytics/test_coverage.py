"""When leads come beside when somebody can answer: as slow, plain looks at each minute say."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine

from accounts.api.report import Question, Window
from accounts.core.enums import Role
from accounts.models import Agency, Calendar
from accounts.tenancy.calendars.lookup import usable_hours
from accounts.tenancy.calendars.service import create_calendar
from leads.analytics.coverage import Coverage, coverage_of, open_intervals
from leads.models import LeadFact
from leads.pipeline.changes import create_lead
from tests.leads.routing.teams import make_member
from tests.reactions import react

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 3, 23, tzinfo=BERLIN)  # a Monday; the clocks go forward on Sunday
END = BEGIN + timedelta(days=10)
WEEK = {day: [["09:00", "12:30"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(END, tick=False):
        yield


def ask(agency: Agency, *times: datetime, working_seconds: int | None = None) -> None:
    """Have leads wait since these times."""
    for number, at in enumerate(times):
        lead = create_lead(agency, name="Ada", email=f"{at:%d%H%M%S}{number}@example.com")
        react()
        answered = {"response_seconds": working_seconds, "response_working_seconds": working_seconds}
        LeadFact.objects.filter(pk=lead.pk).update(asked_at=at, **answered)


def covered(agency: Agency) -> Coverage:
    question = Question(Window(BEGIN, END, BERLIN, "day"), "", "", "", include_inactive=True, include_test=False)
    return coverage_of(agency, question)


def office(agency: Agency, **week: Any) -> Calendar:
    return create_calendar(agency, name="Office", timezone="Europe/Berlin", week=week or WEEK, is_default=True)


def test_leads_count_where_somebody_had_working_hours(agency: Agency, stranger: Agency) -> None:
    office(agency)
    make_member(agency, "anna")
    tuesday = BEGIN + timedelta(days=1)
    times = [
        tuesday.replace(hour=hour, minute=minute) for hour, minute in ((8, 50), (9, 0), (12, 45), (17, 0), (17, 40))
    ]
    ask(agency, *times)
    ask(stranger, tuesday.replace(hour=3))
    found = covered(agency)
    assert (found.leads, found.covered, found.uncovered) == (5, 1, 4)
    hours = {row.hour: (row.leads, row.covered, row.open_minutes) for row in found.hours}
    assert hours[8] == (1, 0, 0)
    assert hours[9] == (1, 1, 48)  # eight of ten days are working days
    assert hours[12] == (1, 0, 24)
    assert hours[17] == (2, 0, 0)
    assert [(one.minutes, one.earlier, one.later) for one in found.extensions] == [(15, 2, 1), (60, 2, 3)]


def test_a_target_says_how_many_met_it(agency: Agency) -> None:
    ask(agency, BEGIN, working_seconds=300)
    ask(agency, BEGIN, working_seconds=901)
    ask(agency, BEGIN)
    found = covered(agency)
    assert [(one.minutes, one.met) for one in found.targets] == [(5, 1), (15, 1), (30, 2), (60, 2), (120, 2), (240, 2)]
    assert found.targets[0].share == 1 / 3


def test_hours_are_those_of_the_members_who_may_answer(agency: Agency) -> None:
    office(agency)
    late = create_calendar(agency, name="Late", timezone="Europe/Berlin", week={"mon": [["18:00", "20:00"]]})
    night = create_calendar(agency, name="Night", timezone="Europe/Berlin", week={"mon": [["22:00", "23:00"]]})
    make_member(agency, "anna", calendar=late)
    make_member(agency, "reader", calendar=night, role=Role.READ_ONLY)
    monday = BEGIN.astimezone(UTC), (BEGIN + timedelta(days=1)).astimezone(UTC)
    assert [
        (start.astimezone(BERLIN).hour, end.astimezone(BERLIN).hour) for start, end in open_intervals(agency, *monday)
    ] == [(18, 20)]
    make_member(agency, "ben")
    assert len(open_intervals(agency, *monday)) == 3


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_a_look_at_each_lead_says(agency: Agency, seed: int) -> None:
    chance = random.Random(seed)
    calendars = [
        office(agency),
        create_calendar(agency, name="Sunday", timezone="Asia/Kolkata", week={"sun": [["00:00", "24:00"]]}),
    ]
    for number, calendar in enumerate(calendars):
        make_member(agency, f"member{number}", calendar=calendar)
    times = [BEGIN + timedelta(minutes=chance.randrange(14_000)) for _ in range(25)]
    times = [at.astimezone(UTC) for at in times]
    ask(agency, *times)
    hours = [usable_hours(calendar) for calendar in calendars]

    def is_open(at: datetime) -> bool:
        return any(each.is_open(at) for each in hours)

    found = covered(agency)
    assert found.covered == sum(map(is_open, times))
    minutes = [BEGIN.astimezone(UTC) + timedelta(minutes=number) for number in range(10 * 1440 - 60)]
    opened = [sum(is_open(at) for at in minutes if at.astimezone(BERLIN).hour == hour) for hour in range(24)]
    assert [row.open_minutes for row in found.hours] == [round(number / 10) for number in opened]
    for extension in found.extensions:
        by = range(1, extension.minutes + 1)
        for gained, sign in ((extension.earlier, 1), (extension.later, -1)):
            slow = sum(
                not is_open(at) and any(is_open(at + sign * timedelta(minutes=step)) for step in by) for at in times
            )
            assert gained == slow
