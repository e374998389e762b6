"""The whole application as the web server runs it: ingest and Django side by side."""

import time
from collections.abc import Iterator
from itertools import repeat
from threading import Event
from typing import Any

import pytest

from accounts.models import Agency
from accounts.sources.service import create_source
from tests.webhooks.ingest_server import Server, answered, read_answer, request_bytes, serving
from webhooks.models import Receipt

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    from config.asgi import application

    with serving(application) as server:
        yield server


def test_webhooks_go_to_ingest_and_pages_to_django(server: Server, agency: Agency) -> None:
    source, secret = create_source(agency=agency, provider="salesflow")

    stored = server.post(f"/webhooks/salesflow/{source.token}", b"{}", {"x-webhook-secret": secret or ""})

    assert stored.status == 200
    assert Receipt.objects.count() == 1
    assert server.send("GET", "/healthz").status == 200
    assert server.send("GET", "/webhooks/salesflow/nobody").status == 404


def test_half_sent_requests_to_pages_hold_no_thread(server: Server) -> None:
    half = [server.connect() for _ in range(40)]
    try:
        for client in half:
            client.sendall(request_bytes("POST", "/admin/login/", b"", {"Content-Length": "100"}) + b"half")
        time.sleep(0.2)
        answer = server.send("GET", "/healthz")
        assert answered(half) == []
    finally:
        for client in half:
            client.close()

    assert answer.status == 200


def test_nothing_more_is_made_for_who_went_away(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    from config import asgi

    closed = Event()

    class Endless:
        def __iter__(self) -> Iterator[bytes]:
            return repeat(b"x" * 10_000)

        def close(self) -> None:
            closed.set()

    def django(environ: Any, start_response: Any) -> Endless:
        start_response("200 OK", [("content-type", "text/plain")])
        return Endless()

    monkeypatch.setattr(asgi, "django", django)
    with server.connect() as client:
        client.sendall(request_bytes("GET", "/leads/export", b"", {}))
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    assert closed.wait(30)


def test_a_body_too_large_for_any_page_is_refused(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.ingest.http.DRAIN_TIMEOUT", 60)  # a loaded machine sends four megabytes slowly
    with server.connect() as client:
        client.sendall(request_bytes("POST", "/healthz", b"x" * (4 * 1024 * 1024), {}))
        assert read_answer(client).status == 413


@pytest.mark.once
@pytest.mark.parametrize("path", ["/healthz?q=%ff", "/healthz?q=\xff", "/healthz?%00", "/h%C3%A9?a[]=|"])
def test_strange_urls_are_no_server_error(server: Server, path: str) -> None:
    assert server.send("GET", path).status < 500


def test_headers_with_underscores_are_not_taken_for_those_with_dashes(server: Server) -> None:
    answer = server.send(
        "GET", "/accounts/login/", headers={"Host": "127.0.0.1", "X_Forwarded_Host": "evil.example.com"}
    )

    assert answer.status == 200
    assert server.send("GET", "/accounts/login/", headers={"Host": "evil.example.com"}).status == 400
