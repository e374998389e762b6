"""Validate the fields of a channel: one function for each, which returns the value to store or raises FieldError."""

import math
import re
import unicodedata
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from accounts.core.email_addresses import normalize_email
from accounts.core.enums import AGENCY_EVENTS
from accounts.core.errors import FieldError
from accounts.core.text import plain
from leads.conditions import compile_condition
from leads.enums import LOCALE, LeadStatus
from notifications.egress.url_policy import TargetRefused, check_url
from notifications.models import Mode
from notifications.policy.quiet_hours import WEEK
from notifications.transports.webhook import MAX_HEADERS, is_header

MAX_LOCATIONS = 1000
MAX_LOCALES = 100
MAX_RATE = 1000.0  # deliveries per second
MAX_CONFLATION_SECONDS = 3600


def name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > 200 or any(map(_is_control, value)):
        raise FieldError("name", gettext("Use up to 200 characters on one line."))
    return plain(value).strip()


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def email(value: Any) -> str:
    try:
        return normalize_email(value)
    except ValidationError:
        raise FieldError("email", gettext("Enter an e-mail address.")) from None


def url(value: Any) -> str:
    try:
        if not isinstance(value, str):
            raise TargetRefused(gettext("This is not a web address."))
        return check_url(value).url
    except TargetRefused as refusal:
        raise FieldError("url", str(refusal)) from None


def event_types(value: Any) -> list[str]:
    return _known_words("event_types", value, AGENCY_EVENTS, "event type")


def urgent_event_types(value: Any) -> list[str]:
    return _known_words("urgent_event_types", value, AGENCY_EVENTS, "event type")


def lead_statuses(value: Any) -> list[str]:
    return _known_words("lead_statuses", value, list(LeadStatus), "lead status")


def creation_locales(value: Any) -> list[str]:
    locales = _strings("creation_locales", value)
    if len(locales) > MAX_LOCALES or not all(map(LOCALE.fullmatch, locales)):
        raise FieldError(
            "creation_locales",
            gettext("Give up to %(MAX_LOCALES)s languages of forms such as en_US.") % {"MAX_LOCALES": MAX_LOCALES},
        )
    return locales


def conditions(value: Any) -> dict[str, Any]:
    """Return a tree that can be compiled. `service` looks whether the target lists that it names are the agency's."""
    tree = {} if value is None else value
    compile_condition(tree)
    return dict(tree)


def working_days(value: Any) -> list[str]:
    days = _known_words("working_days", value, WEEK, "day")
    return sorted(days, key=WEEK.index) if len(days) < len(WEEK) else []


def test_events(value: Any) -> bool:
    if not isinstance(value, bool):
        raise FieldError("test_events", gettext("Use true or false."))
    return value


def conflation_seconds(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_CONFLATION_SECONDS:
        raise FieldError(
            "conflation_seconds",
            gettext("Use a whole number from 0 to %(MAX_CONFLATION_SECONDS)s.")
            % {"MAX_CONFLATION_SECONDS": MAX_CONFLATION_SECONDS},
        )
    return value


def locations(value: Any) -> list[str]:
    locations = _strings("locations", value)
    if len(locations) > MAX_LOCATIONS or any(not 0 < len(location) <= 100 for location in locations):
        raise FieldError(
            "locations",
            gettext("Give up to %(MAX_LOCATIONS)s location ids of up to 100 characters.")
            % {"MAX_LOCATIONS": MAX_LOCATIONS},
        )
    return locations


def headers(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or len(value) > MAX_HEADERS:
        raise FieldError(
            "headers",
            gettext("Give an object of up to %(MAX_HEADERS)s names and values.") % {"MAX_HEADERS": MAX_HEADERS},
        )
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str) or not is_header(name, text):
            raise FieldError("headers", f"The header {str(name)[:100]!r} is not allowed, or its value is not.")
    if len({name.lower() for name in value}) < len(value):
        raise FieldError("headers", gettext("A header is there twice."))
    return dict(value)


def mode(value: Any) -> str:
    if value not in set(Mode):
        raise FieldError("mode", gettext("Use one of %(Mode)s.") % {"Mode": ", ".join(Mode)})
    return str(value)


def digest_at(value: Any) -> str:
    if not _is_clock(value):
        raise FieldError("digest_at", gettext("Give a time from 00:00 to 23:59, such as 08:00."))
    return str(value)


def _is_clock(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value) is not None


def quiet_hours(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    times = value if isinstance(value, dict) and set(value) == {"start", "end"} else {}
    if not times or not all(map(_is_clock, times.values())):
        raise FieldError("quiet_hours", gettext('Give {"start": "22:00", "end": "07:00"}, or null.'))
    if times["start"] == times["end"]:
        raise FieldError("quiet_hours", gettext("They would never end: give two different times."))
    return times


def timezone(value: Any) -> str:
    try:
        return ZoneInfo(value).key if value else ""
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise FieldError("timezone", gettext("Use a name like Europe/Berlin.")) from None


def rate_per_second(value: Any) -> float | None:
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not 0 < value <= MAX_RATE:
        raise FieldError("rate_per_second", f"Use a number above 0, at most {MAX_RATE:g}, or null.")
    return float(value)


def _known_words(field: str, value: Any, words: Sequence[str], noun: str) -> list[str]:
    names = _strings(field, value)
    if unknown := [name for name in names if name not in words]:
        raise FieldError(field, f"There is no {noun} {unknown[0][:100]!r}.")
    return names


def _strings(field: str, value: Any) -> list[str]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise FieldError(field, gettext("Give a list of strings."))
    return list(dict.fromkeys(str(item) for item in value))
