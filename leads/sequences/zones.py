"""Find the time zone that a lead lives in, where what is known of the lead leaves one only."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import phonenumbers
from phonenumbers import timezone as phone_zones

from leads.models import Lead

#: States and provinces with one time zone (for all but a few towns).
_STATES = {
    "America/New_York": "CT DC DE GA MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL LA MN MO MS OK WI",
    "America/Denver": "CO MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV WA",
    "Pacific/Honolulu": "HI",
    "America/Toronto": "QC",
    "America/Winnipeg": "MB",
    "America/Regina": "SK",
    "America/Edmonton": "AB",
    "America/Halifax": "NB NS PE",
}
#: Countries with one time zone.
_COUNTRIES = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "BG": "Europe/Sofia",
    "CH": "Europe/Zurich",
    "CZ": "Europe/Prague",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "EE": "Europe/Tallinn",
    "FI": "Europe/Helsinki",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "GR": "Europe/Athens",
    "HR": "Europe/Zagreb",
    "HU": "Europe/Budapest",
    "IE": "Europe/Dublin",
    "IL": "Asia/Jerusalem",
    "IN": "Asia/Kolkata",
    "IT": "Europe/Rome",
    "JP": "Asia/Tokyo",
    "KR": "Asia/Seoul",
    "LT": "Europe/Vilnius",
    "LU": "Europe/Luxembourg",
    "LV": "Europe/Riga",
    "NL": "Europe/Amsterdam",
    "NO": "Europe/Oslo",
    "PL": "Europe/Warsaw",
    "RO": "Europe/Bucharest",
    "SE": "Europe/Stockholm",
    "SG": "Asia/Singapore",
    "SI": "Europe/Ljubljana",
    "SK": "Europe/Bratislava",
    "TR": "Europe/Istanbul",
    "ZA": "Africa/Johannesburg",
}


def zone_of(lead: Lead) -> ZoneInfo | None:
    """Return the time zone of a lead by its state, its country or its telephone number, or None if it is unknown."""
    name = _states().get(lead.state_code) or _COUNTRIES.get(lead.country_code) or _zone_of_number(lead.phone_e164)
    return ZoneInfo(name) if name and name in _known() else None


def _zone_of_number(number: str) -> str:
    """Return the time zone of an E.164 number, or "" if it may be in several."""
    if not number:
        return ""
    try:
        zones = phone_zones.time_zones_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    return str(zones[0]) if len(zones) == 1 else ""


@cache
def _states() -> dict[str, str]:
    return {state: zone for zone, states in _STATES.items() for state in states.split()}


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
