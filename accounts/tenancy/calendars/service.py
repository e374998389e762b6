"""Create, change and delete calendars. Every agency has one default calendar once it has any."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.core.errors import FieldError
from accounts.models import Agency, Calendar
from accounts.models.calendar import CalendarException
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from accounts.tenancy.calendars.hours import NoWorkingTime
from accounts.tenancy.calendars.lookup import hours_changed
from accounts.tenancy.calendars.parsing import MAX_EXCEPTIONS, MAX_NAME_LENGTH, clean_exception, clean_week, hours_of

MAX_CALENDARS = 200
PREVIEW_DAYS = 14
HOURS_FIELDS = {"timezone", "week", "always_open", "exceptions"}


@transaction.atomic
def create_calendar(agency: Agency, *, name: str, by: Actor | None = None, **values: Any) -> Calendar:
    """Create a calendar. The first of an agency becomes its default. Raises FieldError."""
    Agency.objects.select_for_update().get(pk=agency.pk)
    if agency.calendars.count() >= MAX_CALENDARS:
        raise FieldError("", f"An agency has at most {MAX_CALENDARS} calendars.")
    calendar = Calendar(agency=agency, timezone=agency.timezone, week={})
    _change(calendar, {"week": {}, **values, "name": name})
    calendar.is_default = calendar.is_default or not agency.calendars.exists()
    _save(calendar, values.get("exceptions"))
    hours_changed(agency)
    audit.log_creation(by, calendar, gettext_noop("Working hours created"))
    return calendar


@transaction.atomic
def update_calendar(calendar: Calendar, *, by: Actor | None = None, **changes: Any) -> Calendar:
    """Change a calendar. New hours make a new version. Raises FieldError."""
    calendar = Calendar.objects.select_for_update().get(pk=calendar.pk)
    if calendar.is_default and changes.get("is_default") is False:
        raise FieldError("is_default", "Make another calendar the default instead.")
    _change(calendar, changes)
    if HOURS_FIELDS & changes.keys():
        calendar.version += 1
    _save(calendar, changes.get("exceptions"))
    if {*HOURS_FIELDS, "is_default"} & changes.keys():
        hours_changed(calendar.agency)
    audit.log_change(by, calendar, gettext_noop("Working hours changed"), ", ".join(sorted(changes)))
    return calendar


@transaction.atomic
def delete_calendar(calendar: Calendar, *, by: Actor | None = None) -> None:
    """Delete a calendar. Raises FieldError for the default one while there are others."""
    calendar = Calendar.objects.select_for_update().get(pk=calendar.pk)
    if calendar.is_default and calendar.agency.calendars.exclude(pk=calendar.pk).exists():
        raise FieldError("", "This is the default calendar. Make another one the default first.")
    audit.log_deletion(by, calendar, gettext_noop("Working hours deleted"))
    calendar.delete()
    hours_changed(calendar.agency)


def preview(calendar: Calendar, now: datetime) -> list[dict[str, Any]]:
    """Return the opening hours of the next 14 days in the calendar's time zone: `{"date", "open": [[from, to]]}`."""
    zone = ZoneInfo(calendar.timezone)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    hours, days = hours_of(calendar), []
    for number in range(PREVIEW_DAYS):
        start, end = midnight + timedelta(days=number), midnight + timedelta(days=number + 1)
        opening = [
            [since.astimezone(zone).strftime("%H:%M"), _end_of(until.astimezone(zone), end)]
            for since, until in hours.intervals(start, end)
        ]
        days.append({"date": start.date(), "open": opening})
    return days


def next_opening(calendar: Calendar, now: datetime) -> datetime | None:
    """Return the next working time, or None if the calendar has none within a year."""
    try:
        return hours_of(calendar).next_opening(now)
    except NoWorkingTime:
        return None


def _end_of(until: datetime, midnight: datetime) -> str:
    return "24:00" if until >= midnight else until.strftime("%H:%M")


def _change(calendar: Calendar, changes: Mapping[str, Any]) -> None:
    if "name" in changes:
        calendar.name = " ".join(str(changes["name"]).split())
        if not calendar.name or len(calendar.name) > MAX_NAME_LENGTH:
            raise FieldError("name", f"Enter a name of at most {MAX_NAME_LENGTH} characters.")
        others = Calendar.objects.filter(agency=calendar.agency_id, name=calendar.name).exclude(pk=calendar.pk)
        if others.exists():
            raise FieldError("name", "Another calendar has this name.")
    if "timezone" in changes:
        if changes["timezone"] not in available_timezones():
            raise FieldError("timezone", "Choose a time zone such as Europe/Berlin.")
        calendar.timezone = changes["timezone"]
    if "week" in changes:
        calendar.week = clean_week(changes["week"])
    for flag in ("always_open", "is_default"):
        if flag in changes:
            setattr(calendar, flag, bool(changes[flag]))


def _save(calendar: Calendar, exceptions: Sequence[Mapping[str, Any]] | None) -> None:
    if calendar.is_default:
        calendar.agency.calendars.filter(is_default=True).exclude(pk=calendar.pk).update(is_default=False)
    calendar.save()
    if exceptions is None:
        return
    if len(exceptions) > MAX_EXCEPTIONS:
        raise FieldError("exceptions", f"A calendar has at most {MAX_EXCEPTIONS} exceptions.")
    rows = [clean_exception(one) for one in exceptions]
    calendar.exceptions.all().delete()
    for row in rows:
        row.calendar = calendar
    CalendarException.objects.bulk_create(rows)
