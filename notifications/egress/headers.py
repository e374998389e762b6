"""Keep the headers of a request and of its response for the delivery log: bounded, without secrets."""

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.core.masking import MASK
from accounts.core.redaction import is_secret_name
from accounts.core.text import shorten, storable

MAX_KEPT = 40
MAX_NAME_LENGTH = 100
MAX_VALUE_LENGTH = 300
#: Headers of our requests whose values are ours. A customer's own may hold a secret, whatever they are called.
_OURS = frozenset(
    {
        "accept",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    }
)

#: Names with values, as they were sent. A database would sort an object.
Headers = list[list[str]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold the headers of a request and of its response, None where no response came."""

    request_headers: Headers
    response_headers: Headers | None = None


def keep_request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers that Leadline sent. The values of a customer's own headers are masked."""
    return [[*_bounded(name, value if name.lower() in _OURS else MASK)] for name, value in _first(headers)]


def keep_response_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers of a response. Values of those that are named like secrets, such as cookies, are masked."""
    return [[*_bounded(name, MASK if is_secret_name(name) else value)] for name, value in _first(headers)]


def _first(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(headers)[:MAX_KEPT]


def _bounded(name: str, value: str) -> tuple[str, str]:
    return shorten(storable(name), MAX_NAME_LENGTH), shorten(storable(value), MAX_VALUE_LENGTH)
