"""Handle webhooks that arrive in one packet without uvicorn's task for each request.

uvicorn calls Python for every header and gives every request a task that waits for its body, its row and the socket.
Most webhooks arrive in one packet and wait only for their row. Those are parsed and handed to ingest where they are
read, and answered as soon as the row is durable. All others take uvicorn's way to the same application, which the
lifespan state holds.
"""

import asyncio
from collections.abc import Iterable

from webhooks.ingest.app import STATE_KEY, IngestApp
from webhooks.ingest.connection import BoundedProtocol
from webhooks.ingest.fastpath.request import parse_request
from webhooks.ingest.http import STATUS_LINES, Header


class FastPathProtocol(BoundedProtocol):
    """Try the fast path for each packet. `cycle` is uvicorn's request object or a _FastPathCycle."""

    def data_received(self, data: bytes) -> None:
        if (
            self._is_incomplete
            or not (self.cycle is None or self.cycle.response_complete)
            or not self._try_fast_path(data)
        ):
            super().data_received(data)

    def _try_fast_path(self, data: bytes) -> bool:
        ingest: IngestApp | None = self.app_state.get(STATE_KEY)
        fast_request = parse_request(data) if ingest and not self.flow.write_paused else None
        if ingest is None or fast_request is None:
            return False
        cycle = _FastPathCycle(self)
        if not ingest.handle_synchronously(fast_request, self.client[0] if self.client else "", cycle.answer):
            return False
        self.cycle = cycle
        return True

    def response_sent(self) -> None:
        """Do what uvicorn does when a response is complete, without a new timer each time."""
        if self.pipeline or self._refusal is not None:
            return self.on_response_complete()
        self.server_state.total_requests += 1
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._start_keep_alive_timer(self.timeout_keep_alive)
        return None

    def timeout_keep_alive_handler(self) -> None:
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0 or not self.cycle.response_complete:
            self._start_keep_alive_timer(max(left, 1.0))
        else:
            super().timeout_keep_alive_handler()

    def _start_keep_alive_timer(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)


class _FastPathCycle:
    """Stand for a request on the fast path, with the attributes that uvicorn reads of a running one."""

    __slots__ = ("_protocol", "disconnected", "keep_alive", "response_complete")
    message_event = asyncio.Event()

    def __init__(self, protocol: FastPathProtocol) -> None:
        self._protocol = protocol
        self.disconnected = self.response_complete = False
        self.keep_alive = True

    def answer(self, status: int, headers: Iterable[Header], body: bytes) -> None:
        protocol = self._protocol
        if protocol.transport.is_closing():
            return
        lines = [b"%b: %b\r\n" % header for header in (*protocol.server_state.default_headers, *headers)]
        if not self.keep_alive:  # the server is stopping
            lines.append(b"connection: close\r\n")
        protocol.transport.write(b"".join([STATUS_LINES[status], *lines, b"\r\n", body]))
        self.response_complete = True
        if not self.keep_alive:
            protocol.transport.close()
        protocol.response_sent()
