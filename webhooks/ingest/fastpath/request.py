"""Parse a webhook that arrived in one piece of its connection's stream into address, headers and body. Pure.

Only what all HTTP parsers read alike is parsed here (RFC 9112): a request line without escapes, headers of printable
ASCII, none empty and none repeated, and one Content-Length that matches the body. The server's own parser reads the
rest.
"""

import re
from typing import NamedTuple

REQUEST_LINE = re.compile(r"POST /webhooks/([a-z]{1,32})/([0-9A-Za-z_-]{1,64})/? HTTP/1\.1")
MAX_FAST_HEAD_BYTES = 16 * 1024
UNSUPPORTED_HEADERS = {"transfer-encoding", "content-encoding", "expect", "upgrade"}


class FastPathRequest(NamedTuple):
    """Hold one complete webhook request."""

    provider: str
    token: str
    headers: dict[str, str]  # lower-case names
    body: bytes


def parse_request(data: bytes) -> FastPathRequest | None:
    """Return the request that these bytes are. None if they are another request, or more or less than one."""
    end = data.find(b"\r\n\r\n", 0, MAX_FAST_HEAD_BYTES)
    if end < 0 or not data.startswith(b"POST /webhooks/"):
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    start = REQUEST_LINE.fullmatch(first)
    headers = _headers(lines)
    body = data[end + 4 :]
    if start is None or headers is None or headers.get("content-length") != str(len(body)):
        return None
    return FastPathRequest(start[1], start[2], headers, body)


def _headers(lines: list[str]) -> dict[str, str] | None:
    """Return the headers. None if they are unusual, or ask for something that the fast path does not support."""
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" ")
    text, names = "".join(lines), "".join(headers)
    plain = text.isascii() and text.isprintable() and names.replace("-", "").isalnum()
    if not plain or len(headers) < len(lines) or "" in headers or "" in headers.values():
        return None
    if headers.get("connection", "keep-alive").lower() != "keep-alive" or not UNSUPPORTED_HEADERS.isdisjoint(headers):
        return None
    return headers
