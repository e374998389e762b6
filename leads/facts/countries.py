"""Find the code of a country that is given by its code or by its name in any language."""

import unicodedata
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import phonenumbers

#: Other spellings of countries --> region code. Spellings of three letters are ISO 3166 codes.
OTHER_NAMES = {
    **dict.fromkeys(
        (
            "uk",
            "great britain",
            "britain",
            "england",
            "scotland",
            "wales",
            "northern ireland",
            "gbr",
            "grossbritannien",
        ),
        "GB",
    ),
    "grossbritannien": "GB",
    **dict.fromkeys(("usa", "america", "united states of america", "the states", "vereinigte staaten"), "US"),
    **dict.fromkeys(("the netherlands", "holland", "niederlande", "nld"), "NL"),
    **dict.fromkeys(("brd", "federal republic of germany", "bundesrepublik deutschland", "deu", "ger"), "DE"),
    **dict.fromkeys(("republic of ireland", "irl"), "IE"),
    **dict.fromkeys(("uae", "emirates", "the emirates", "are"), "AE"),
    **dict.fromkeys(("ksa", "kingdom of saudi arabia", "sau"), "SA"),
    **dict.fromkeys(("republic of korea", "rok", "kor"), "KR"),
    **dict.fromkeys(("russian federation", "rus"), "RU"),
    **dict.fromkeys(("czechia", "cze"), "CZ"),
    **dict.fromkeys(("viet nam", "vnm"), "VN"),
    **dict.fromkeys(("ivory coast", "civ"), "CI"),
    **dict.fromkeys(("hong kong sar", "hong kong sar china", "hkg"), "HK"),
    **dict.fromkeys(("macau", "macao", "mac"), "MO"),
    **dict.fromkeys(("people's republic of china", "mainland china", "prc", "chn"), "CN"),
    **dict.fromkeys(("republic of china", "taiwan, province of china", "twn"), "TW"),
    **dict.fromkeys(("bosnia", "bosnia and herzegovina", "bih"), "BA"),
    **dict.fromkeys(("north macedonia", "mkd"), "MK"),
    **dict.fromkeys(("trinidad", "trinidad and tobago", "tto"), "TT"),
    **dict.fromkeys(("kosovo", "xkx"), "XK"),
    **dict.fromkeys(("eswatini", "swz"), "SZ"),
    **dict.fromkeys(("burma", "mmr"), "MM"),
    "aus": "AU",
    "aut": "AT",
    "bel": "BE",
    "bgr": "BG",
    "bra": "BR",
    "can": "CA",
    "che": "CH",
    "dnk": "DK",
    "egy": "EG",
    "esp": "ES",
    "est": "EE",
    "fin": "FI",
    "fra": "FR",
    "grc": "GR",
    "hrv": "HR",
    "hun": "HU",
    "idn": "ID",
    "ind": "IN",
    "isr": "IL",
    "ita": "IT",
    "jpn": "JP",
    "ltu": "LT",
    "lux": "LU",
    "lva": "LV",
    "mex": "MX",
    "mys": "MY",
    "nga": "NG",
    "nor": "NO",
    "nzl": "NZ",
    "phl": "PH",
    "pol": "PL",
    "prt": "PT",
    "rou": "RO",
    "sgp": "SG",
    "svk": "SK",
    "svn": "SI",
    "swe": "SE",
    "tha": "TH",
    "tur": "TR",
    "ukr": "UA",
    "zaf": "ZA",
}


def region_of(country: str) -> str:
    """Return the two-letter code of a country given by its code or by its name in any language; "" if it is unknown."""
    word = " ".join(unicodedata.normalize("NFKC", country).casefold().split()).strip(" .,;()")
    short = word.replace(".", "")
    if short.upper() in phonenumbers.SUPPORTED_REGIONS:
        return short.upper()
    return _regions().get(word) or OTHER_NAMES.get(word) or OTHER_NAMES.get(short) or ""


@cache
def _regions() -> dict[str, str]:
    return {name.casefold(): region for region, names in names_of_regions().items() for name in names.values()}


@cache
def names_of_regions() -> Any:
    """Return the library's table of region names, read from its file alone.

    Importing the package around the file would load 100 MB of place names.
    """
    name, path = "phonenumbers.geodata.locale", Path(phonenumbers.__file__).parent / "geodata" / "locale.py"
    loader = SourceFileLoader(name, str(path))
    if not (spec := spec_from_loader(name, loader)):
        raise ImportError(name)
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module.LOCALE_DATA
