"""Fields that come after a chunked body are no headers: not for ingest, not for Django, in one packet or in two."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from accounts.models import Agency, Source
from accounts.sources.service import create_source
from tests.webhooks.ingest_server import Server, read_answer, serving
from webhooks.models import Receipt

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_backend]

SECRET = "the-secret-of-this-source-0001"
TRAILERS = {
    "x-forwarded-for": "198.51.100.7",
    "x-webhook-secret": SECRET,
    "content-encoding": "gzip",
    "x-forwarded-proto": "http",
    "x-forwarded-host": "evil.example.com",
    "authorization": "Bearer lk_live_0000",
    "cookie": "sessionid=0000",
    "host": "evil.example.com",
}


seen: list[dict[str, str]] = []


@csrf_exempt
def show_headers(request: HttpRequest) -> HttpResponse:
    seen.append({name.lower(): value for name, value in request.headers.items()})
    return HttpResponse("ok")


urlpatterns = [path("trailed", show_headers)]


@pytest.fixture
def server(transactional_db: None) -> Iterator[Server]:
    from config.asgi import application

    with serving(application) as server:
        yield server


def chunked(address: str, headers: dict[str, str], trailers: dict[str, str]) -> tuple[bytes, bytes]:
    """A request up to its last chunk, and its trailers."""
    head = {"Host": "127.0.0.1", "Transfer-Encoding": "chunked", "Trailer": ", ".join(trailers), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
    after = "".join(f"{name}: {value}\r\n" for name, value in trailers.items())
    return f"POST {address} HTTP/1.1\r\n{lines}\r\n2\r\n{{}}\r\n0\r\n".encode(), f"{after}\r\n".encode()


def send(server: Server, parts: tuple[bytes, bytes], segments: int) -> int:
    with server.connect() as client:
        if segments == 1:
            client.sendall(b"".join(parts))
        else:
            client.sendall(parts[0])
            time.sleep(0.1)  # on loopback a packet of its own
            client.sendall(parts[1])
        return read_answer(client).status


@pytest.fixture
def source(agency: Agency, settings: Any) -> Source:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    source = create_source(agency=agency, provider="salesflow", secret=SECRET)[0]
    source.allowed_networks = ["198.51.100.0/24"]
    source.save()
    return source


@pytest.mark.parametrize("segments", [1, 2])
def test_a_trailer_gives_no_other_address(server: Server, source: Source, segments: int) -> None:
    address = f"/webhooks/salesflow/{source.token}"
    headers = {"X-Forwarded-For": "203.0.113.9", "X-Webhook-Secret": SECRET}

    assert send(server, chunked(address, headers, {"X-Forwarded-For": "198.51.100.7"}), segments) == 404
    assert Receipt.objects.count() == 0


@pytest.mark.parametrize("segments", [1, 2])
def test_a_trailer_gives_no_secret(server: Server, source: Source, segments: int) -> None:
    address = f"/webhooks/salesflow/{source.token}"

    assert send(server, chunked(address, {"X-Forwarded-For": "198.51.100.7"}, TRAILERS), segments) == 401
    assert Receipt.objects.count() == 0


@pytest.mark.parametrize("segments", [1, 2])
def test_a_request_with_trailers_is_taken_for_what_its_head_says(server: Server, source: Source, segments: int) -> None:
    address = f"/webhooks/salesflow/{source.token}"
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Webhook-Secret": SECRET}

    assert send(server, chunked(address, headers, TRAILERS), segments) == 200
    assert bytes(Receipt.objects.get().body) == b"{}"


@pytest.mark.parametrize("segments", [1, 2])
def test_a_trailer_is_no_header_of_a_page(server: Server, settings: Any, segments: int) -> None:
    settings.ROOT_URLCONF = __name__
    seen.clear()

    status = send(server, chunked("/trailed", {"X-Kept": "yes"}, {**TRAILERS, "X-Added": "no"}), segments)

    assert status == 200
    (headers,) = seen
    assert headers["x-kept"] == "yes"
    assert headers["host"] == "127.0.0.1"
    assert "x-added" not in headers
    assert not ({"authorization", "cookie", "x-forwarded-for", "x-forwarded-host", "content-encoding"} & headers.keys())
