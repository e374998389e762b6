"""Compute the columns of a lead that hold facts, each from the texts of its source fields."""

from collections.abc import Iterable
from functools import lru_cache

from accounts.core.derived_fields import fold, without_accents
from leads.facts import companies, places, titles
from leads.facts.countries import region_of

#: Leads come in groups: of one form, of one company.
_size_of = lru_cache(maxsize=1_000)(companies.size_of)
_region_of = lru_cache(maxsize=1_000)(region_of)


def seniority(texts: Iterable[str]) -> str:
    (title,) = texts
    return titles.seniority_of(title)


def job_function(texts: Iterable[str]) -> str:
    (title,) = texts
    return titles.job_function_of(title)


def size_min(texts: Iterable[str]) -> int | None:
    """Return the lower end of a company's size in employees. Return None if the size is unknown."""
    (size,) = texts
    return _size_of(size)[0]


def size_max(texts: Iterable[str]) -> int | None:
    """Return the upper end of a company's size in employees. Return None if the size is unknown or has no upper end."""
    (size,) = texts
    return _size_of(size)[1]


def country_code(texts: Iterable[str]) -> str:
    (country,) = texts
    return _region_of(country) if country else ""


def state_code(texts: Iterable[str]) -> str:
    state, country = texts
    return places.state_code_of(state, _region_of(country)) if state else ""


def zip5(texts: Iterable[str]) -> str:
    code, country = texts
    return places.zip5_of(code, _region_of(country))


def company_key(texts: Iterable[str]) -> str:
    (company,) = texts
    return companies.company_key_of(company)[:300]


def name_key(texts: Iterable[str]) -> str:
    """Return a person's name as it is compared: folded, without accents. Return "" for a single word."""
    name = without_accents(fold(next((text for text in texts if text.strip()), "")))
    return name[:400] if " " in name else ""


def domain(texts: Iterable[str]) -> str:
    (email,) = texts
    return companies.domain_of(email)


def free_mail(texts: Iterable[str]) -> bool | None:
    (email,) = texts
    return companies.is_free_mail(email)
