"""Hide secrets, tokens, passwords, signatures and e-mail addresses from people who do not need them.

Pure, because the logging set-up imports this module before Django is ready. The log passes through `scrub`. The back
office shows stored JSON through `mask`, which hides secrets but not addresses, because staff work with them.

Outside text may have any length, so both functions read a bounded part of it: MAX_STRING characters of a text, MAX_NAME
of a name, MAX_TOTAL of a whole value. Every pattern takes linear time: repetitions that could match in several ways are
possessive.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any

HIDDEN = "[hidden]"
E_MAIL = "[e-mail]"
MAX_DEPTH = 12
MAX_STRING = 16_384
MAX_NAME = 200
MAX_TOTAL = 131_072
ITEM_COST = 8  # characters that one item of a list or mapping counts as at least
CUT_MARGIN = 300  # characters dropped before a cut, because a part of a secret may stand there

_SECRET_NAME = re.compile(
    r"secret|token|passw|authori[sz]ation|signature|cookie|credential|session_?id|csrf|otp|"
    r"(api|private|public|access|encryption|secret)[-_ ]?key|^(auth|pin|proxy|code_verifier|sig)$",
    re.IGNORECASE,
)
#: Names that match the pattern above but hold no secret.
_HARMLESS = frozenset({"signature_tolerance_seconds", "public_key_id", "hsts_seconds"})

_SECRET_TEXT = [
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        (r"\bwhsec_[A-Za-z0-9+/=_-]{8,}+", 0, HIDDEN),
        (r"\bll_[A-Za-z0-9_-]{16,}+", 0, HIDDEN),
        (r"\bgAAAA[A-Za-z0-9_=-]{20,}+", 0, HIDDEN),
        (
            r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?:(?!-----END ).)*+(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?+",
            re.S,
            HIDDEN,
        ),
        (r"\b(bearer|basic)(\s++)[A-Za-z0-9._~+/=-]{4,}+", re.I, rf"\1\2{HIDDEN}"),
        (r"(://[^/\s:@]*+:)[^/\s@]++@", 0, rf"\1{HIDDEN}@"),
        (
            r"(/(?:verify|unsubscribe|reauth|invitation|confirm-email|linkedin/again|password/reset/key)/)"
            r"[^/\s\"'?#<][^/\s\"'?#]*+",  # a text such as <str:token> is a route
            0,
            rf"\1{HIDDEN}",
        ),
        (r"(/webhooks/[a-z]{1,32}+/)[^/\s\"'?#<][^/\s\"'?#]*+", 0, rf"\1{HIDDEN}"),
        (
            r"((?:secret|token|passw(?:or)?d|authorization|signature|api[_-]?key|cookie|csrf)[\w-]{0,40}+"
            r"[\"']?+\s{0,4}+[=:]\s{0,4}+)(\"[^\"]*+\"?+|'[^']*+'?+|[^\s,;&\"'}\])]++)",
            re.I,
            rf"\1{HIDDEN}",
        ),
        (r"([?&](?:code|state|challengeCode)=)[^&\s\"']++", 0, rf"\1{HIDDEN}"),
    )
]
_ADDRESS = re.compile(r"(?<![\w.%+'-])[\w.%+'-]++@[\w-]++(?:\.[\w-]++)++")


def scrub(value: Any) -> Any:
    """Return a copy for logs, without secrets and e-mail addresses. Hide what is nested too deep. Never raises."""
    return _Walk(addresses=True).visit(value, MAX_DEPTH)


def mask(value: Any) -> Any:
    """Return a copy without secrets, for staff who read stored JSON."""
    return _Walk(addresses=False).visit(value, MAX_DEPTH)


def is_secret_name(name: str) -> bool:
    """Return whether a field, header or setting of this name holds a secret. A name over MAX_NAME characters counts as
    one."""
    if len(name) > MAX_NAME:
        return True
    return name.lower() not in _HARMLESS and _SECRET_NAME.search(name) is not None


class _Walk:
    """One traversal of a value, which ends after MAX_TOTAL characters."""

    def __init__(self, *, addresses: bool) -> None:
        self._addresses = addresses
        self._left = MAX_TOTAL

    def visit(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes | bytearray | memoryview):
            text = bytes(value[: MAX_STRING + 1]).decode("utf-8", "replace")
            return self._text(text, len(value) - MAX_STRING)
        if value is None or isinstance(value, bool | int | float):
            return value
        if depth == 0:
            return HIDDEN
        if isinstance(value, Mapping):
            return self._mapping(value, depth - 1)
        if isinstance(value, list | tuple | set | frozenset):
            return self._items(value, depth - 1)
        return self._text(str(value))

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        copy: dict[Any, Any] = {}
        for name, item in value.items():
            if not self._has_room():
                copy["…"] = f"({len(value) - len(copy)} more)"
                break
            key = self._name(name) if isinstance(name, str) else name
            secret = is_secret_name(str(name)) and not isinstance(item, bool | None)
            copy[key] = HIDDEN if secret else self.visit(item, depth)
        return copy

    def _items(self, value: Collection[Any], depth: int) -> list[Any]:
        copy: list[Any] = []
        for item in value:
            if not self._has_room():
                copy.append(f"… ({len(value) - len(copy)} more)")
                break
            copy.append(self.visit(item, depth))
        return copy

    def _has_room(self) -> bool:
        self._left -= ITEM_COST
        return self._left > 0

    def _name(self, name: str) -> str:
        return name if len(name) <= 30 and "@" not in name else self._text(name[:MAX_NAME], len(name) - MAX_NAME)

    def _text(self, text: str, beyond: int = 0) -> str:
        """Return the text without secrets, cut to its limit. `beyond` is the number of characters that were cut off
        before."""
        limit = max(min(MAX_STRING, self._left), 0)
        beyond = max(beyond, len(text) - limit)
        text = text[:limit]
        self._left -= len(text)
        for pattern, replacement in _SECRET_TEXT:
            text = pattern.sub(replacement, text)
        if self._addresses:
            text = _ADDRESS.sub(E_MAIL, text)
        return text if beyond <= 0 else f"{text[:-CUT_MARGIN]}… ({beyond} more)"
