"""Define the operators of each type of field: which values an operator takes, how it compares, how it reads.

An operator is checked once, when a rule is saved, and becomes a function of the lead's value. That value is never
missing: a missing value is unknown before any operator is asked.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop as _

from accounts.core.derived_fields import fold
from leads.conditions.errors import ConditionError

MAX_VALUES = 200
MAX_VALUE_LENGTH = 200
#: A range's upper end where there is none: "10,001+ employees".
UNBOUNDED = 10**12

#: What an operator asks of a lead's value; None where a part of the value that it asks for is missing.
Test = Callable[[Any], bool | None]


class FieldType(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    RANGE = "range"
    SET = "set"
    PLACE = "place"
    DATE = "date"
    FLAG = "flag"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Place:
    """Hold where a lead is. Empty parts are unknown. `state` is a code of the United States or Canada."""

    country: str = ""
    state: str = ""
    postal_code: str = ""


@dataclass(frozen=True, slots=True)
class Operator:
    """`build` checks a rule's value and returns its test. `phrase` is the sentence's part in English, with `{}` for the
    value."""

    phrase: str
    build: Callable[[str, Any], Test]


def _texts(path: str, value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    if not values or len(values) > MAX_VALUES:
        raise ConditionError(path, f"Give 1 to {MAX_VALUES} values.")
    for one in values:
        if not isinstance(one, str) or not fold(one) or len(one) > MAX_VALUE_LENGTH:
            raise ConditionError(path, f"Each value is a text of 1 to {MAX_VALUE_LENGTH} characters.")
    return [fold(one) for one in values]


def _text(path: str, value: Any) -> str:
    if isinstance(value, list):
        raise ConditionError(path, "Give one text.")
    return _texts(path, value)[0]


def _number(path: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConditionError(path, "Give a number.")
    return value


def _pair(path: str, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise ConditionError(path, "Give two values: from and to.")
    return value[0], value[1]


def _equals(path: str, value: Any) -> Test:
    return _text(path, value).__eq__


def _in(path: str, value: Any) -> Test:
    return frozenset(_texts(path, value)).__contains__


def _contains(path: str, value: Any) -> Test:
    parts = _texts(path, value)
    return lambda text: any(part in text for part in parts)


def _starts_with(path: str, value: Any) -> Test:
    return _starting(tuple(_texts(path, value)))


def _starting(prefixes: tuple[str, ...]) -> Test:
    return lambda text: bool(text.startswith(prefixes))


def _word(path: str, value: Any) -> Test:
    """Match whole words, or whole words in sequence: "vp" is not in "mvp"."""
    words = [f" {' '.join(_words(one))} " for one in _texts(path, value)]
    if any(not one.strip() for one in words):
        raise ConditionError(path, "A word has letters or digits.")
    return lambda text: any(one in _spaced(text) for one in words)


def _spaced(text: str) -> str:
    return f" {' '.join(_words(text))} "


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _between(path: str, value: Any) -> Test:
    low, high = (_number(path, one) for one in _pair(path, value))
    if low > high:
        raise ConditionError(path, "The first number is the lower one.")
    return lambda number: low <= number <= high


def _gt(path: str, value: Any) -> Test:
    limit = _number(path, value)
    return lambda number: bool(number > limit)


def _lt(path: str, value: Any) -> Test:
    limit = _number(path, value)
    return lambda number: bool(number < limit)


def _overlaps(path: str, value: Any) -> Test:
    low, high = _pair(path, value)
    low, high = _number(path, low), UNBOUNDED if high is None else _number(path, high)
    if low > high:
        raise ConditionError(path, "The first number is the lower one.")
    return lambda size: bool(size[0] <= high and low <= size[1])


def _has_any(path: str, value: Any) -> Test:
    wanted = frozenset(_texts(path, value))
    return lambda values: not wanted.isdisjoint(values)


def _in_states(path: str, value: Any) -> Test:
    states = frozenset(one.upper() for one in _texts(path, value))
    return lambda place: place.state in states if place.state else None


def _in_countries(path: str, value: Any) -> Test:
    countries = frozenset(one.upper() for one in _texts(path, value))
    for country in countries:
        if not re.fullmatch("[A-Z]{2}", country):
            raise ConditionError(path, "Give countries as codes of two letters, such as US.")
    return lambda place: place.country in countries if place.country else None


def _zip_between(path: str, value: Any) -> Test:
    low, high = (_text(path, one) for one in _pair(path, value))
    if not re.fullmatch(r"\d{5}", low) or not re.fullmatch(r"\d{5}", high) or low > high:
        raise ConditionError(path, "Give two ZIP codes of five digits, the lower one first.")
    return lambda place: low <= place.postal_code[:5] <= high if place.postal_code else None


def _zip_starts(path: str, value: Any) -> Test:
    prefixes = tuple(one.upper() for one in _texts(path, value))
    return lambda place: place.postal_code.startswith(prefixes) if place.postal_code else None


SPANS = {"m": "minutes", "h": "hours", "d": "days"}


def _span(path: str, value: Any) -> timedelta:
    match = re.fullmatch(r"(\d{1,5})([mhd])", value, re.ASCII) if isinstance(value, str) else None
    if match is None:
        raise ConditionError(path, "Give a time span such as 30m, 12h or 7d.")
    return timedelta(**{SPANS[match[2]]: int(match[1])})


def _older_than(path: str, value: Any) -> Test:
    span = _span(path, value)
    return lambda at: timezone.now() - at > span


def _newer_than(path: str, value: Any) -> Test:
    span = _span(path, value)
    return lambda at: timezone.now() - at < span


def _on_list(path: str, value: Any) -> Test:
    """Match leads on any of the lists. Ids of lists are in lower case, as folded values are."""
    return _has_any(path, value)


def _is(path: str, value: Any) -> Test:
    if not isinstance(value, bool):
        raise ConditionError(path, "Give true or false.")
    return lambda flag: flag is value


OPERATORS: dict[FieldType, dict[str, Operator]] = {
    FieldType.TEXT: {
        "equals": Operator(_("is {}"), _equals),
        "in": Operator(_("is {}"), _in),
        "contains": Operator(_("contains {}"), _contains),
        "starts_with": Operator(_("starts with {}"), _starts_with),
        "word": Operator(_("has the word {}"), _word),
    },
    FieldType.NUMBER: {
        "between": Operator(_("is between {}"), _between),
        "gt": Operator(_("is more than {}"), _gt),
        "lt": Operator(_("is less than {}"), _lt),
    },
    FieldType.RANGE: {"overlaps": Operator(_("is {}"), _overlaps)},
    FieldType.SET: {"has_any": Operator(_("include {}"), _has_any)},
    FieldType.PLACE: {
        "in_states": Operator(_("is in {}"), _in_states),
        "in_countries": Operator(_("is in {}"), _in_countries),
        "zip_between": Operator(_("has a ZIP code between {}"), _zip_between),
        "zip_starts": Operator(_("has a postal code that starts with {}"), _zip_starts),
    },
    FieldType.DATE: {
        "older_than": Operator(_("more than {} ago"), _older_than),
        "newer_than": Operator(_("less than {} ago"), _newer_than),
    },
    FieldType.FLAG: {"is": Operator(_("is {}"), _is)},
    FieldType.LIST: {"on_list": Operator(_("include {}"), _on_list)},
}
