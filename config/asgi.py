"""Serve `/webhooks/` and `lifespan` by ingest, everything else by Django.

Django runs as WSGI in a few permanent threads, because its own ASGI handler gives every view a thread and thereby a
database connection. A request gets a thread only once its body is complete, so that half-sent requests occupy none.
"""

import asyncio
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django: Any = get_wsgi_application()

from config.incoming import ReadableRequest  # noqa: E402
from config.page_bodies import receive_body  # noqa: E402
from webhooks.ingest.app import IngestApp  # noqa: E402 (needs Django's apps)
from webhooks.ingest.http import (  # noqa: E402
    PROBLEM_TYPE,
    Disconnected,
    Message,
    Receive,
    Refusal,
    Scope,
    Send,
    new_request_id,
    respond_early,
    response_start,
)

DJANGO_THREADS = 8
SEND_TIMEOUT = 30.0  # to send one piece of a response
CLIENT = "leadline.client"

ingest = IngestApp()
django.request_class = ReadableRequest


class _Client:
    """The client of a request. `gone` is set once the client disconnects or accepts no data for SEND_TIMEOUT."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send, self.gone = receive, send, False

    async def wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone = True

    async def send(self, message: Message) -> None:
        if self.gone:
            return
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self._send(message)
        except TimeoutError:
            self.gone = True


class _StoppableResponse:
    """A response of Django that stops once its client is gone, so that a long one does not occupy its thread."""

    def __init__(self, answer: Any, client: _Client) -> None:
        self._answer, self._client = answer, client

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._answer:
            if self._client.gone:
                return
            yield piece

    def close(self) -> None:
        self._answer.close()


def _wsgi(environ: dict[str, Any], start_response: Any) -> _StoppableResponse:
    return _StoppableResponse(django(environ, start_response), environ["asgi.scope"][CLIENT])


pages: Any = WSGIMiddleware(_wsgi, workers=DJANGO_THREADS)  # type: ignore[arg-type]  # its type of an environ


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"].startswith("/webhooks/")):
        await ingest(scope, receive, send)
    elif scope["type"] == "http":
        await _django(scope, receive, send)
    else:
        await send({"type": "websocket.close"})


async def _django(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        async with receive_body(scope, receive) as replayed:
            client = _Client(receive, send)
            listener = asyncio.create_task(client.wait_for_disconnect())
            try:
                await pages({**_sanitize(scope), CLIENT: client}, replayed, client.send)
            finally:
                listener.cancel()
    except Refusal as refusal:
        request_id = new_request_id()
        problem = refusal.problem_body(request_id)
        start = response_start(refusal.status, problem, request_id, PROBLEM_TYPE, refusal.headers)
        await respond_early(receive, send, start, problem)
    except Disconnected:
        return


def _sanitize(scope: Scope) -> Scope:
    """Drop headers with an underscore, which WSGI confuses with `-`, and make the query string ASCII."""
    return {
        **scope,
        "headers": [(name, value) for name, value in scope["headers"] if b"_" not in name],
        "query_string": quote(scope["query_string"], safe="".join(map(chr, range(33, 127)))).encode(),
    }
