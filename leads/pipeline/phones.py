"""Telephone numbers: kept as they were given, and beside that in the one form that machines can dial."""

from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import phonenumbers


def e164(phone: str, *, country: str = "", otherwise: str = "") -> str:
    """`+12125550147`; empty for what is no number of its country.

    A number without `+` is read as one of `country` (its code, or its name in any language), else of `otherwise`.
    """
    try:
        number = phonenumbers.parse(phone, region_of(country) or region_of(otherwise) or None)
    except phonenumbers.NumberParseException:
        return ""
    if not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def region_of(country: str) -> str:
    """The two letters of a country that is named in any language, by its code, or in a locale such as `en_US`."""
    word = country.strip().casefold()
    code = word.replace("-", "_").rpartition("_")[2].upper()
    return code if code in phonenumbers.SUPPORTED_REGIONS else _regions().get(word, "")


def country_of(number: str) -> str:
    """The English name of the country that a number in E.164 belongs to; empty where it belongs to none alone."""
    try:
        region = phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return ""
    names = _names_of_regions().get(region, {})
    name = str(names.get("en", ""))
    return str(names.get(name[1:], "")) if name.startswith("*") else name  # a language whose name is the same


@cache
def _regions() -> dict[str, str]:
    return {name.casefold(): region for region, names in _names_of_regions().items() for name in names.values()}


@cache
def _names_of_regions() -> Any:
    """The library's table, from its file alone: to import the package around it reads 100 MB of place names."""
    name, path = "phonenumbers.geodata.locale", Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    loader = SourceFileLoader(name, str(path))
    if not (spec := spec_from_loader(name, loader)):
        raise ImportError(name)
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module.LOCALE_DATA
