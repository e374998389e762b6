"""Convert telephone numbers to E.164. The number as it was given stays beside it."""

import re

import phonenumbers

from leads.facts.countries import names_of_regions, region_of


def e164(phone: str, *, country: str = "") -> str:
    """Return a number as `+12125550147`. Return "" unless its region is known and the number is valid there.

    `+` or `00` before the country's code gives the region, or `country` does (a code, or a name in any language). The
    language of a form or an agency does not: the same digits are valid in many countries.
    """
    digits = _digits_of(phone)
    spellings = [(phone, region_of(country) or None)]
    if digits.startswith("00") and not digits.startswith("000"):
        spellings.append((f"+{digits[2:]}", None))
    for spelling, region in spellings:
        try:
            number = phonenumbers.parse(spelling, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return ""


def _digits_of(phone: str) -> str:
    """Return the digits of a text that holds only a number, else ""."""
    digits = str(phonenumbers.normalize_digits_only(phone))
    return digits if re.fullmatch(r"[\W\d]*", phone) else ""


def country_of(number: str) -> str:
    """Return the English name of the E.164 number's country, or "" if several countries share its prefix."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    names = names_of_regions().get(region, {})
    name = str(names.get("en", ""))
    return str(names.get(name[1:], "")) if name.startswith("*") else name  # `*fr` refers to the name in French
