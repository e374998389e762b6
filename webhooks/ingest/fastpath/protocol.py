"""HTTP as uvicorn speaks it, with a shorter way for webhooks that come whole.

uvicorn tells every header to Python and gives every request a task, which the request then leaves again and again to
wait: for its body, for its row, for the socket. Most webhooks come in one packet and wait for nothing but their row.
Those are cut up and handed to ingest where they are read, and answered where the row is known to be durable. All others
take uvicorn's way to the same ingest, which makes itself known in the state of its lifespan.
"""

import asyncio
from collections.abc import Iterable

from webhooks.ingest.app import STATE, Ingest
from webhooks.ingest.connection import BoundedProtocol
from webhooks.ingest.fastpath.request import cut
from webhooks.ingest.http import STATUS_LINES, Header


class Protocol(BoundedProtocol):
    """`cycle` is uvicorn's request, or a _Taken."""

    def data_received(self, data: bytes) -> None:
        if self._half_read or not (self.cycle is None or self.cycle.response_complete) or not self._take(data):
            super().data_received(data)

    def _take(self, data: bytes) -> bool:
        ingest: Ingest | None = self.app_state.get(STATE)
        packet = cut(data) if ingest and not self.flow.write_paused else None
        if ingest is None or packet is None:
            return False
        taken = _Taken(self)
        if not ingest.at_once(packet, self.client[0] if self.client else "", taken.answer):
            return False
        self.cycle = taken
        return True

    def answered(self) -> None:
        """What uvicorn does when a response is complete, but for a new timer every time."""
        if self.pipeline or self._refusal is not None:
            return self.on_response_complete()
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._watch_idleness(self.timeout_keep_alive)
        return None

    def timeout_keep_alive_handler(self) -> None:
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0 or not self.cycle.response_complete:
            self._watch_idleness(max(left, 1.0))
        else:
            super().timeout_keep_alive_handler()

    def _watch_idleness(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)


class _Taken:
    """A request that ingest has, with what uvicorn asks of one that is under way."""

    __slots__ = ("_protocol", "disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol
        self.disconnected = self.response_complete = False
        self.keep_alive = True

    def answer(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        protocol = self._protocol
        if protocol.transport.is_closing():
            return
        lines = [b"%b: %b\r\n" % header for header in (*protocol.server_state.default_headers, *headers)]
        if not self.keep_alive:  # the server has begun to stop
            lines.append(b"connection: close\r\n")
        protocol.transport.write(b"".join([STATUS_LINES[status], *lines, b"\r\n", body]))
        self.response_complete = True
        if not self.keep_alive:
            protocol.transport.close()
        protocol.answered()
