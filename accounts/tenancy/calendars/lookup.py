"""Find the working hours that count for a person of an agency, and say who depends on them."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.utils import timezone

from accounts.models import Agency, Calendar, Member
from accounts.tenancy.calendars.hours import Hours, NoWorkingTime
from accounts.tenancy.calendars.parsing import hours_of

#: The hours of an agency that has entered none, or none that ever come.
ALWAYS_OPEN = Hours(ZoneInfo("UTC"), ((),) * 7, always_open=True)

#: Called in the transaction that changes working hours of an agency.
_change_hooks: list[Callable[[Agency], None]] = []
_usage_counts: list[Callable[[Calendar], int]] = []


def on_hours_change(hook: Callable[[Agency], None]) -> Callable[[Agency], None]:
    """Register `hook` for what has to be planned anew when an agency's working hours change."""
    _change_hooks.append(hook)
    return hook


def count_usage(count: Callable[[Calendar], int]) -> Callable[[Calendar], int]:
    """Register a function that counts what is planned by a calendar now."""
    _usage_counts.append(count)
    return count


def hours_changed(agency: Agency) -> None:
    """Have everything planned anew that depends on an agency's working hours."""
    for hook in _change_hooks:
        hook(agency)


def open_clocks(calendar: Calendar) -> int:
    """Return how many open clocks a change of the calendar would plan anew."""
    return sum(count(calendar) for count in _usage_counts)


def calendar_for(agency_id: str, user_id: int | None = None) -> Calendar | None:
    """Return the calendar of the agency's member with this user, else the agency's default one, with exceptions."""
    calendars = Calendar.objects.filter(agency=agency_id).prefetch_related("exceptions")
    own = Member.objects.filter(agency=agency_id, user=user_id, calendar__isnull=False).values("calendar")
    of_member = calendars.filter(pk__in=own).first() if user_id is not None else None
    return of_member or calendars.filter(is_default=True).first()


def usable_hours(calendar: Calendar | None) -> Hours:
    """Return the calendar's hours; ALWAYS_OPEN where there is no calendar, or none with working time."""
    if calendar is None:
        return ALWAYS_OPEN
    hours = hours_of(calendar)
    try:
        hours.next_opening(timezone.now())
    except NoWorkingTime:
        return ALWAYS_OPEN
    return hours
