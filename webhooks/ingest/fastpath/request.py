"""A webhook that came whole, in one piece of its connection's stream, cut into address, headers and body. Pure.

Only what all HTTP parsers read alike is cut (RFC 9112): a request line with nothing to decode, headers of printable
ASCII of which none is empty and none comes twice, and one Content-Length that is just what follows. The rest is for the
server's own parser.
"""

import re
from typing import NamedTuple

START = re.compile(r"POST /webhooks/([a-z]{1,32})/([0-9A-Za-z_-]{1,64})/? HTTP/1\.1")
MAX_FAST_HEAD_BYTES = 16 * 1024
FOR_THE_PARSER = {"transfer-encoding", "content-encoding", "expect", "upgrade"}


class Packet(NamedTuple):
    provider: str
    token: str
    headers: dict[str, str]  # names in lower case
    body: bytes


def cut(data: bytes) -> Packet | None:
    """The request that these bytes are; None if they are another request, more than one or less than one."""
    end = data.find(b"\r\n\r\n", 0, MAX_FAST_HEAD_BYTES)
    if end < 0 or not data.startswith(b"POST /webhooks/"):
        return None
    first, *lines = data[:end].decode("latin-1").split("\r\n")
    start = START.fullmatch(first)
    headers = _headers(lines)
    body = data[end + 4 :]
    if start is None or headers is None or headers.get("content-length") != str(len(body)):
        return None
    return Packet(start[1], start[2], headers, body)


def _headers(lines: list[str]) -> dict[str, str] | None:
    """Their names and values; None if they are unusual, or call for more than to be read."""
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip(" ")
    text, names = "".join(lines), "".join(headers)
    plain = text.isascii() and text.isprintable() and names.replace("-", "").isalnum()
    if not plain or len(headers) < len(lines) or "" in headers or "" in headers.values():
        return None
    if headers.get("connection", "keep-alive").lower() != "keep-alive" or not FOR_THE_PARSER.isdisjoint(headers):
        return None
    return headers
