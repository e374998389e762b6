"""Read JSON strictly. Refuse what two readers could understand in two ways, and what no column can store. Pure."""

import json
from enum import Enum, auto
from typing import Any, NoReturn

from accounts.core.wording import Wording, gettext_noop

MAX_DEPTH = 64
BOM = b"\xef\xbb\xbf"
NOT_UTF8 = Wording("body_not_utf8", gettext_noop("The body is not UTF-8 (byte %(byte)s)."))
NOT_JSON = Wording("body_not_json", gettext_noop("The body is not JSON: %(error)s (character %(character)s)."))
NO_JSON_WORD = Wording("body_with_constant", gettext_noop("The body has %(word)s, which is not JSON."))
TOO_DEEP = Wording("body_too_deep", gettext_noop("The body is nested more than %(depth)s deep."))(depth=MAX_DEPTH)


class Flaw(Enum):
    """The rules that a text can break."""

    BYTE_ORDER_MARK = auto()
    NOT_UTF8 = auto()
    NOT_JSON = auto()
    DUPLICATE_NAME = auto()
    CONSTANT = auto()
    NUMBER_TOO_LARGE = auto()
    TOO_MANY_DIGITS = auto()
    TOO_DEEP = auto()
    NOT_AN_OBJECT = auto()


class UnreadableJSON(ValueError):
    """Signal that bytes are no JSON object by the rules of `read_object`. The message may be shown to the client."""

    def __init__(self, flaw: Flaw, message: str, detail: str = "") -> None:
        """Store the broken rule. `detail` is the parser's own sentence, where there is one, or the refused word."""
        super().__init__(message)
        self.flaw, self.detail = flaw, detail


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body.

    Raises UnreadableJSON unless the body is strict UTF-8 without a byte order mark and an object that is nested at most
    64 levels deep, has no key twice in one object, no NaN or Infinity, no number beyond a double and no integer over
    4,300 digits.
    """
    data = parse_object(body)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:  # with fewer brackets the body cannot be nested too deep
        _require_shallow(data)
    return data


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body, nested as deep as the parser allows. Raises UnreadableJSON."""
    if body.startswith(BOM):
        sentence = gettext_noop("The body begins with a byte order mark. Send UTF-8 without one.")
        raise UnreadableJSON(Flaw.BYTE_ORDER_MARK, sentence)
    try:
        data = _DECODER.decode(body.decode())
    except UnicodeDecodeError as error:
        raise UnreadableJSON(Flaw.NOT_UTF8, NOT_UTF8(byte=error.start)) from None
    except json.JSONDecodeError as error:
        sentence = NOT_JSON(error=error.msg, character=error.pos)
        raise UnreadableJSON(Flaw.NOT_JSON, sentence, str(error)) from None
    except RecursionError:
        raise UnreadableJSON(Flaw.TOO_DEEP, TOO_DEEP) from None
    except UnreadableJSON:
        raise
    except ValueError as error:  # Python's own limit on the digits of an integer
        sentence = gettext_noop("The body has an integer of more than 4,300 digits.")
        raise UnreadableJSON(Flaw.TOO_MANY_DIGITS, sentence, str(error)) from None
    if type(data) is not dict:
        raise UnreadableJSON(Flaw.NOT_AN_OBJECT, gettext_noop("The body is not a JSON object."))
    return data


def _require_shallow(data: dict[str, Any]) -> None:
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for item in level
            for child in (item.values() if type(item) is dict else item)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return
    raise UnreadableJSON(Flaw.TOO_DEEP, TOO_DEEP)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise UnreadableJSON(Flaw.DUPLICATE_NAME, gettext_noop("An object of the body has the same key twice."))
    return members


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise UnreadableJSON(Flaw.NUMBER_TOO_LARGE, gettext_noop("The body has a number beyond a double."))
    return number


def _constant(word: str) -> NoReturn:
    raise UnreadableJSON(Flaw.CONSTANT, NO_JSON_WORD(word=word), word)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
