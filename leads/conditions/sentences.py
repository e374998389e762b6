"""Write conditions as English sentences."""

from collections.abc import Mapping
from typing import Any

from leads.conditions.operators import Operator

SPANS = {"m": "minute", "h": "hour", "d": "day"}


def phrase_of(operator: Operator, name: str, value: Any, list_names: Mapping[str, str]) -> str:
    """Return an operator with its value as a part of a sentence. The value has been checked."""
    if name == "on_list":
        values = value if isinstance(value, list) else [value]
        return operator.phrase.format(_alternatives([list_names.get(one, one) for one in values]))
    return operator.phrase.format(_value(name, value))


def _value(name: str, value: Any) -> str:
    if name in ("between", "zip_between"):
        return f"{_shown(value[0])} and {_shown(value[1])}"
    if name == "overlaps":
        return f"{_shown(value[0])} or more" if value[1] is None else f"{_shown(value[0])} to {_shown(value[1])}"
    if name in ("older_than", "newer_than"):
        number, unit = int(value[:-1]), SPANS[value[-1]]
        return f"{number:,} {unit}" if number == 1 else f"{number:,} {unit}s"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _alternatives(value if isinstance(value, list) else [value])


def _alternatives(values: list[Any]) -> str:
    """Return values as people enumerate them: “a”, “b” or “c”."""
    shown = [_shown(value) for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def _shown(value: Any) -> str:
    return f"“{value}”" if isinstance(value, str) else f"{value:,}"
