"""Clean outside text and keep it readable. This module alone defines which characters people never see.

Joiners stay where a script or an emoji needs them. Other invisible characters, direction marks and controls go.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = "\u200c", "\u200d"
JOINERS = frozenset({ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER})
#: Categories that a joiner may follow: letters of scripts without case, their marks, and symbols. No Latin word needs
#: one.
_JOINED = frozenset({"Lo", "Mn", "Mc", "So", "Sk"})
#: Controls, formatting, surrogates, private and unassigned characters.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0\u034f")
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_FLAG, _TAG_END = "\U0001f3f4", "\U000e007f"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
#: Characters that PostgreSQL's text type cannot store. SQLite could, but both back ends are to store the same.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_NAME_LENGTH = 120


def plain(text: str, *, lines: bool = False, replaced_by: str = "") -> str:
    """Return the text without invisible characters, or with `replaced_by` in their place.

    Spaces, line breaks and controls become spaces. With `lines`, spaces and line breaks stay and controls are replaced.
    """
    if text.isascii() and text.isprintable():
        return text
    cleaned: list[str] = []
    in_flag = False
    for place, char in enumerate(text):
        in_flag = char == _FLAG or (in_flag and "\U000e0020" <= char <= _TAG_END)
        if char in "\n\t" or unicodedata.category(char) in _SPACES:
            cleaned.append(char if lines else " ")
        elif unicodedata.category(char) == "Cc":
            cleaned.append(replaced_by if lines else " ")
        elif in_flag or not is_unseen(char) or (char in JOINERS and _joins(text, place)):
            cleaned.append(char)
        else:
            cleaned.append(replaced_by)
    return "".join(cleaned)


def plain_fields(fields: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return the fields with the named texts and lists of texts cleaned by `plain`."""
    cleaned = dict(fields)
    for name in cleaned.keys() & set(names):
        value = cleaned[name]
        if isinstance(value, str):
            cleaned[name] = plain(value)
        elif isinstance(value, list):
            cleaned[name] = [plain(each) for each in value]
    return cleaned


def safe_line(text: str, limit: int = MAX_NAME_LENGTH) -> str:
    """Return the text as one line of at most `limit` characters, without anything that mail programs turn into a
    link."""
    line = " ".join(plain(text[: limit * 20]).split())
    line = re.sub(r":/+", ": ", line)
    line = re.sub(r"(?i)\bwww\.", "www ", line)
    return shorten(line, limit)


def storable(text: str) -> str:
    """Return the text with U+FFFD in place of NUL and lone surrogates, so that every database stores it."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def storable_json(value: Any, limit: int | None = None) -> Any:
    """Return the JSON value with storable names and texts, each cut to `limit` characters."""
    match value:
        case str():
            return storable(value[:limit])
        case dict():
            return {storable(name[:limit]): storable_json(inner, limit) for name, inner in value.items()}
        case list():
            return [storable_json(inner, limit) for inner in value]
        case _:
            return value


@lru_cache(maxsize=4096)
def is_unseen(char: str) -> bool:
    """Return whether a character shows nothing by itself, or changes how others are displayed."""
    return unicodedata.category(char) in _UNSEEN or char in _FILLERS


def shorten(text: str, limit: int) -> str:
    """Return the text if it has at most `limit` characters, else its beginning and an ellipsis.

    Characters that display as one (an emoji of several, a letter and its marks) are kept or removed together.
    """
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and not _is_boundary(text, end):
        end -= 1
    return text[:end].rstrip() + "…"


def _joins(text: str, place: int) -> bool:
    return place > 0 and unicodedata.category(text[place - 1]) in _JOINED


def _is_boundary(text: str, place: int) -> bool:
    """Return whether the text may be cut before the character at `place`."""
    before, after = text[place - 1], text[place]
    if before == ZERO_WIDTH_JOINER or after in JOINERS:
        return False
    if unicodedata.category(after) in {"Mn", "Mc", "Me"} or "\U0001f3fb" <= after <= "\U0001f3ff":
        return False
    if "\U000e0020" <= after <= _TAG_END:
        return False
    if _is_regional(before) and _is_regional(after):  # a flag is a pair of letters
        run = len(text[:place]) - len(text[:place].rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
        return run % 2 == 0
    return True


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
