"""What is JSON at all: the contract's 400 row. Pure."""

import json
from typing import Any, NoReturn

DEEPEST = 64
#: Up to these sizes a body is parsed where it is received: half a millisecond at most, whatever it holds.
QUICK_BYTES = 16 * 1024
QUICK_VALUES = 500
BOM = b"\xef\xbb\xbf"
BYTE_ORDER_MARK = "The body begins with a byte order mark. Send UTF-8 without one."
TOO_DEEP = f"The body is nested more than {DEEPEST} deep."


class UnreadablePayload(Exception):
    """The body is not what the contract's 400 row allows. The message is safe to send back."""


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises UnreadablePayload unless it is strict UTF-8 without a byte order mark, an object, nested at most 64 deep,
    with no key twice in one object, no NaN or Infinity, no number beyond a double and no integer of over 4,300 digits.
    """
    if body.startswith(BOM):
        raise UnreadablePayload(BYTE_ORDER_MARK)
    try:
        data = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise UnreadablePayload(f"The body is not UTF-8 (byte {error.start}).") from None
    except json.JSONDecodeError as error:
        raise UnreadablePayload(f"The body is not JSON: {error.msg} (character {error.pos}).") from None
    except RecursionError:
        raise UnreadablePayload(TOO_DEEP) from None
    except ValueError:  # Python's own limit on the digits of an integer
        raise UnreadablePayload("The body has an integer of more than 4,300 digits.") from None
    if type(data) is not dict:
        raise UnreadablePayload("The body is not a JSON object.")
    if body.count(b"{") + body.count(b"[") > DEEPEST:  # only then can it be too deep
        _require_shallow(data)
    return data


def parses_quickly(body: bytes) -> bool:
    """Return whether any use of the parsed body takes less than a millisecond, judged by counting separators."""
    size = len(body)
    if size <= 2 * QUICK_VALUES:
        return True
    return size <= QUICK_BYTES and body.count(b",") + body.count(b"[") + body.count(b"{") <= QUICK_VALUES


def _require_shallow(data: dict[str, Any]) -> None:
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise UnreadablePayload(TOO_DEEP)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadablePayload("An object of the body has the same key twice.")
    return found


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise UnreadablePayload("The body has a number beyond a double.")
    return number


def _constant(word: str) -> NoReturn:
    raise UnreadablePayload(f"The body has {word}, which is not JSON.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
