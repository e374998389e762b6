"""What clients may not do to the web process: long heads, endless fields, idle connections, half bodies of pages."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from accounts.models import Agency, Source
from accounts.sources.service import create_source
from config import page_bodies
from tests.webhooks.ingest_server import Answer, Server, answered, read_answer, request_bytes, serving, wait_until
from webhooks.ingest import connection
from webhooks.models import Receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_backend]

SECRET = "the-secret-of-this-source-0001"
MEBIBYTE = 1024 * 1024


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    from config.asgi import application

    with serving(application) as server:
        yield server


@pytest.fixture
def source(agency: Agency) -> Source:
    return create_source(agency=agency, provider="salesflow", secret=SECRET)[0]


def send_slowly(server: Server, *pieces: bytes) -> Answer:
    """Send the pieces as long as they are taken, then read the answer."""
    with server.connect(timeout=30) as client:
        for piece in pieces:
            client.sendall(piece)
        return read_answer(client)


def answer_to(server: Server, data: bytes) -> int:
    return send_slowly(server, data).status


START = b"POST /webhooks/salesflow/nobody HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = {
    "two kinds of length": START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two kinds of length, the other first": START + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": START + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "the same length twice": START + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": START + b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": START + b"Content-Length: +2\r\n\r\n{}",
    "a hexadecimal length": START + b"Content-Length: 0x2\r\n\r\n{}",
    "a space before the colon": START + b"Content-Length : 2\r\n\r\n{}",
    "a folded header": START + b"X-A: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "a folded length": START + b"X-A: a\r\n\tContent-Length: 9\r\nContent-Length: 2\r\n\r\n{}",
    "line feeds alone": START.replace(b"\r", b"") + b"Content-Length: 2\n\n{}",
    "one line feed alone": START + b"X-A: a\nContent-Length: 2\r\n\r\n{}",
    "a carriage return alone": START + b"X-A: a\rX-B: b\r\nContent-Length: 2\r\n\r\n{}",
    "an end of line feeds": START + b"Content-Length: 2\r\n\n{}",
    "an unknown coding": START + b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a coding before chunked": START + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a coding after chunked": START + b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked twice": START + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked by a vertical tab": START + b"Transfer-Encoding:\x0bchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": START.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks with line feeds alone": START + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n",
    "a chunk's size with 0x": START + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n",
    "a chunk beyond any size": START + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a length after the body": START + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    "NUL in a header": START + b"X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a space before a header": START + b" X-A: a\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.once
@pytest.mark.parametrize("request_", SMUGGLED.values(), ids=SMUGGLED)
def test_what_two_servers_could_read_differently_is_refused(server: Server, request_: bytes) -> None:
    with server.connect() as client:
        client.sendall(request_ + b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        answer = read_answer(client)

    assert answer.status == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"
    assert answer.json["request_id"] == answer.headers["x-request-id"]


HEAD = b"POST /webhooks/salesflow/nobody HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.once
@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(HEAD + b"X-Long: " + b"a" * 70_000, 431, id="a value without an end"),
        pytest.param(HEAD + b"a" * 70_000, 431, id="a name without an end"),
        pytest.param(HEAD + b"X-n: aaaa\r\n" * 7_000, 431, id="fields without an end"),
        pytest.param(HEAD + b"X-n: a\r\n" * 201 + b"\r\n", 431, id="too many fields"),
        pytest.param(HEAD + b"X-Long: " + b"a" * 70_000 + b"\r\n\r\n", 431, id="a long value"),
        pytest.param(b"GET /" + b"a" * 9_000, 414, id="a target without an end"),
        pytest.param(b"GET /healthz?" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, id="a long target"),
        pytest.param(b"GET /" + b"(" * 62_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, id="a very long path"),
    ],
)
@pytest.mark.parametrize("segments", [1, 40])
def test_a_head_that_is_too_large_is_refused_while_it_arrives(
    server: Server, data: bytes, status: int, segments: int
) -> None:
    size = len(data) // segments + 1
    pieces = [data[start : start + size] for start in range(0, len(data), size)]

    answer = send_slowly(server, *pieces)

    assert answer.status == status
    assert answer.headers["connection"] == "close"
    assert answer.json["status"] == status


def test_a_head_of_almost_64_kib_is_read_however_it_comes(server: Server, source: Source) -> None:
    fields = "".join(f"X-Field-{number}: {'a' * 600}\r\n" for number in range(100))
    request = request_bytes("POST", f"/webhooks/salesflow/{source.token}", b"{}", {"X-Webhook-Secret": SECRET})
    request = request.replace(b"\r\n", f"\r\n{fields}".encode(), 1)

    assert answer_to(server, request) == 200
    assert send_slowly(server, *[request[start : start + 5000] for start in range(0, len(request), 5000)]).status == 200


def test_what_was_asked_before_a_head_that_is_too_large_is_answered_first(server: Server, source: Source) -> None:
    request = request_bytes("POST", f"/webhooks/salesflow/{source.token}", b"{}", {"X-Webhook-Secret": SECRET})

    with server.connect() as client:
        client.sendall(request * 3 + HEAD + b"a" * 140_000)
        received = b"".join(iter(lambda: client.recv(65536), b""))

    assert [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]] == [200, 200, 200, 431]
    assert Receipt.objects.count() == 3


def test_more_requests_than_may_wait_on_one_connection_are_refused_after_the_others(
    server: Server, source: Source
) -> None:
    request = request_bytes("POST", f"/webhooks/salesflow/{source.token}", b"{}", {"X-Webhook-Secret": SECRET})

    with server.connect() as client:
        client.sendall(request * 300)
        received = b"".join(iter(lambda: client.recv(65536), b""))

    statuses = [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]
    assert statuses[-1] == 503
    assert set(statuses[:-1]) == {200}
    assert len(statuses) - 1 == Receipt.objects.count() >= connection.MAX_PIPELINED


FRAMING = {"extension": b"2;x=" + b"a" * MEBIBYTE, "trailer": b"2\r\n{}\r\n0\r\nX-After: " + b"a" * MEBIBYTE}


@pytest.mark.parametrize("framing", FRAMING.values(), ids=FRAMING)
def test_a_chunked_body_that_is_mostly_framing_is_refused(server: Server, source: Source, framing: bytes) -> None:
    head = f"POST /webhooks/salesflow/{source.token} HTTP/1.1\r\nHost: x\r\nX-Webhook-Secret: {SECRET}\r\n"

    answer = send_slowly(server, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(), framing)

    assert answer.status == 400
    assert Receipt.objects.count() == 0


EARLY = {
    "413 of a page": (b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n", 413),
    "413 of a webhook": (b"POST /webhooks/salesflow/%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 413),
    "404": (b"POST /webhooks/salesflow/nobody HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 404),
    "405": (b"PUT /webhooks/salesflow/%b HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 405),
    "415": (
        b"POST /webhooks/salesflow/%b HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: %d\r\n\r\n",
        415,
    ),
    "414": (b"POST /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", 414),
    "431": (HEAD + b"X: " + b"a" * 70_000 + b"\r\nContent-Length: %d\r\n\r\n", 431),
    "400": (b"POST / HTTP/1.1\r\n Host: x\r\nContent-Length: %d\r\n\r\n", 400),
}


@pytest.mark.once
@pytest.mark.parametrize(("head", "status"), EARLY.values(), ids=EARLY)
def test_an_answer_that_comes_early_can_be_read_after_everything_was_sent(
    server: Server, source: Source, head: bytes, status: int
) -> None:
    size = 6 * MEBIBYTE
    values = (source.token.encode(), size) if b"%b" in head else (size,)

    for _ in range(3):
        assert send_slowly(server, head % values, *[b"x" * 65536] * (size // 65536)).status == status


def hold(stack: ExitStack, server: Server, data: bytes, count: int) -> list[socket.socket]:
    held = [stack.enter_context(server.connect()) for _ in range(count)]
    for client in held:
        client.sendall(data)
    return held


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="silent"),
        pytest.param(HEAD, id="half a head"),
        pytest.param(b"GET /webhooks/salesflow/nobody HTTP/1.1\r\nHost: x\r\n\r\n", id="kept after an answer"),
        pytest.param(HEAD + b"Content-Length: 100\r\n\r\nhalf", id="half a body"),
        pytest.param(
            b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nhalf", id="half a form"
        ),
    ],
)
def test_idle_connections_lock_nobody_out(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(connection, "connection_limit", lambda: 20)

    with ExitStack() as stack:
        held = hold(stack, server, data, 60)
        if data.startswith(b"GET"):
            wait_until(lambda: len(answered(held)) == 60)
        answers = [
            server.post(f"/webhooks/salesflow/{source.token}", b"{}", {"X-Webhook-Secret": SECRET}) for _ in range(30)
        ]
        assert server.send("GET", "/healthz").status == 200

    assert {answer.status for answer in answers} == {200}
    assert Receipt.objects.count() == 30


def test_half_sent_bodies_of_pages_take_bounded_memory_and_lock_nobody_out(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_bodies.PAGE_LIMITS.incomplete, "limit", 5 * MEBIBYTE)
    head = b"POST /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3100000\r\n\r\n"

    with ExitStack() as stack:
        half = hold(stack, server, head + b"x" * MEBIBYTE, 12)
        assert page_bodies.PAGE_LIMITS.incomplete.size <= 5 * MEBIBYTE
        assert [read_answer(client).status for client in half[:6]] == [503] * 6
        form = request_bytes("POST", "/accounts/login/", b"login=a&" + b"x=" + b"y" * 100_000, {})
        assert send_slowly(server, form[:50_000], form[50_000:]).status < 500

    wait_until(lambda: page_bodies.PAGE_LIMITS.incomplete.size == 0)


def test_a_form_that_was_cut_off_is_not_taken_for_a_shorter_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import asgi

    seen: list[Any] = []

    def django(environ: Any, start_response: Any) -> list[bytes]:
        seen.append(environ["PATH_INFO"])
        start_response("200 OK", [("content-length", "0")])
        return [b""]

    monkeypatch.setattr(asgi, "django", _Closable(django))
    with server.connect() as client:
        client.sendall(b"POST /cut HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nemail=a%40example.com")
    assert server.send("GET", "/whole").status == 200

    assert seen == ["/whole"]


class _Closable:
    """Answers of an application that can be closed, as Django's can."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: Any, start_response: Any) -> Any:
        class Pieces(list[bytes]):
            def close(self) -> None:
                pass

        return Pieces(self._application(environ, start_response))


def test_a_file_of_twenty_megabytes_is_taken_in_pieces_and_no_larger_one(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from config import asgi

    seen: list[int] = []

    def django(environ: Any, start_response: Any) -> list[bytes]:
        size = 0
        while piece := environ["wsgi.input"].read(64 * 1024):
            size += len(piece)
        seen.append(size)
        start_response("200 OK", [("content-length", "0")])
        return [b""]

    monkeypatch.setattr(asgi, "django", django)
    pieces = [b"x" * MEBIBYTE] * 20

    def answer(path: str, *pieces: bytes) -> int:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {sum(map(len, pieces))}\r\n\r\n"
        return send_slowly(server, head.encode(), *pieces).status

    assert answer("/imports/new", *pieces) == 200
    assert answer("/target-lists/list_1/change", *pieces) == 200
    assert seen == [20 * MEBIBYTE] * 2
    assert page_bodies.PAGE_LIMITS.incomplete.size == 0
    assert answer("/imports/new", *pieces, *pieces[:2]) == 413
    assert answer("/imports", *pieces[:4]) == 413
    monkeypatch.setattr(page_bodies, "_uploads", asyncio.BoundedSemaphore(1))
    with server.connect() as half:
        half.sendall(b"POST /imports/new HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nhalf")
        wait_until(page_bodies._uploads.locked)
        assert answer("/imports/new", b"x") == 503
    wait_until(lambda: not page_bodies._uploads.locked())
    assert len(seen) == 2
