"""Requests cut up without the HTTP parser: only those that it reads alike, and it is asked."""

from dataclasses import dataclass, field

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webhooks.ingest.fastpath.request import MAX_FAST_HEAD_BYTES, FastPathRequest, parse_request

REQUEST = (
    b"POST /webhooks/salesflow/aB-9_z HTTP/1.1\r\n"
    b"Host: hooks.example.com\r\nX-Webhook-Secret: a: b\r\nContent-Length: 7\r\n\r\n"
    b'{"a":1}'
)
NASTY = [
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\x0b",
    b"\x7f",
    b"\xa0",
    b"\xff",
    b"0",
    b"7",
    b"+",
    b",",
    b"%41",
]
NASTY += [
    b"Content-Length: 7\r\n",
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"content_length: 7\r\n",
]
NASTY += [b"Connection: close\r\n", b"Upgrade: websocket\r\n", b"Expect: 100-continue\r\n", b" HTTP/1.1\r\n", b"?a=b"]


@dataclass
class Parsed:
    """What the server's own parser says of the same bytes."""

    url: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    begun: int = 0
    complete: int = 0

    def on_message_begin(self) -> None:
        self.begun += 1

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" ")))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


def require_parsed_alike(data: bytes, fast_request: FastPathRequest) -> None:
    parsed = Parsed()
    parser = httptools.HttpRequestParser(parsed)
    parser.feed_data(data)
    assert (parsed.begun, parsed.complete) == (1, 1)
    assert (parser.get_method(), parser.get_http_version(), parser.should_keep_alive()) == (b"POST", "1.1", True)
    assert parsed.url.rstrip(b"/") == f"/webhooks/{fast_request.provider}/{fast_request.token}".encode()
    assert (dict(parsed.headers), parsed.body) == (fast_request.headers, fast_request.body)
    assert len(parsed.headers) == len(fast_request.headers)


def test_a_whole_webhook_is_cut() -> None:
    fast_request = parse_request(REQUEST)

    assert fast_request == FastPathRequest(
        provider="salesflow",
        token="aB-9_z",
        headers={"host": "hooks.example.com", "x-webhook-secret": "a: b", "content-length": "7"},
        body=b'{"a":1}',
    )
    require_parsed_alike(REQUEST, fast_request)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b'{"a":1}', b'{"a":1}{', id="more than one request"),
        pytest.param(b'{"a":1}', b'{"a":1', id="less than one"),
        pytest.param(b"Content-Length: 7\r\n", b"", id="no length"),
        pytest.param(b"Content-Length: 7", b"Content-Length: 07", id="a length spelled oddly"),
        pytest.param(b"Content-Length: 7", b"Content-Length: 7\r\nContent-Length: 7", id="two lengths"),
        pytest.param(b"Host", b"Transfer-Encoding: chunked\r\nHost", id="chunked"),
        pytest.param(b"Host", b"Content-Encoding: gzip\r\nHost", id="compressed"),
        pytest.param(b"Host", b"Expect: 100-continue\r\nHost", id="a question first"),
        pytest.param(b"Host", b"Connection: close\r\nHost", id="the last of its connection"),
        pytest.param(b"Host", b"X-Webhook-Secret: other\r\nHost", id="a header twice"),
        pytest.param(b"a: b", b"a\r\n b", id="a folded header"),
        pytest.param(b"a: b", b"a\nX: b", id="a bare line feed"),
        pytest.param(b"a: b", b"", id="an empty header"),
        pytest.param(b"a: b", b"\xe9", id="not ASCII"),
        pytest.param(b"Secret:", b"Secret :", id="a space before the colon"),
        pytest.param(b"X-Webhook-Secret: a: b", b"X-Webhook-Secret", id="no colon"),
        pytest.param(b"X-Webhook-Secret: a: b", b": a: b", id="no name"),
        pytest.param(b"POST", b"PUT", id="another method"),
        pytest.param(b"HTTP/1.1", b"HTTP/1.0", id="another version"),
        pytest.param(b"aB-9_z", b"aB%2D9_z", id="an encoded address"),
        pytest.param(b"aB-9_z", b"aB-9_z?a=b", id="a query"),
        pytest.param(b"/webhooks", b"http://hooks.example.com/webhooks", id="a whole URL"),
        pytest.param(b"Host: h", b"Host: " + b"h" * MAX_FAST_HEAD_BYTES, id="a long head"),
    ],
)
def test_what_is_unusual_is_left_to_the_parser(old: bytes, new: bytes) -> None:
    assert old in REQUEST
    assert parse_request(REQUEST.replace(old, new)) is None


PLACES = st.sampled_from([end + 2 for end in range(len(REQUEST)) if REQUEST.startswith(b"\r\n", end)])
CHANGES = st.tuples(
    PLACES | st.integers(0, len(REQUEST)), st.integers(0, 3), st.sampled_from(NASTY) | st.binary(max_size=2)
)


@given(st.lists(CHANGES, max_size=4))
@example([(REQUEST.index(b"Host"), 0, b"X: 1\r\n")])
def test_whatever_is_cut_the_parser_reads_alike(changes: list[tuple[int, int, bytes]]) -> None:
    data = REQUEST
    for place, removed, added in changes:
        data = data[:place] + added + data[place + removed :]

    fast_request = parse_request(data)

    if fast_request is not None:
        require_parsed_alike(data, fast_request)
