"""What must never be read by people who do not need it: secrets, tokens, passwords, signatures, e-mail addresses.

Pure: the logging set-up imports it before Django is ready. The log passes through `scrub`; the back office shows stored
JSON through `mask`, which hides secrets but leaves people's addresses, because staff work with them.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
E_MAIL = "[e-mail]"
DEPTH = 12

_SECRET_NAME = re.compile(
    r"secret|token|passw|authori[sz]ation|signature|cookie|credential|session_?id|csrf|otp|"
    r"(api|private|public|access|encryption|secret)[-_ ]?key|^(auth|pin|proxy|code_verifier|sig)$",
    re.IGNORECASE,
)
#: Names that match the pattern above and are harmless.
_HARMLESS = frozenset({"signature_tolerance_seconds", "public_key_id", "hsts_seconds"})

_SECRET_TEXT = [
    (re.compile(pattern, flags), replacement)
    for pattern, flags, replacement in (
        (r"\bwhsec_[A-Za-z0-9+/=_-]{8,}", 0, HIDDEN),
        (r"\bll_[A-Za-z0-9_-]{16,}", 0, HIDDEN),
        (r"\bgAAAA[A-Za-z0-9_=-]{20,}", 0, HIDDEN),
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----.{0,8000}?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.S, HIDDEN),
        (r"\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{4,}", re.I, rf"\1\2{HIDDEN}"),
        (r"(://[^/\s:@]{0,200}:)[^/\s@]{1,200}@", 0, rf"\1{HIDDEN}@"),
        (r"(/(?:verify|unsubscribe|reauth|password/reset/key)/)[^/\s\"'?#]+", 0, rf"\1{HIDDEN}"),
        (r"(/webhooks/[a-z]{1,32}/)[^/\s\"'?#]+", 0, rf"\1{HIDDEN}"),
        (
            r"([\"']?\b[\w-]{0,40}(?:secret|token|passw(?:or)?d|authorization|signature|api[_-]?key|cookie|csrf)"
            r"[\w-]{0,40}[\"']?\s{0,4}[=:]\s{0,4})(\"[^\"]*\"|'[^']*'|[^\s,;&\"'}\])]+)",
            re.I,
            rf"\1{HIDDEN}",
        ),
        (r"([?&](?:code|state|challengeCode)=)[^&\s\"']+", 0, rf"\1{HIDDEN}"),
    )
]
_ADDRESS = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")


def scrub(value: Any) -> Any:
    """A copy without secrets and e-mail addresses, for logs. Never raises; what is nested too deep is hidden."""
    return _walk(value, addresses=True)


def mask(value: Any) -> Any:
    """A copy without secrets, for people of ours who look at stored JSON."""
    return _walk(value, addresses=False)


def is_secret_name(name: str) -> bool:
    """Whether a field, header or setting of this name holds something that is never shown."""
    return name.lower() not in _HARMLESS and _SECRET_NAME.search(name) is not None


def _walk(value: Any, *, addresses: bool, depth: int = DEPTH) -> Any:
    if isinstance(value, str):
        return _text(value, addresses=addresses)
    if isinstance(value, bytes | bytearray | memoryview):
        return _text(bytes(value).decode("utf-8", "replace"), addresses=addresses)
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth == 0:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            name: HIDDEN
            if is_secret_name(str(name)) and not isinstance(item, bool | None)
            else _walk(item, addresses=addresses, depth=depth - 1)
            for name, item in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_walk(item, addresses=addresses, depth=depth - 1) for item in value]
    return _text(str(value), addresses=addresses)


def _text(text: str, *, addresses: bool) -> str:
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return _ADDRESS.sub(E_MAIL, text) if addresses else text
