"""Choose the web server's protocol class: with the fast path, or without it.

Both classes use private names of uvicorn. The names that only the fast path needs are checked once before the server
starts.
"""

import asyncio

import structlog
import uvicorn
from django.conf import settings
from uvicorn.server import ServerState

from webhooks.ingest.app import STATE_KEY, SendResponse
from webhooks.ingest.connection import BoundedProtocol
from webhooks.ingest.fastpath.protocol import FastPathProtocol
from webhooks.ingest.fastpath.request import FastPathRequest
from webhooks.ingest.http import Receive, Scope, Send

log = structlog.get_logger(__name__)

SAMPLE_REQUEST = b"POST /webhooks/trial/run HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
EXPECTED_RESPONSES = [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"]


def server_protocol() -> type[BoundedProtocol]:
    """Return the class with the fast path, unless INGEST_FAST_PATH is off or uvicorn lacks what the fast path needs."""
    if not settings.INGEST_FAST_PATH:
        return BoundedProtocol
    try:
        _check_fast_path()
    except Exception as error:
        log.warning(
            "The fast path of ingest is off: this version of uvicorn does not support it.",
            uvicorn=uvicorn.__version__,
            error=repr(error),
        )
        return BoundedProtocol
    return FastPathProtocol


def _check_fast_path() -> None:
    """Send two webhooks through the fast path, the second while the server stops. Raise an error if that fails."""
    loop = asyncio.new_event_loop()
    try:
        ingest, transport = _FakeIngest(), _FakeTransport()
        config = uvicorn.Config(_unused_app, ws="none", lifespan="off", log_config=None)
        protocol = FastPathProtocol(config, ServerState(), {STATE_KEY: ingest}, _loop=loop)
        protocol.connection_made(transport)
        protocol.data_received(SAMPLE_REQUEST)
        ingest.answer()
        protocol.timeout_keep_alive_handler()
        protocol.data_received(SAMPLE_REQUEST)
        protocol.shutdown()
        ingest.answer()
        protocol.connection_lost(None)
        if transport.written != EXPECTED_RESPONSES:
            raise RuntimeError("The fast path did not send the expected responses.")
    finally:
        loop.close()


class _FakeIngest:
    """Stand in for the ingest application: accept every request, and answer it with 200 when `answer` is called."""

    def handle_synchronously(self, fast_request: FastPathRequest, peer: str, send_response: SendResponse) -> bool:
        self._send_response = send_response
        return True

    def answer(self) -> None:
        self._send_response(200, (), b"")


class _FakeTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self._closing = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append(data)

    def close(self) -> None:
        self._closing = True

    def is_closing(self) -> bool:
        return self._closing


async def _unused_app(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand in for the application that uvicorn's configuration requires."""
