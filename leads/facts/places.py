"""Derive the codes of a country and a state, and a ZIP code."""

import re

from leads.facts.tables import STATES
from leads.facts.words import words_of


def state_code_of(state: str, country_code: str) -> str:
    """Return the code of a state of the United States or a province of Canada, given by code or name; else ""."""
    if country_code not in ("", "US", "CA"):
        return ""
    name = words_of(state)
    for country, states in STATES.items():
        if country_code in ("", country):
            if name.upper() in states:
                return name.upper()
            for code, full in states.items():
                if name == full:
                    return code
    return ""


def zip5_of(postal_code: str, country_code: str) -> str:
    """Return the five digits of a ZIP code of the United States, with the zero that a spreadsheet removed; else ""."""
    match = re.fullmatch(r"(\d{4,5})(?:-?\d{4})?", postal_code.strip(), re.ASCII)
    if match is None or country_code not in ("", "US") or (len(match[1]) == 4 and country_code != "US"):
        return ""
    return match[1].zfill(5)
