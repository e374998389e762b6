"""What clients do to a server: half-sent, endless, lying and pipelined requests, over real sockets."""

import asyncio
import gzip
import socket
import time

import pytest

from accounts.models import Agency, Source
from accounts.sources.service import create_source
from tests.webhooks.ingest_server import (
    Answer,
    Call,
    Server,
    answered,
    read_answer,
    request_bytes,
    wait_until,
)
from webhooks.ingest import http
from webhooks.ingest.app import IngestApp
from webhooks.models import Receipt, RejectedRequest

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SIGNED = {"x-webhook-secret": SECRET}
MEBIBYTE = 1024 * 1024


@pytest.fixture
def source(agency: Agency) -> Source:
    return create_source(agency=agency, provider="salesflow", secret=SECRET)[0]


def path_of(source: Source) -> str:
    return f"/webhooks/salesflow/{source.token}"


def chunked(path: str, *chunks: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nx-webhook-secret: {SECRET}\r\n\r\n"
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"


def head(path: str, length: int, **more: str) -> bytes:
    fields = {"Host": "x", "Content-Length": str(length), **SIGNED, **more}
    return f"POST {path} HTTP/1.1\r\n{''.join(f'{k}: {v}{chr(13)}{chr(10)}' for k, v in fields.items())}\r\n".encode()


def closed(connection: socket.socket) -> bool:
    """Whether the server has hung up, or does so within its patience."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_chunked_body_is_put_together(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(chunked(path_of(source), b'{"a":', b"1}"))
        assert read_answer(client).status == 200

    assert bytes(Receipt.objects.get().body) == b'{"a":1}'


def test_a_chunked_body_over_the_limit_is_refused(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(chunked(path_of(source), *[b" " * 65536] * 17))
        answer = read_answer(client)

    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert Receipt.objects.count() == 0


def test_the_sender_of_50_megabytes_can_read_that_they_are_too_many(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(head(path_of(source), 50_000_000))
        answer = read_answer(client)
        sent = 0
        try:
            while sent < 50_000_000:
                client.sendall(b" " * 65536)
                sent += 65536
        except (BrokenPipeError, ConnectionResetError):
            pass

    assert answer.status == 413
    assert sent < 50_000_000  # it was not all read
    assert Receipt.objects.count() == 0


def test_the_sender_of_a_little_too_much_reads_the_answer_after_sending_it_all(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(head(path_of(source), 3 * MEBIBYTE) + b" " * (3 * MEBIBYTE))
        time.sleep(0.3)
        assert read_answer(client).status == 413
        assert closed(client)


def test_whoever_sends_a_large_body_to_no_source_reads_404_as_well(server: Server) -> None:
    with server.connect() as client:
        client.sendall(head("/webhooks/salesflow/nobody", 2 * MEBIBYTE) + b" " * (2 * MEBIBYTE))
        assert read_answer(client).status == 404
        assert closed(client)


def test_a_body_over_the_limit_is_not_asked_for(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(head(path_of(source), 2 * MEBIBYTE, Expect="100-continue"))
        answer = read_answer(client)

    assert answer.status == 413  # and not 100


def test_a_body_that_is_announced_is_asked_for(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(head(path_of(source), 2, Expect="100-continue"))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"{}")
        assert read_answer(client).status == 200


def test_gzip_is_refused_unread(server: Server, source: Source) -> None:
    bomb = gzip.compress(b" " * 50 * MEBIBYTE)

    answer = server.post(path_of(source), bomb, {"Content-Encoding": "gzip", **SIGNED})

    assert answer.status == 415
    wait_until(lambda: RejectedRequest.objects.filter(source=source, reason="body_encoded", count=1))


def test_no_body_at_all_is_an_unreadable_one(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(f"POST {path_of(source)} HTTP/1.1\r\nHost: x\r\nx-webhook-secret: {SECRET}\r\n\r\n".encode())
        assert read_answer(client).status == 400


def test_two_hundred_half_sent_bodies_hold_nobody_up(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.WEBHOOK_LIMITS, "timeout", 60)
    half = [server.connect() for _ in range(200)]
    try:
        for client in half:
            client.sendall(head(path_of(source), 1000) + b'{"half":')
        answers = [server.post(path_of(source), b"{}", SIGNED) for _ in range(5)]
        assert answered(half) == []
    finally:
        for client in half:
            client.close()

    assert [answer.status for answer in answers] == [200] * 5
    time.sleep(0.2)
    assert Receipt.objects.count() == 5


def test_a_body_that_never_ends_is_not_waited_for(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.WEBHOOK_LIMITS, "timeout", 0.3)
    monkeypatch.setattr(http, "DRAIN_TIMEOUT", 0.3)

    with server.connect() as client:
        client.sendall(head(path_of(source), 1000) + b'{"half":')
        answer = read_answer(client)
        assert closed(client)

    assert answer.status == 408
    assert answer.headers["content-type"] == "application/problem+json"
    assert Receipt.objects.count() == 0


def test_more_than_was_announced_is_not_taken_for_a_request(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(head(path_of(source), 2) + b'{}{"smuggled":1}')
        reply = b"".join(iter(lambda: client.recv(65536), b""))

    assert b"HTTP/1.1 400" in reply
    assert {bytes(receipt.body) for receipt in Receipt.objects.all()} <= {b"{}"}


def test_pipelined_requests_are_answered_in_their_order(server: Server, source: Source) -> None:
    bodies = [b'{"n":%d}' % number for number in range(20)]

    with server.connect() as client:
        client.sendall(b"".join(request_bytes("POST", path_of(source), body, SIGNED) for body in bodies))
        received = b""
        while received.count(b"receipt_id") < 20:
            received += client.recv(65536)

    assert received.count(b"HTTP/1.1 200") == 20
    assert [bytes(receipt.body) for receipt in Receipt.objects.order_by("sequence")] == bodies


def test_a_webhook_in_one_packet_takes_the_short_way_and_is_answered_alike(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = server.post(path_of(source), b'{"a":1}', SIGNED)  # looks the source up
    monkeypatch.setattr(server.app, "_handle_request", None)  # the long way is closed

    second = server.post(path_of(source), b'{"a":2}', SIGNED)

    assert (second.status, second.json["status"]) == (200, "accepted")
    assert first.headers.keys() == second.headers.keys()
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert [bytes(receipt.body) for receipt in Receipt.objects.order_by("pk")] == [b'{"a":1}', b'{"a":2}']


def test_a_client_that_leaves_before_its_body_is_whole_leaves_nothing(server: Server, source: Source) -> None:
    with server.connect() as client:
        client.sendall(head(path_of(source), 1000) + b'{"half":')
    time.sleep(0.2)

    assert server.post(path_of(source), b"{}", SIGNED).status == 200
    assert Receipt.objects.count() == 1


def test_where_unfinished_bodies_take_too_much_the_oldest_is_refused_and_who_sends_is_not(
    server: Server, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http.WEBHOOK_LIMITS.incomplete, "limit", 100_000)
    honest = b'{"a":"' + b"x" * 89_992 + b'"}'

    with server.connect() as stalled, server.connect() as sending:
        stalled.sendall(head(path_of(source), 500_000) + b" " * 90_000)
        wait_until(lambda: http.WEBHOOK_LIMITS.incomplete.size == 90_000)
        sending.sendall(head(path_of(source), len(honest)) + honest[:50_000])
        assert read_answer(stalled).status == 503
        sending.sendall(honest[50_000:])
        assert read_answer(sending).status == 200

    wait_until(lambda: http.WEBHOOK_LIMITS.incomplete.size == 0)
    assert server.post(path_of(source), b"{}", SIGNED).status == 200


GARBAGE = (
    "x-webhook-secret: \r\n",
    "x-webhook-secret: wrong\r\n",
    f"x-webhook-secret: {SECRET}\r\nx-webhook-secret: {SECRET}\r\n",
    f"x_webhook_secret: {SECRET}\r\n",
    f"x-webhook-secret: {SECRET[:-1]}\r\n",
    f"x-webhook-secret: {SECRET.upper()}\r\n",
    "x-webhook-secret: \xff\xfe\r\n",
    f"x-webhook-secret: {'a' * 10_000}\r\n",
)


def test_garbage_for_a_secret_is_401_and_never_500(server: Server, source: Source) -> None:
    for header in GARBAGE:
        request = f"POST {path_of(source)} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n{header}\r\n{{}}"
        with server.connect() as client:
            client.sendall(request.encode("latin-1"))
            assert read_answer(client).status == 401

    assert Receipt.objects.count() == 0


async def ask(source: Source, requests: list[tuple[str, dict[str, str]]]) -> list[Answer]:
    """Requests from those addresses with those headers, straight into one application."""
    app = IngestApp()
    try:
        return [
            await Call(app, (client, 40000))("POST", path_of(source), b"{}", {**SIGNED, **headers})
            for client, headers in requests
        ]
    finally:
        assert app._context is not None
        await app._context.close()


def test_a_source_with_allowed_networks_is_open_to_them_alone(source: Source, settings: object) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]  # type: ignore[attr-defined]
    source.allowed_networks = ["192.0.2.0/24"]
    source.save()
    allowed = [("192.0.2.7", {}), ("10.0.0.1", {"x-forwarded-for": "192.0.2.7"})]
    outside = [("198.51.100.1", {}), ("198.51.100.1", {"x-forwarded-for": "192.0.2.7"}), ("", {})]

    answers = asyncio.run(ask(source, [*allowed, *outside]))

    assert [answer.status for answer in answers] == [200, 200, 404, 404, 404]
    assert RejectedRequest.objects.get(source=source).reason == "network"
    assert RejectedRequest.objects.get(source=source).count == 3


def test_a_webhook_that_came_in_the_clear_is_refused_where_the_product_is_https(
    source: Source, settings: object
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]  # type: ignore[attr-defined]
    settings.HTTPS = True  # type: ignore[attr-defined]
    clear, secure = {"x-forwarded-proto": "http"}, {"x-forwarded-proto": "https"}

    answers = asyncio.run(ask(source, [("10.0.0.1", clear), ("10.0.0.1", secure), ("192.0.2.7", clear)]))
    settings.HTTPS = False  # type: ignore[attr-defined]
    at_home = asyncio.run(ask(source, [("10.0.0.1", clear)]))

    assert [answer.status for answer in answers] == [403, 200, 200]  # anybody but the proxy can say so
    assert [answer.status for answer in at_home] == [200]
