"""Parse Rest.li 2.0 as LinkedIn's gateway does: parentheses and commas are structure, values are percent-encoded."""

import re
from typing import Any
from urllib.parse import unquote


class Malformed(ValueError):
    """A query that LinkedIn answers with 400."""


def query(raw: str) -> dict[str, Any]:
    """Return the parameters of a raw query string, records as dicts and lists as lists. Raises Malformed."""
    found: dict[str, Any] = {}
    for part in filter(None, raw.split("&")):
        name, sign, text = part.partition("=")
        if not sign:
            raise Malformed(f"Invalid query parameters passed to request: {name}")
        if name == "fields":
            found[name] = text
            continue
        if re.search(r"%28|%29|%2C", text, re.IGNORECASE):
            raise Malformed(f"Parameter '{name}' value is invalid: encoded structure")
        value, rest = _value(text)
        if rest:
            raise Malformed(f"Parameter '{name}' value is invalid: trailing {rest[:20]}")
        found[name] = value
    return found


def _value(text: str) -> tuple[Any, str]:
    if text.startswith("List("):
        return _many(text[5:], keyed=False)
    if text.startswith("("):
        return _many(text[1:], keyed=True)
    found = re.match(r"[^(),]*", text)
    raw = found.group() if found else ""
    if ":" in raw:
        raise Malformed("Invalid param value: a reserved character is not encoded")
    return unquote(raw), text[len(raw) :]


def _many(text: str, *, keyed: bool) -> tuple[Any, str]:
    record: dict[str, Any] = {}
    items: list[Any] = []
    while True:
        if keyed:
            key, sign, text = text.partition(":")
            if not sign or not re.fullmatch(r"\w+", key):
                raise Malformed("Invalid record")
            record[key], text = _value(text)
        else:
            item, text = _value(text)
            items.append(item)
        if text.startswith(","):
            text = text[1:]
        elif text.startswith(")"):
            return (record if keyed else items), text[1:]
        else:
            raise Malformed("Unbalanced parentheses")
