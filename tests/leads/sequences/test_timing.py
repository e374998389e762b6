"""When a step is due: sending days, windows, time zones and the changes of clocks."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Agency
from leads.models import Lead
from leads.sequences.timing import Window, add_sending_days, due_at, next_in_window
from leads.sequences.zones import zone_of

BERLIN, NEW_YORK, LORD_HOWE = (ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"))
OFFICE = Window(time(9), time(17))
FRIDAY_NOON = datetime(2026, 3, 6, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("delay", "window", "zone", "due"),
    [
        (0, None, BERLIN, FRIDAY_NOON),
        (1, None, BERLIN, datetime(2026, 3, 9, 12, tzinfo=UTC)),
        (5, None, BERLIN, datetime(2026, 3, 13, 12, tzinfo=UTC)),
        (0, OFFICE, NEW_YORK, datetime(2026, 3, 6, 14, tzinfo=UTC)),
        (1, OFFICE, NEW_YORK, datetime(2026, 3, 9, 13, tzinfo=UTC)),  # New York's clocks changed on Sunday
        (0, Window(time(9), time(12)), BERLIN, datetime(2026, 3, 9, 8, tzinfo=UTC)),
    ],
)
def test_a_step_is_due_on_its_sending_day_within_its_window(
    delay: int, window: Window | None, zone: ZoneInfo, due: datetime
) -> None:
    assert due_at(FRIDAY_NOON, delay=delay, window=window, zone=zone) == due


@given(
    at=st.integers(0, 730 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    delay=st.integers(0, 30),
    zone=st.sampled_from([BERLIN, NEW_YORK, LORD_HOWE]),
    window=st.sampled_from([None, OFFICE, Window(time(2), time(2, 30)), Window(time(23), time(23, 59))]),
)
def test_no_step_is_early_outside_of_its_window_or_on_a_weekend(
    at: datetime, delay: int, zone: ZoneInfo, window: Window | None
) -> None:
    due = due_at(at, delay=delay, window=window, zone=zone)
    local = due.astimezone(zone)
    assert due >= at
    if window is not None or delay:
        assert window is None or window.begin <= local.time() or local.utcoffset() != at.astimezone(zone).utcoffset()
        assert local.weekday() < 5
    if delay:
        assert local.date() >= add_sending_days(at.astimezone(zone).date(), delay)
    assert next_in_window(due, window=window, zone=zone) - due < timedelta(days=4)


def test_weekends_are_no_sending_days() -> None:
    assert [add_sending_days(date(2026, 3, 6), count) for count in (0, 1, 2)] == [
        date(2026, 3, 6), date(2026, 3, 9), date(2026, 3, 10),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "zone"),
    [
        ({"country": "Germany"}, "Europe/Berlin"),
        ({"country": "US", "state": "California"}, "America/Los_Angeles"),
        ({"country": "US"}, None),
        ({"country": "US", "state": "Texas"}, None),
        ({"phone_e164": "+14155552671"}, "America/Los_Angeles"),
        ({"phone_e164": "+18005550123"}, None),
        ({}, None),
    ],
)
@pytest.mark.django_db
@pytest.mark.one_backend
def test_a_leads_time_zone_is_known_where_one_is_left(agency: Agency, values: dict[str, str], zone: str | None) -> None:
    lead = Lead(agency=agency, **values)
    now = datetime(2026, 3, 6, tzinfo=UTC)
    lead.status_since = lead.received_at = now
    lead.save()
    assert str(zone_of(lead)) == str(zone)
