"""Say what a member is mailed about their own leads, and when."""

from collections.abc import Mapping
from datetime import datetime

from accounts.core.errors import FieldError
from accounts.models import Calendar, Member
from accounts.tenancy.calendars.hours import NoWorkingTime
from accounts.tenancy.calendars.parsing import hours_of

#: Alert --> whether a member who chose nothing gets it. `working_hours`: mails wait for their working hours.
DEFAULTS = {"assigned": True, "due_soon": True, "digest": False, "working_hours": False}


def alerts_of(member: Member) -> dict[str, bool]:
    """Return every alert of a member, chosen or by default."""
    return {name: bool(member.alerts.get(name, default)) for name, default in DEFAULTS.items()}


def clean_alerts(given: Mapping[str, object]) -> dict[str, bool]:
    """Return chosen alerts. Raises FieldError, which names an unknown one."""
    if unknown := given.keys() - DEFAULTS.keys():
        raise FieldError("alerts", f"There is no alert “{min(unknown)}”. There are: {', '.join(DEFAULTS)}.")
    if any(not isinstance(value, bool) for value in given.values()):
        raise FieldError("alerts", "Each alert is true or false.")
    return {name: bool(value) for name, value in given.items()}


def mail_time(member: Member, now: datetime) -> datetime:
    """Return when a mail about a lead may go to a member: now, or if they say so in their working hours."""
    calendar = calendar_of(member)
    if calendar is None or not alerts_of(member)["working_hours"]:
        return now
    try:
        return hours_of(calendar).next_opening(now)
    except NoWorkingTime:
        return now


def calendar_of(member: Member, pool_calendar: Calendar | None = None) -> Calendar | None:
    """Return the calendar of a member: their own, their pool's, or the agency's default. None: always at work."""
    return member.calendar or pool_calendar or member.agency.calendars.filter(is_default=True).first()
