"""HTTP as uvicorn speaks it, with a shorter way for webhooks that have arrived whole.

uvicorn gives every request a task, which the request then leaves again and again to wait: for its body, for its row,
for the socket. Most webhooks come in one packet and wait for nothing but their row. Those are handed to ingest where
they are read, and answered where the row is known to be durable. All others take uvicorn's way to the same ingest,
which makes itself known in the state of its lifespan.
"""

from functools import partial
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from webhooks.exchange import Message, Scope
from webhooks.ingest import STATE, Ingest


class Protocol(HttpToolsProtocol):
    _held: tuple[RequestResponseCycle, Any] | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Called when the headers are complete; what else has been read is known when `data_received` ends."""
        if cycle.scope["path"].startswith("/webhooks/"):
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._begin()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._begin()

    def _begin(self) -> None:
        if self._held is None:
            return
        (cycle, app), self._held = self._held, None
        ingest: Ingest | None = self.app_state.get(STATE)
        whole = not cycle.more_body and cycle.keep_alive and not cycle.waiting_for_100_continue
        scope = cast("Scope", cycle.scope)
        if not (ingest and whole and ingest.at_once(scope, bytes(cycle.body), partial(self._reply, cycle))):
            super()._start_asgi_task(cycle, app)

    def _reply(self, cycle: RequestResponseCycle, start: Message, body: bytes) -> None:
        if cycle.disconnected:
            return
        headers = [*cycle.default_headers, *start["headers"]]
        if not cycle.keep_alive:  # the server has begun to stop
            headers.append((b"connection", b"close"))
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[start["status"]], *lines, b"\r\n", body]))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
