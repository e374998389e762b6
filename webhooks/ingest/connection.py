"""HTTP as uvicorn speaks it, with bounds on what a client may send, keep open and leave unfinished.

uvicorn and its parser bound nothing: a head of any length is kept, fields after the body (trailers) become headers, a
connection may stay silent for ever, and an answer of uvicorn's own cuts off who is still sending. Here a head has a
size, a number of fields and a time; a target has a length; a process has a number of connections; and every refusal
can be read.
"""

import asyncio
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from webhooks.ingest.connection_limit import NEWCOMER_SECONDS, connection_limit, make_room
from webhooks.ingest.http import PROBLEM, STATUS_LINES, Refusal, headers_of, new_request_id
from webhooks.ingest.lingering import LingeringClose

MAX_HEAD = 64 * 1024
MAX_FIELDS = 200
MAX_TARGET = 8 * 1024
HEAD_SECONDS = 10.0  # for a whole head to arrive; for the first byte of a connection's first one, too
MAX_PIPELINED = 64  # requests that a client may send before the first of them is answered
#: What a chunked body may need besides its bytes (sizes, extensions, trailers): so much, and so much for each byte.
MAX_FRAMING, MAX_FRAMING_PER_BYTE = 128 * 1024, 16


class BoundedProtocol(HttpToolsProtocol):
    cycle: Any  # the request that came last
    _half_read = False  # the parser waits for the rest of a request, or nothing more is parsed
    _in_head = False  # … for the rest of its head
    _begun = 0  # requests that began in the piece that is being parsed
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
        self._idle_since = self._head_began + NEWCOMER_SECONDS
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)
        if len(self.connections) > connection_limit():
            make_room(self.connections, connection_limit(), self.loop.time())  # type: ignore[arg-type]  # all are of this class

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_head_timer()
        super().connection_lost(exc)

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def idle_since(self) -> float | None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._half_read:
            return None if answering and self._in_head else self._head_began
        return None if answering else self._idle_since

    @property
    def closing(self) -> bool:
        return self.transport.is_closing()

    def give_up(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what came, of a head no more than it may have."""
        if self._refusal is not None:
            return
        self._unset_keepalive_if_required()
        while data and self._refusal is None:
            in_body = self._half_read and not self._in_head
            piece = data if in_body else data[: max(MAX_HEAD - self._head_size, 1)]
            self._parse(piece, in_body)
            data = data[len(piece) :]
        if self._refusal is None and not self.transport.is_closing():
            self._watch()

    def _parse(self, piece: bytes, in_body: bool) -> None:
        continued, self._begun, body_before = self._in_head, 0, self._body_size
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            pass  # no other protocol is spoken: the request is answered as one without the wish
        except httptools.HttpParserError as error:
            found = error.__context__
            return self._refuse(found if isinstance(found, Refusal) else Refusal(400, "This is no valid HTTP request."))
        if self._in_head:
            # Of a head that began somewhere in the piece the bytes are not known; its fields are counted.
            alone = self._begun == (0 if continued else 1) and not in_body
            self._head_size = self._head_size + len(piece) if alone else 0
            if self._head_size >= MAX_HEAD:
                self._refuse(_head_too_large())
        else:
            self._head_size = 0
            if in_body and self._half_read and self._chunked:
                self._framing += len(piece) - (self._body_size - body_before)
                if self._framing > MAX_FRAMING + MAX_FRAMING_PER_BYTE * self._body_size:
                    self._refuse(Refusal(400, "The chunks of the body are mostly framing."))
        return None

    # What the parser says.

    def on_message_begin(self) -> None:
        self._half_read = self._in_head = True
        self._begun += 1
        self._head_began = self.loop.time()
        self._fields_size = self._framing = self._body_size = 0
        self._chunked = False
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_TARGET:
            raise Refusal(414, f"The address has more than {MAX_TARGET} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. A field that comes after the body (a trailer) is none: nobody in front of us looked at it."""
        self._fields_size += len(name) + len(value) + 4
        if self._fields_size > MAX_HEAD or len(self.headers) >= MAX_FIELDS:
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
        self._half_read = False
        super().on_message_complete()

    # Refusals.

    def send_400_response(self, msg: str) -> None:
        self._refuse(Refusal(400, msg))

    def _refuse(self, refusal: Refusal) -> None:
        """Parse no more, answer what was asked before, then this, and close once the client could read it."""
        if self._refusal is not None or self.transport.is_closing():
            return
        self._refusal, self._half_read = refusal, True
        self._stop_head_timer()
        cycle, in_head, self._in_head = self.cycle, self._in_head, False
        if in_head or cycle is None or cycle.response_complete:  # the refused request has not reached the application
            waits = cycle is not None and not cycle.response_complete
        else:
            waits = bool(self.pipeline)
            cycle.disconnected = True
            cycle.message_event.set()
            if waits:
                self.pipeline.popleft()
            elif cycle.response_started:  # by a refusal of the application's
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
        body = refusal.problem(request_id)
        headers = headers_of(body, request_id, PROBLEM, (*refusal.headers, (b"connection", b"close")))
        lines = [b"%b: %b\r\n" % header for header in (*self.server_state.default_headers, *headers)]
        self.transport.write(b"".join([STATUS_LINES[refusal.status], *lines, b"\r\n", body]))
        LingeringClose(self.transport, self, self.loop)

    def on_response_complete(self) -> None:
        last = not self.pipeline
        self._idle_since = self.loop.time()
        super().on_response_complete()
        if last and self._refusal is not None:
            self._answer_refusal()

    # Time.

    def _watch(self) -> None:
        """See that somebody who stops here is not waited for without end."""
        if self._in_head:
            if self._head_timer is None:
                self._head_timer = self.loop.call_later(HEAD_SECONDS, self._head_is_late)
            return
        answered = self.cycle is not None and self.cycle.response_complete
        if answered and not self._half_read and self.timeout_keep_alive_task is None:  # only line breaks came
            left = self._idle_since + self.timeout_keep_alive - self.loop.time()
            self.timeout_keep_alive_task = self.loop.call_later(max(left, 0.0), self.timeout_keep_alive_handler)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self._in_head:
            left = self._head_began + HEAD_SECONDS - self.loop.time()
            if left > 0:
                self._head_timer = self.loop.call_later(left, self._head_is_late)
            else:
                self._refuse(Refusal(408, f"The head of the request did not arrive within {HEAD_SECONDS:.0f} seconds."))
        elif self.cycle is None and self._refusal is None:
            self.transport.close()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _head_too_large() -> Refusal:
    return Refusal(431, f"The head of the request has more than {MAX_HEAD} bytes or {MAX_FIELDS} fields.")
