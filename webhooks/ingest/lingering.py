"""Close refused connections gracefully: discard what the client still sends, so that it can read the refusal."""

import asyncio
from typing import Any

MAX_DRAIN_BYTES = 8 * 1024 * 1024
DRAIN_TIMEOUT = 5.0


class LingeringClose(asyncio.Protocol):
    """Take over a transport after the last response. Close it when the client has, or at the limit or time-out.

    Closing at once would make the kernel reset the connection for data that still arrives, and the client would lose
    the response.
    """

    def __init__(self, transport: asyncio.Transport, before: asyncio.Protocol, loop: Any) -> None:
        self._transport = transport
        self._before = before
        self._left = MAX_DRAIN_BYTES
        self._timer: asyncio.TimerHandle = loop.call_later(DRAIN_TIMEOUT, transport.abort)
        transport.set_protocol(self)
        transport.resume_reading()
        if transport.can_write_eof():
            transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._before.connection_lost(exc)
