"""The holidays of a country and a state are proposed; what people keep of them are rows."""

from datetime import date

import pytest
from django.test import Client

from accounts.core.enums import Role, Scope
from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.tenancy.calendars.public_holidays import propose_holidays
from accounts.tenancy.calendars.service import create_calendar
from tests.api.client import api_with
from tests.portal.browser import Browser

pytestmark = pytest.mark.django_db


def named(country: str, state: str = "", language: str = "en") -> dict[date, str]:
    return {day["first"]: day["name"] for day in propose_holidays(country, state, year=2026, language=language)}


def test_days_of_the_state_are_named_in_the_language() -> None:
    berlin, bavaria = named("de", "be", "de"), named("DE", "BY", "de")
    assert (berlin[date(2026, 3, 8)], bavaria[date(2026, 1, 6)]) == ("Frauentag", "Heilige Drei Könige")
    assert date(2026, 1, 6) not in berlin
    assert named("DE")[date(2026, 1, 1)] == "New Year's Day"
    assert date(2026, 7, 3) in named("US", "CA")  # observed: the 4th is a Saturday


@pytest.mark.parametrize(
    ("country", "state", "year", "field"),
    [("XX", "", 2026, "country"), ("DE", "ZZ", 2026, "state"), ("DE", "", 1900, "year")],
)
def test_what_is_unknown_is_refused_by_name(country: str, state: str, year: int, field: str) -> None:
    with pytest.raises(FieldError) as refusal:
        propose_holidays(country, state, year=year)
    assert refusal.value.field == field


def test_the_page_proposes_days_that_are_rows_only_once_they_are_saved(agency: Agency, sign_in: Browser) -> None:
    manager: Client = sign_in(Role.MANAGER)
    kept = {"name": "New Year", "first": date(2026, 1, 1)}
    calendar = create_calendar(agency, name="Office", timezone="Europe/Berlin", exceptions=[kept])
    page = f"/hours/{calendar.pk}"
    shown = manager.get(page, {"country": "DE", "state": "BE", "year": "2026"}).content.decode()
    assert ("2026-10-03: " in shown, shown.count("2026-01-01"), calendar.exceptions.count()) == (True, 1, 1)
    assert "9 holidays stand among the exceptions" in shown
    refused = manager.get(page, {"country": "DE", "state": "ZZ", "year": "2026"}).content.decode()
    assert "There are: BB, BE," in refused
    saved = {"name": "Office", "timezone": "Europe/Berlin", "exceptions": "2026-10-03: Tag der Deutschen Einheit"}
    assert manager.post(page, saved).status_code == 302
    assert [(row.first, row.name) for row in calendar.exceptions.all()] == [
        (date(2026, 10, 3), "Tag der Deutschen Einheit")
    ]


def test_the_api_proposes_what_a_calendar_takes(agency: Agency) -> None:
    api = api_with(agency, Scope.READ, Scope.WRITE)
    proposed = api.get("calendars/holidays", {"country": "US", "state": "NY", "year": 2026}).json()["exceptions"]
    assert {
        "from": "2026-12-25",
        "to": "2026-12-25",
        "name": "Christmas Day",
        "working": False,
        "blocks": [],
    } in proposed
    made = api.post("calendars", {"name": "New York", "timezone": "America/New_York", "exceptions": proposed})
    assert (made.status_code, made.json()["exceptions"]) == (201, proposed)
    assert api.get("calendars/holidays", {"country": "US"}).status_code == 400
    assert api.get("calendars/holidays", {"country": "US", "year": 2026, "city": "x"}).status_code == 400
