"""Bound uvicorn's HTTP protocol in what a client may send, keep open and leave unfinished.

uvicorn and its parser accept a head of any length, turn fields after the body (trailers) into headers, wait without end
on a silent connection, and cut a client off that still sends when they answer. Here heads are bounded in size, number
of fields and time, targets in length, and connections in number, and the client can read every refusal.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webhooks.ingest.connection_limit import NEW_CONNECTION_GRACE, connection_limit, evict_idle_connections
from webhooks.ingest.http import PROBLEM_TYPE, STATUS_LINES, Refusal, new_request_id, response_headers
from webhooks.ingest.lingering import LingeringClose

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADER_FIELDS = 200
MAX_TARGET_BYTES = 8 * 1024
HEAD_TIMEOUT = 10.0  # seconds for a whole head, or for the first byte on a new connection
MAX_PIPELINED = 64  # requests before the first of them is answered
#: Allowed overhead of a chunked body (sizes, extensions, trailers): a constant, and a factor of the body's bytes.
MAX_FRAMING_BYTES, MAX_FRAMING_PER_BYTE = 128 * 1024, 16


class BoundedProtocol(HttpToolsProtocol):
    """Speak HTTP as uvicorn does, with bounds. Instances implement `connection_limit.Connection`."""

    cycle: Any  # uvicorn's object for the latest request
    _is_incomplete = False  # the parser waits for the rest of a request, or has stopped
    _in_head = False  # the parser waits for the rest of a head
    _begun_requests = 0  # requests that began in the current piece
    _head_size = 0  # bytes of the unfinished head
    _fields_size = 0
    _framing = _body_size = 0
    _chunked = False
    _head_began = _idle_since = 0.0
    _head_timer: asyncio.TimerHandle | None = None
    _refusal: Refusal | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_began = self.loop.time()
        self._idle_since = self._head_began + NEW_CONNECTION_GRACE
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self._on_head_timeout)
        if len(self.connections) > connection_limit():
            evict_idle_connections(self.connections, connection_limit(), self.loop.time())  # type: ignore[arg-type]  # all are of this class

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def idle_since(self) -> float | None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._is_incomplete:
            return None if answering and self._in_head else self._head_began
        return None if answering else self._idle_since

    @property
    def is_closing(self) -> bool:
        return self.transport.is_closing()

    def evict(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse received data, a head in pieces of at most its remaining allowance."""
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        while data and self._refusal is None:
            in_body = self._is_incomplete and not self._in_head
            piece = data if in_body else data[: max(MAX_HEAD_BYTES - self._head_size, 1)]
            self._parse(piece, in_body)
            data = data[len(piece) :]
        if self._refusal is None and not self.transport.is_closing():
            self._start_timers()

    def _parse(self, piece: bytes, in_body: bool) -> None:
        continued, self._begun_requests, body_before = self._in_head, 0, self._body_size
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is spoken: the upgrade is ignored
        except httptools.HttpParserError as error:
            found = error.__context__
            return self._refuse(found if isinstance(found, Refusal) else Refusal(400, "This is no valid HTTP request."))
        if self._in_head:
            # The size of a head that began within the piece is unknown; only its fields are counted.
            alone = self._begun_requests == (0 if continued else 1) and not in_body
            self._head_size = self._head_size + len(piece) if alone else 0
            if self._head_size >= MAX_HEAD_BYTES:
                self._refuse(_head_too_large())
        else:
            self._head_size = 0
            if in_body and self._is_incomplete and self._chunked:
                self._framing += len(piece) - (self._body_size - body_before)
                if self._framing > MAX_FRAMING_BYTES + MAX_FRAMING_PER_BYTE * self._body_size:
                    self._refuse(Refusal(400, "The chunks of the body are mostly framing."))
        return None

    # Callbacks of the parser.

    def on_message_begin(self) -> None:
        self._is_incomplete = self._in_head = True
        self._begun_requests += 1
        self._head_began = self.loop.time()
        self._fields_size = self._framing = self._body_size = 0
        self._chunked = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_TARGET_BYTES:
            raise Refusal(414, f"The address has more than {MAX_TARGET_BYTES} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header. Ignore a field after the body (a trailer): no proxy in front of us checked it."""
        self._fields_size += len(name) + len(value) + 4
        if self._fields_size > MAX_HEAD_BYTES or len(self.headers) >= MAX_HEADER_FIELDS:
            raise _head_too_large()
        if not self._in_head:
            return
        if len(name) == 17 and name.lower() == b"transfer-encoding":
            self._chunked = True
            if value.strip().lower() != b"chunked":
                raise Refusal(400, "The only Transfer-Encoding that is read is chunked.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self._chunked and self.parser.get_http_version() == "1.0":
            raise Refusal(400, "HTTP/1.0 has no Transfer-Encoding.")
        if len(self.pipeline) >= MAX_PIPELINED:
            raise Refusal(503, f"More than {MAX_PIPELINED} requests were sent before an answer.")
        super().on_headers_complete()
        self._in_head = False
        self._stop_head_timer()

    def on_body(self, body: bytes) -> None:
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._is_incomplete = False
        super().on_message_complete()

    # Refusals.

    def send_400_response(self, msg: str) -> None:
        self._refuse(Refusal(400, msg))

    def _refuse(self, refusal: Refusal) -> None:
        """Stop parsing, answer the earlier requests, send the refusal, and close once the client could read it."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._refusal, self._is_incomplete = refusal, True
        self._stop_head_timer()
        cycle, in_head, self._in_head = self.cycle, self._in_head, False
        if in_head or cycle is None or cycle.response_complete:  # the application has not seen the refused request
            waits = cycle is not None and not cycle.response_complete
        else:
            waits = bool(self.pipeline)
            cycle.disconnected = True
            cycle.message_event.set()
            if waits:
                self.pipeline.popleft()
            elif cycle.response_started:  # the application sent a refusal of its own
                LingeringClose(self.transport, self, self.loop)
                return
        if waits:
            self.flow.pause_reading()
        else:
            self._answer_refusal()

    def _answer_refusal(self) -> None:
        refusal = self._refusal
        if refusal is None or self.transport.is_closing():
            return
        request_id = new_request_id()
        body = refusal.problem_body(request_id)
        headers = response_headers(body, request_id, PROBLEM_TYPE, (*refusal.headers, (b"connection", b"close")))
        lines = [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *headers)]
        self.transport.write(b"".join([STATUS_LINES[refusal.status], *lines, b"\r\n", body]))
        LingeringClose(self.transport, self, self.loop)

    def on_response_complete(self) -> None:
        last = not self.pipeline
        self._idle_since = self.loop.time()
        super().on_response_complete()
        if last and self._refusal is not None:
            self._answer_refusal()

    # Timers.

    def _start_timers(self) -> None:
        """Start the timer that ends the wait for a client that stops sending."""
        if self._in_head:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_TIMEOUT, self._on_head_timeout)
            return
        answered = self.cycle is not None and self.cycle.response_complete
        if (
            answered and not self._is_incomplete and self.timeout_keep_alive_task is None
        ):  # the client sent only line breaks
            left = self._idle_since + self.timeout_keep_alive - self.loop.time()
            self.timeout_keep_alive_task = self.loop.call_later(max(left, 0.0), self.timeout_keep_alive_handler)

    def _on_head_timeout(self) -> None:
        self._head_timer = None
        if self._in_head:
            left = self._head_began + HEAD_TIMEOUT - self.loop.time()
            if left > 0:
                self._head_timer = self.loop.call_later(left, self._on_head_timeout)
            else:
                self._refuse(Refusal(408, f"The head of the request did not arrive within {HEAD_TIMEOUT:.0f} seconds."))
        elif self.cycle is None and self._refusal is None:
            self.transport.close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _head_too_large() -> Refusal:
    return Refusal(431, f"The head of the request has more than {MAX_HEAD_BYTES} bytes or {MAX_HEADER_FIELDS} fields.")
