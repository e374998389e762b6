"""Decide what counts as JSON: the contract's 400 row. Pure."""

from typing import Any

from accounts.core import strict_json
from accounts.core.strict_json import UnreadableJSON

#: Up to these sizes a body is parsed on the event loop: parsing takes half a millisecond at most.
QUICK_BYTES = 16 * 1024
QUICK_VALUES = 500


class UnreadablePayload(Exception):
    """Signal that the body is not JSON as the contract requires. The message may be sent to the caller."""


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in a body. Raises UnreadablePayload where `accounts.core.strict_json` refuses it."""
    try:
        return strict_json.read_object(body)
    except UnreadableJSON as error:
        raise UnreadablePayload(str(error)) from None


def parses_quickly(body: bytes) -> bool:
    """Return whether any use of the parsed body takes less than a millisecond, judged by counting separators."""
    size = len(body)
    if size <= 2 * QUICK_VALUES:
        return True
    return size <= QUICK_BYTES and body.count(b",") + body.count(b"[") + body.count(b"{") <= QUICK_VALUES
