"""One HTTP request and its answer over ASGI: headers, a body up to a limit, JSON and problem details out."""

import asyncio
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, cast

from webhooks.ingest.half_read import NO_ROOM, HalfReadBodies
from webhooks.ingest.lingering import DRAIN_LIMIT, DRAIN_SECONDS

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON, PROBLEM = b"application/json", b"application/problem+json"
STATUS_LINES = {status.value: b"HTTP/1.1 %d %b\r\n" % (status, status.phrase.encode()) for status in HTTPStatus}

PROCESS = secrets.token_hex(6)
NUMBERS = itertools.count(1)

BODY_LIMIT = 1024 * 1024
BODY_SECONDS = 10.0  # for a whole body to arrive
TOO_SLOW = f"The body did not arrive within {BODY_SECONDS:.0f} seconds."
#: Of webhooks. Bodies that come in one piece are not counted.
HALF_READ = HalfReadBodies(limit=64 * 1024 * 1024)


class Refusal(Exception):
    """The request ends here with a problem answer. `detail` is for the caller; it names no secret and no source."""

    def __init__(self, status: int, detail: str, *, headers: Iterable[Header] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = tuple(headers)

    def problem(self, request_id: str) -> bytes:
        """The body of the answer, an RFC 9457 problem."""
        problem = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        }
        return json.dumps(problem).encode()


class Disconnected(Exception):
    """The client went away before its body had arrived."""


class Exchange:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.peer: str = (scope["client"] or ("",))[0]
        self.headers = text_headers(scope["headers"])
        self.request_id = new_request_id()
        self.answered = False
        self._receive = receive
        self._send = send
        self._unread = self.headers.get("content-length", "0") != "0" or "transfer-encoding" in self.headers

    async def body(self) -> bytes:
        """The whole body. Raises Refusal (413, 408, 503) or Disconnected."""
        declared = self.headers.get("content-length", "")
        if len(declared) > 6 and (len(declared) > 12 or not declared.isdecimal() or int(declared) > BODY_LIMIT):
            raise _too_large()
        task = cast("asyncio.Task[None]", asyncio.current_task())
        # asyncio.timeout does the same at the price of a tenth of a request.
        alarm = asyncio.get_running_loop().call_later(BODY_SECONDS, task.cancel, TOO_SLOW)
        try:
            message = await self._receive()
            if not message.get("more_body") and message["type"] == "http.request":
                self._unread = False
                body: bytes = message.get("body", b"")
                _check_size(body)
                return body
            return await self._rest(message, task)
        except asyncio.CancelledError as cancelled:
            if cancelled.args not in {(TOO_SLOW,), (NO_ROOM,)}:
                raise
            task.uncancel()
            raise Refusal(408, TOO_SLOW) if cancelled.args == (TOO_SLOW,) else no_room() from None
        finally:
            alarm.cancel()

    async def _rest(self, message: Message, task: "asyncio.Task[None]") -> bytes:
        body = bytearray()
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                body += chunk
                _check_size(body)
                if not message.get("more_body"):
                    self._unread = False
                    return bytes(body)
                if not HALF_READ.grow(task, len(chunk)):
                    raise no_room()
                message = await self._receive()
        except BaseException:
            body.clear()  # the traceback keeps it while the refusal is sent
            raise
        finally:
            HALF_READ.release(task)

    async def answer(self, status: int, body: bytes) -> None:
        """Send JSON."""
        await self._respond(opening(status, body, self.request_id), body)

    async def refuse(self, refusal: Refusal) -> None:
        """Send an RFC 9457 problem."""
        body = refusal.problem(self.request_id)
        await self._respond(opening(refusal.status, body, self.request_id, PROBLEM, refusal.headers), body)

    async def _respond(self, start: Message, body: bytes) -> None:
        self.answered = True
        if self._unread:
            await respond_early(self._receive, self._send, start, body)
        else:
            await self._send(start)
            await self._send({"type": "http.response.body", "body": body})


async def respond_early(receive: Receive, send: Send, start: Message, body: bytes) -> None:
    """Answer a request whose body is still on its way, and close the connection.

    What comes is read and thrown away, within DRAIN_LIMIT and DRAIN_SECONDS, so that the client can read the answer.
    """
    await send({**start, "headers": [*start["headers"], (b"connection", b"close")]})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    left = DRAIN_LIMIT
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while left > 0:
                message = await receive()
                if not message.get("more_body"):
                    break
                left -= len(message.get("body", b""))
    except TimeoutError:
        pass
    await send({"type": "http.response.body", "body": b""})


def opening(status: int, body: bytes, request_id: str, kind: bytes = JSON, headers: Iterable[Header] = ()) -> Message:
    """The `http.response.start` of an answer with this body."""
    return {"type": "http.response.start", "status": status, "headers": headers_of(body, request_id, kind, headers)}


def headers_of(body: bytes, request_id: str, kind: bytes = JSON, more: Iterable[Header] = ()) -> list[Header]:
    """The headers of an answer with this body."""
    return [
        (b"content-type", kind),
        (b"content-length", b"%d" % len(body)),
        (b"x-request-id", request_id.encode()),
        *more,
    ]


def new_request_id() -> str:
    return f"req_{PROCESS}{next(NUMBERS):08x}"


def text_headers(raw: Collection[Header]) -> dict[str, str]:
    """Names, which ASGI gives in lower case; bytes as latin-1; a repeated header's values joined by a comma."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        values: dict[str, list[str]] = {name: [] for name in headers}
        for name, value in raw:
            values[name.decode("latin-1")].append(value.decode("latin-1"))
        headers = {name: ", ".join(found) for name, found in values.items()}
    return headers


def no_room() -> Refusal:
    return Refusal(503, NO_ROOM, headers=[(b"retry-after", b"5")])


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > BODY_LIMIT:
        raise _too_large()


def _too_large() -> Refusal:
    return Refusal(413, f"The body is larger than {BODY_LIMIT} bytes.")
