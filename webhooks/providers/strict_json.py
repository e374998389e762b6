"""What is JSON at all: the contract's 400 row. Pure."""

from typing import Any

from accounts.core import strict_json
from accounts.core.strict_json import UnreadableJSON

#: Up to these sizes a body is parsed where it is received: half a millisecond at most, whatever it holds.
QUICK_BYTES = 16 * 1024
QUICK_VALUES = 500


class UnreadablePayload(Exception):
    """The body is not what the contract's 400 row allows. The message is safe to send back."""


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises UnreadablePayload where `accounts.core.strict_json` refuses it."""
    try:
        return strict_json.read_object(body)
    except UnreadableJSON as unreadable:
        raise UnreadablePayload(str(unreadable)) from None


def parses_quickly(body: bytes) -> bool:
    """Return whether any use of the parsed body takes less than a millisecond, judged by counting separators."""
    size = len(body)
    if size <= 2 * QUICK_VALUES:
        return True
    return size <= QUICK_BYTES and body.count(b",") + body.count(b"[") + body.count(b"{") <= QUICK_VALUES
