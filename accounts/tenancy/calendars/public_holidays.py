"""Propose the public holidays of a country and a state, which people keep as exceptions of a calendar, or do not."""

from typing import Any

from django.utils.translation import gettext as _

from accounts.core.errors import FieldError
from accounts.tenancy.calendars.parsing import MAX_NAME_LENGTH

MIN_YEAR, MAX_YEAR = 2000, 2100


def propose_holidays(country: str, state: str = "", *, year: int, language: str = "en") -> list[dict[str, Any]]:
    """Return the public holidays of a year as a calendar's exceptions, named in the language where it is known.

    `country` and `state` are ISO 3166 codes, such as DE and BE, or US and CA. Raises FieldError, which names the states
    of the country.
    """
    import holidays  # takes long to load, and is needed rarely
    from holidays.registry import COUNTRIES

    country, state = country.strip().upper(), state.strip().upper()
    if country not in {codes[1] for codes in COUNTRIES.values()}:
        raise FieldError("country", _("Enter the two letters of a country, such as DE or US."))
    if not MIN_YEAR <= year <= MAX_YEAR:
        raise FieldError("year", _("Choose another year."))
    states: dict[str, str] = {code.upper(): code for code in holidays.country_holidays(country).subdivisions}
    if state and state not in states:
        raise FieldError("state", _("There are: %(states)s.") % {"states": ", ".join(states) or "–"})
    known = holidays.country_holidays(country).supported_languages
    named_in = next((one for one in (language, "en_US") if one in known), None)
    days = holidays.country_holidays(country, subdiv=states.get(state), years=year, language=named_in)
    return [
        {"first": day, "last": day, "working": False, "blocks": [], "name": name[:MAX_NAME_LENGTH]}
        for day, name in sorted(days.items())
    ]
