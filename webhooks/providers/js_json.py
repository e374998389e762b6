"""Write JSON as JavaScript's `JSON.stringify(JSON.parse(text))` does, for senders that sign that form. Pure.

https://tc39.es/ecma262/#sec-json.stringify, https://tc39.es/ecma262/#sec-numeric-types-number-tostring
"""

import json
import re
from decimal import Decimal
from typing import Any

MAX_ARRAY_INDEX = 2**32 - 2
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


def stringify(value: Any) -> bytes:
    """Return the value as JSON in JavaScript's form."""
    return _stringify_value(value).encode()


def stringify_plain(value: Any) -> bytes:
    """Do the same many times faster, for values without fractions, large numbers, numeric keys and lone surrogates."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _stringify_value(value: Any) -> str:
    match value:
        case dict():
            return (
                "{"
                + ",".join(f"{_stringify_text(key)}:{_stringify_value(value[key])}" for key in _ordered_keys(value))
                + "}"
            )
        case list():
            return "[" + ",".join(map(_stringify_value, value)) + "]"
        case str():
            return _stringify_text(value)
        case bool() | None:
            return json.dumps(value)
        case _:
            return format_number(value)


def format_number(value: float) -> str:
    """Return a number as JavaScript prints it: as a double, 1.0 as `1`, 1e21 as `1e+21`, 1e-7 as `1e-7`."""
    try:
        double = float(value)
    except OverflowError:
        return "null"  # Infinity
    if double == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(double)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)  # position of the decimal point, counted from the first digit
    return ("-" if sign else "") + _place_point(text, point)


def _place_point(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"


def _stringify_text(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _ordered_keys(keys: dict[str, Any]) -> list[str]:
    """Return keys that are array indexes first, ascending, then the others in their given order."""
    indexes = [key for key in keys if _ARRAY_INDEX.fullmatch(key) and int(key) <= MAX_ARRAY_INDEX]
    if not indexes:
        return list(keys)
    first = set(indexes)
    return sorted(indexes, key=int) + [key for key in keys if key not in first]
