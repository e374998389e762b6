"""Write times for an agency's people: in their time zone and in the format of their country. The API uses ISO 8601."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import dateformat, timezone, translation
from django.utils.formats import get_format

from accounts.models import Agency

DEFAULT_LOCALE = "en-US"
#: English-speaking countries with a twelve-hour clock.
TWELVE_HOURS = frozenset({"US", "CA", "AU", "NZ", "PH", "IN", "PK", "ZA"})
_locale: ContextVar[str] = ContextVar("locale", default=DEFAULT_LOCALE)


def format_local_time(when: datetime, zone: ZoneInfo | None = None, locale: str = "") -> str:
    """Return a time such as `06/07/2023 7:59 PM EDT` for en-US in New York, `08.06.2023 01:59 CEST` for de-DE in
    Berlin.

    Without a zone or a locale, use those of `override_locale` and of Django's `timezone.override`.
    """
    local = when.astimezone(zone or timezone.get_current_timezone())
    language, _, country = (locale or _locale.get()).replace("_", "-").partition("-")
    with translation.override(_supported_language(language, country)):
        date = dateformat.format(local, get_format("SHORT_DATE_FORMAT"))
        half_days = language.lower() == "en" and country.upper() in TWELVE_HOURS
        hour = dateformat.format(local, "g:i A" if half_days else "H:i")
    return f"{date} {hour} {local.tzname()}"


def get_zone(name: str) -> ZoneInfo:
    """Return the time zone of this name, or UTC if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def current_locale() -> str:
    """Return the locale of `override_locale`."""
    return _locale.get()


@contextmanager
def override_for_agency(agency: Agency, locale: str = "") -> Iterator[None]:
    """Write times within the block in the agency's zone, and in this locale or else the agency's."""
    with timezone.override(get_zone(agency.timezone)), override_locale(locale or agency.locale):
        yield


@contextmanager
def override_locale(locale: str) -> Iterator[None]:
    """Write times within the block in this locale."""
    token = _locale.set(locale or DEFAULT_LOCALE)
    try:
        yield
    finally:
        _locale.reset(token)


def _supported_language(language: str, country: str) -> str:
    """Return the closest language that Django has formats for."""
    for code in (f"{language}-{country}".lower().strip("-"), language.lower()):
        if translation.check_for_language(code):
            return code
    return "en"
