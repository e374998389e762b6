"""Calendars as they are saved: what is refused, what is merged, which one is the default."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from accounts.core.errors import FieldError
from accounts.models import Agency, Calendar
from accounts.tenancy.calendars.hours import DAY_MINUTES
from accounts.tenancy.calendars.parsing import hours_of
from accounts.tenancy.calendars.service import create_calendar, delete_calendar, next_opening, preview, update_calendar

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"name": " "}, "name"),
    "a time zone that is none": ({"timezone": "Mars/Olympus"}, "timezone"),
    "a day that is none": ({"week": {"monday": []}}, "week"),
    "a week that is a list": ({"week": []}, "week"),
    "an hour that is none": ({"week": {"mon": [["9:00", "17:00"]]}}, "week"),
    "a block of three": ({"week": {"mon": [["09:00", "12:00", "17:00"]]}}, "week"),
    "a block that begins at the end": ({"week": {"mon": [["24:00", "06:00"]]}}, "week"),
    "seven blocks": ({"week": {"mon": [["09:00", "09:10"]] * 7}}, "week"),
    "more than a day": ({"week": {"mon": [["00:00", "24:00"], ["22:00", "06:00"]]}}, "week"),
    "an exception that ends first": (
        {"exceptions": [{"first": date(2026, 3, 2), "last": date(2026, 3, 1)}]},
        "exceptions",
    ),
    "an exception of years": ({"exceptions": [{"first": date(2026, 3, 2), "last": date(2028, 3, 1)}]}, "exceptions"),
    "added hours without hours": ({"exceptions": [{"first": date(2026, 3, 2), "working": True}]}, "exceptions"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_calendar_is_refused_and_leaves_nothing(agency: Agency, case: str) -> None:
    values, field = REFUSED[case]
    with pytest.raises(FieldError) as refused:
        create_calendar(agency, **{"name": "Sales", **values})
    assert (refused.value.field, Calendar.objects.count()) == (field, 0)


def test_overlapping_blocks_count_once(agency: Agency) -> None:
    week = {"mon": [["13:00", "17:00"], ["09:00", "12:00"], ["11:00", "13:00"]], "fri": [["22:00", "06:00"]]}
    calendar = create_calendar(agency, name="Sales", week=week)
    assert (calendar.week["mon"], calendar.week["fri"]) == ([["09:00", "17:00"]], [["22:00", "06:00"]])
    assert [(block.start, block.end - DAY_MINUTES) for block in hours_of(calendar).week[4]] == [(22 * 60, 6 * 60)]


def test_there_is_one_default_and_it_stays(agency: Agency, stranger: Agency) -> None:
    first, second = create_calendar(agency, name="First"), create_calendar(agency, name="Second")
    create_calendar(stranger, name="First")
    with pytest.raises(FieldError):
        delete_calendar(first)
    with pytest.raises(FieldError):
        update_calendar(first, is_default=False)
    update_calendar(second, is_default=True)
    assert list(agency.calendars.filter(is_default=True)) == [second]
    assert stranger.calendars.get().is_default
    delete_calendar(first)
    delete_calendar(second)
    assert not agency.calendars.exists()


def test_a_name_is_taken_once_per_agency(agency: Agency) -> None:
    create_calendar(agency, name="Sales")
    with pytest.raises(FieldError) as refused:
        create_calendar(agency, name=" Sales ")
    assert refused.value.field == "name"


def test_new_hours_are_a_new_version_and_a_new_name_is_not(agency: Agency) -> None:
    calendar = update_calendar(create_calendar(agency, name="Sales"), name="Support")
    assert calendar.version == 1
    assert update_calendar(calendar, week={"mon": [["09:00", "17:00"]]}).version == 2


def test_a_preview_shows_two_weeks_in_local_time(agency: Agency) -> None:
    calendar = create_calendar(
        agency,
        name="Berlin",
        timezone="Europe/Berlin",
        week={"mon": [["22:00", "06:00"]], "tue": [["09:00", "12:00"]]},
        exceptions=[{"first": date(2026, 3, 10), "name": "Founders' day"}],
    )
    days = preview(calendar, NOON)
    assert (len(days), days[0]["date"]) == (14, date(2026, 3, 2))
    assert [day["open"] for day in days[:3]] == [[["22:00", "24:00"]], [["00:00", "06:00"], ["09:00", "12:00"]], []]
    assert days[8]["open"] == []
    assert next_opening(calendar, NOON) == datetime(2026, 3, 2, 21, tzinfo=UTC)
    assert next_opening(create_calendar(agency, name="Never"), NOON) is None
