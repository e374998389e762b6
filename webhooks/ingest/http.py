"""Read one HTTP request and send its response over ASGI: headers, a bounded body, JSON and problem details."""

import asyncio
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from webhooks.ingest.incomplete_bodies import NO_ROOM, IncompleteBodies
from webhooks.ingest.lingering import DRAIN_TIMEOUT, MAX_DRAIN_BYTES

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON_TYPE, PROBLEM_TYPE = b"application/json", b"application/problem+json"
STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}

PROCESS_TOKEN = secrets.token_hex(6)
REQUEST_NUMBERS = itertools.count(1)

TOO_SLOW = "body too slow"  # says why a task is cancelled


@dataclass(slots=True)
class BodyLimits:
    """Bound what clients may send. `incomplete` counts the bodies that arrive in several pieces."""

    max_bytes: int
    timeout: float  # seconds for a whole body
    incomplete: IncompleteBodies


WEBHOOK_LIMITS = BodyLimits(1024 * 1024, 10.0, IncompleteBodies(limit=64 * 1024 * 1024))


class Refusal(Exception):
    """End a request with a problem response. `detail` is for the caller; it names no secret and no source."""

    def __init__(self, status: int, detail: str, *, headers: Iterable[Header] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = tuple(headers)

    def problem_body(self, request_id: str) -> bytes:
        """Return the response's body, an RFC 9457 problem."""
        problem = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        return json.dumps(problem).encode()


class Disconnected(Exception):
    """Signal that the client disconnected before its body had arrived."""


class HTTPRequest:
    """Read a request and send its response. `answered` says whether a response was begun."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.peer: str = (scope["client"] or ("",))[0]
        self.headers = decode_headers(scope["headers"])
        self.request_id = new_request_id()
        self.answered = False
        self._receive = receive
        self._send = send
        self._unread = self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers

    async def read_body(self) -> bytes:
        """Return the whole body. Raises Refusal (408, 413, 503) or Disconnected."""
        declared = self.headers.get("content-length", "")
        if len(declared) > 6 and (
            len(declared) > 12 or not declared.isdecimal() or int(declared) > WEBHOOK_LIMITS.max_bytes
        ):
            raise _too_large(WEBHOOK_LIMITS)
        body = await read_body(self._receive, WEBHOOK_LIMITS)
        self._unread = False
        return body

    async def send_json(self, status: int, body: bytes) -> None:
        """Send a JSON response."""
        await self._respond(response_start(status, body, self.request_id), body)

    async def send_problem(self, refusal: Refusal) -> None:
        """Send an RFC 9457 problem."""
        body = refusal.problem_body(self.request_id)
        await self._respond(response_start(refusal.status, body, self.request_id, PROBLEM_TYPE, refusal.headers), body)

    async def _respond(self, start: Message, body: bytes) -> None:
        self.answered = True
        if self._unread:
            await respond_early(self._receive, self._send, start, body)
        else:
            await self._send(start)
            await self._send({"type": "http.response.body", "body": body})


async def read_body(receive: Receive, limits: BodyLimits, *, holds: bool = False) -> bytes:
    """Return the whole body. Raises Refusal (408, 413, 503) or Disconnected.

    With `holds` a body that came in pieces stays counted in `limits.incomplete`, and the caller releases it.
    """
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    # asyncio.timeout would take a tenth of the time of a request.
    timeout = asyncio.get_running_loop().call_later(limits.timeout, task.cancel, TOO_SLOW)
    is_whole = False
    try:
        body = await _read_pieces(receive, limits, task)
        is_whole = True
    except asyncio.CancelledError as error:
        if error.args not in {(TOO_SLOW,), (NO_ROOM,)}:
            raise
        task.uncancel()
        if error.args == (NO_ROOM,):
            raise no_room_refusal() from None
        raise Refusal(408, f"The body did not arrive within {limits.timeout:.0f} seconds.") from None
    finally:
        timeout.cancel()
        if not (holds and is_whole):
            limits.incomplete.release(task)
    return body


async def _read_pieces(receive: Receive, limits: BodyLimits, task: "asyncio.Task[Any]") -> bytes:
    message = await next_piece(receive)
    first: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if len(first) > limits.max_bytes:
            raise _too_large(limits)
        return first
    body = bytearray()
    try:
        while True:
            piece = message.get("body", b"")
            body += piece
            if len(body) > limits.max_bytes:
                raise _too_large(limits)
            if not limits.incomplete.add_bytes(task, len(piece)):
                raise no_room_refusal()
            if not message.get("more_body"):
                return bytes(body)
            message = await next_piece(receive)
    finally:
        body.clear()  # the traceback keeps a reference to it while a refusal is sent


async def next_piece(receive: Receive) -> Message:
    """Return the next message. Raises Disconnected, so that an incomplete body never counts as sent."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message


async def respond_early(receive: Receive, send: Send, start: Message, body: bytes) -> None:
    """Answer a request whose body has not fully arrived, and close the connection.

    Read and discard the rest of the body, up to MAX_DRAIN_BYTES and DRAIN_TIMEOUT, so that the client can read the
    response.
    """
    await send({**start, "headers": [*start["headers"], (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    left = MAX_DRAIN_BYTES
    try:
        async with asyncio.timeout(DRAIN_TIMEOUT):
            while left > 0:
                message = await receive()
                if not message.get("more_body"):
                    break
                left -= len(message.get("body", b""))
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})


def response_start(
    status: int, body: bytes, request_id: str, content_type: bytes = JSON_TYPE, headers: Iterable[Header] = ()
) -> Message:
    """Return the `http.response.start` message of a response with this body."""
    return {
        "type": "http.response.start",
        "status": status,
        "headers": response_headers(body, request_id, content_type, headers),
    }


def response_headers(
    body: bytes, request_id: str, content_type: bytes = JSON_TYPE, extra: Iterable[Header] = ()
) -> list[Header]:
    """Return the headers of a response with this body."""
    return [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *extra,
    ]


def new_request_id() -> str:
    return f"req_{PROCESS_TOKEN}{next(REQUEST_NUMBERS):08x}"


def decode_headers(raw: Collection[Header]) -> dict[str, str]:
    """Return the headers as text: lower-case names, bytes as latin-1, values of repeated headers joined by a comma."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        values: dict[str, list[str]] = {name: [] for name in headers}
        for name, value in raw:
            values[name.decode("latin-1")].append(value.decode("latin-1"))
        headers = {name: ", ".join(found) for name, found in values.items()}
    return headers


def no_room_refusal() -> Refusal:
    return Refusal(503, NO_ROOM, headers=[(b"retry-after", b"5")])


def _too_large(limits: BodyLimits) -> Refusal:
    return Refusal(413, f"The body is larger than {limits.max_bytes} bytes.")
