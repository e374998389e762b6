"""Which protocol class the web server speaks: the one with the fast path, or the one without.

Both build on names of uvicorn's that uvicorn does not promise to keep. What the fast path needs of them beyond
`BoundedProtocol` is tried once, before the server starts.
"""

import asyncio

import structlog
import uvicorn
from django.conf import settings
from uvicorn.server import ServerState

from webhooks.ingest.app import STATE, Reply
from webhooks.ingest.connection import BoundedProtocol
from webhooks.ingest.fastpath.protocol import Protocol
from webhooks.ingest.fastpath.request import Packet
from webhooks.ingest.http import Receive, Scope, Send

log = structlog.get_logger(__name__)

WEBHOOK = b"POST /webhooks/trial/run HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
ANSWERS = [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"]


def server_protocol() -> type[BoundedProtocol]:
    """Return the class with the fast path, unless INGEST_FAST_PATH is off or the fast path does not fit uvicorn."""
    if not settings.INGEST_FAST_PATH:
        return BoundedProtocol
    try:
        _try_fast_path()
    except Exception as error:
        log.warning(
            "The fast path of ingest is off: it does not fit uvicorn.", uvicorn=uvicorn.__version__, error=repr(error)
        )
        return BoundedProtocol
    return Protocol


def _try_fast_path() -> None:
    """Let two webhooks through, the second while the server stops. Raises an error if uvicorn lacks what that takes."""
    loop = asyncio.new_event_loop()
    try:
        ingest, transport = _Ingest(), _Transport()
        config = uvicorn.Config(_unused, ws="none", lifespan="off", log_config=None)
        protocol = Protocol(config, ServerState(), {STATE: ingest}, _loop=loop)
        protocol.connection_made(transport)
        protocol.data_received(WEBHOOK)
        ingest.answer()
        protocol.timeout_keep_alive_handler()
        protocol.data_received(WEBHOOK)
        protocol.shutdown()
        ingest.answer()
        protocol.connection_lost(None)
        if transport.written != ANSWERS:
            raise RuntimeError("The answers are not those of the fast path.")
    finally:
        loop.close()


class _Ingest:
    """Stand in for the ingest application: accept every request, and answer it with 200 when `answer` is called."""

    def at_once(self, packet: Packet, peer: str, reply: Reply) -> bool:
        self._reply = reply
        return True

    def answer(self) -> None:
        self._reply(200, (), b"")


class _Transport(asyncio.Transport):
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


async def _unused(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand where uvicorn wants an application."""
