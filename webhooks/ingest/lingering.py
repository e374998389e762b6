"""The end of a refused connection: what its client still sends is read and thrown away, so that it can read why."""

import asyncio
from typing import Any

DRAIN_LIMIT = 8 * 1024 * 1024
DRAIN_SECONDS = 5.0


class LingeringClose(asyncio.Protocol):
    """Takes a transport over after the last answer. Closes it when the client has, or at the limit or time-out.

    Closing at once would make the kernel answer what still comes with a reset, which takes the answer from the client.
    """

    def __init__(self, transport: asyncio.Transport, before: asyncio.Protocol, loop: Any) -> None:
        self._transport = transport
        self._before = before
        self._left = DRAIN_LIMIT
        self._timer: asyncio.TimerHandle = loop.call_later(DRAIN_SECONDS, transport.abort)
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
