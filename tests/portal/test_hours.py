"""Working hours on their page: what people write, what is saved, what is refused."""

import pytest
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from tests.portal.browser import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]

EXCEPTIONS = """
2026-12-25: Christmas
2026-12-24 to  2026-12-26: Company closed
2026-12-31 13:00-24:00: New Year's Eve
2027-01-09 +10:00-12:00, 13:00-14:00: Open Saturday
"""


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


def given(**changes: str) -> dict[str, str]:
    return {"name": "Sales, Berlin", "timezone": "Europe/Berlin", "mon": "09:00-12:00, 13:00-17:00", **changes}


def test_hours_and_exceptions_are_read_as_people_write_them(agency: Agency, manager: Client) -> None:
    made = manager.post("/hours", given(fri="22:00 – 06:00", exceptions=EXCEPTIONS))
    assert made.status_code == 302
    calendar = agency.calendars.get()
    assert (calendar.week["mon"], calendar.week["fri"], calendar.week["sun"]) == (
        [["09:00", "12:00"], ["13:00", "17:00"]],
        [["22:00", "06:00"]],
        [],
    )
    rows = [
        (f"{row.first:%d}", f"{row.last:%d}", row.working, row.blocks, row.name) for row in calendar.exceptions.all()
    ]
    assert rows == [
        ("24", "26", False, [], "Company closed"),
        ("25", "25", False, [], "Christmas"),
        ("31", "31", False, [["13:00", "24:00"]], "New Year's Eve"),
        ("09", "09", True, [["10:00", "12:00"], ["13:00", "14:00"]], "Open Saturday"),
    ]
    page = manager.get(made["Location"]).content.decode()
    assert "2027-01-09 +10:00-12:00, 13:00-14:00: Open Saturday" in page


@pytest.mark.parametrize(
    "wrong",
    [{"mon": "9-17"}, {"mon": "09:00-25:00"}, {"exceptions": "Christmas"}, {"exceptions": "2026-02-30"}, {"name": ""}],
    ids=str,
)
def test_what_cannot_be_read_is_refused_and_the_text_stays(
    agency: Agency, manager: Client, wrong: dict[str, str]
) -> None:
    answer = manager.post("/hours", given(**wrong))
    assert (answer.status_code, agency.calendars.exists()) == (422, False)
    assert "Europe/Berlin" in answer.content.decode()


def test_the_default_hours_are_deleted_last(agency: Agency, manager: Client) -> None:
    for name in ("First", "Second"):
        manager.post("/hours", given(name=name))
    first = agency.calendars.get(name="First")
    manager.post(f"/hours/{first.pk}/delete")
    assert "This is the default calendar" in manager.get("/hours").content.decode()
    assert agency.calendars.count() == 2
