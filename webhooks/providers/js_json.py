"""JSON as JavaScript's `JSON.stringify(JSON.parse(text))` writes it, for senders that sign that form. Pure.

https://tc39.es/ecma262/#sec-json.stringify, https://tc39.es/ecma262/#sec-numeric-types-number-tostring
"""

import json
import re
from decimal import Decimal
from typing import Any

LARGEST_ARRAY_INDEX = 2**32 - 2
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ARRAY_INDEX = re.compile(r"0|[1-9][0-9]{0,9}")


def stringify(value: Any) -> bytes:
    return _text(value).encode()


def stringify_plain(value: Any) -> bytes:
    """The same, many times faster, for values without fractions, large numbers, numeric keys and lone surrogates."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _text(value: Any) -> str:
    match value:
        case dict():
            return "{" + ",".join(f"{_string(key)}:{_text(value[key])}" for key in _in_order(value)) + "}"
        case list():
            return "[" + ",".join(map(_text, value)) + "]"
        case str():
            return _string(value)
        case bool() | None:
            return json.dumps(value)
        case _:
            return number(value)


def number(value: float) -> str:
    """A number as JavaScript prints it: every number is a double, 1.0 is `1`, 1e21 is `1e+21`, 1e-7 is `1e-7`."""
    try:
        double = float(value)
    except OverflowError:
        return "null"  # Infinity
    if double == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(double)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)  # where the decimal point stands, counted from the first digit
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


def _string(value: str) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _in_order(keys: dict[str, Any]) -> list[str]:
    """Keys that are array indexes come first, ascending; the others as they were given."""
    indexes = [key for key in keys if _ARRAY_INDEX.fullmatch(key) and int(key) <= LARGEST_ARRAY_INDEX]
    if not indexes:
        return list(keys)
    first = set(indexes)
    return sorted(indexes, key=int) + [key for key in keys if key not in first]
