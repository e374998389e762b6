"""A webhook that came whole, in one piece of its connection's stream, cut into address, headers and body. Pure.

Only what all HTTP parsers read alike is cut (RFC 9112): a request line with nothing to decode, headers of printable
ASCII of which none is empty and none comes twice, and one Content-Length that is just what follows. The rest is for the
server's own parser.
"""

import re
from typing import NamedTuple

START = re.compile(rb"POST /webhooks/([a-z]{1,32})/([0-9A-Za-z_-]{1,64})/? HTTP/1\.1\r\n")
LONGEST_HEAD = 16 * 1024
FOR_THE_PARSER = {"transfer-encoding", "content-encoding", "expect", "upgrade"}


class Packet(NamedTuple):
    provider: str
    token: str
    headers: dict[str, str]  # names in lower case
    body: bytes


def cut(data: bytes) -> Packet | None:
    """The request that these bytes are; None if they are another request, more than one or less than one."""
    start = START.match(data)
    end = data.find(b"\r\n\r\n", 0, LONGEST_HEAD)
    if start is None or end < start.end():
        return None
    headers = _headers(data[start.end() : end])
    body = data[end + 4 :]
    if headers is None or headers.get("content-length") != str(len(body)):
        return None
    return Packet(start[1].decode(), start[2].decode(), headers, body)


def _headers(head: bytes) -> dict[str, str] | None:
    """Their names and values; None if they are unusual, or call for more than to be read."""
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip(" ") for name, _, value in [line.partition(":") for line in lines]}
    text, names = "".join(lines), "".join(headers)
    plain = text.isascii() and text.isprintable() and names.replace("-", "").isalnum()
    if not plain or len(headers) < len(lines) or "" in headers or "" in headers.values():
        return None
    if headers.get("connection", "keep-alive").lower() != "keep-alive" or not FOR_THE_PARSER.isdisjoint(headers):
        return None
    return headers
