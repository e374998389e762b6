"""One HTTP request and its answer over ASGI: headers, a body up to a limit, JSON and problem details out."""

import asyncio
import itertools
import json
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any, cast

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]

JSON, PROBLEM = b"application/json", b"application/problem+json"

PROCESS = secrets.token_hex(6)
NUMBERS = itertools.count(1)

BODY_LIMIT = 1024 * 1024
BODY_SECONDS = 10.0  # for a whole body to arrive
TOO_SLOW = f"The body did not arrive within {BODY_SECONDS:.0f} seconds."
DRAIN_LIMIT = 8 * 1024 * 1024
DRAIN_SECONDS = 5.0
HALF_READ_LIMIT = 64 * 1024 * 1024  # of all bodies that are still arriving


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


class HalfRead:
    """How many bytes of unfinished bodies this process holds."""

    size = 0


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
            return await self._rest(message)
        except asyncio.CancelledError as cancelled:
            if cancelled.args != (TOO_SLOW,):
                raise
            task.uncancel()
            raise Refusal(408, TOO_SLOW) from None
        finally:
            alarm.cancel()

    async def _rest(self, message: Message) -> bytes:
        body = bytearray()
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise Disconnected
                chunk = message.get("body", b"")
                HalfRead.size += len(chunk)
                body += chunk
                _check_size(body)
                if not message.get("more_body"):
                    self._unread = False
                    return bytes(body)
                if HalfRead.size > HALF_READ_LIMIT:
                    raise Refusal(503, "Too many requests are arriving at once.", headers=[(b"retry-after", b"5")])
                message = await self._receive()
        finally:
            HalfRead.size -= len(body)

    async def answer(self, status: int, body: bytes) -> None:
        """Send JSON."""
        self.answered = True
        await self._send(opening(status, body, self.request_id))
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, refusal: Refusal) -> None:
        """Send an RFC 9457 problem. A body still on its way is read and thrown away, so that the client can read it."""
        body = refusal.problem(self.request_id)
        headers = [*refusal.headers, (b"connection", b"close")] if self._unread else refusal.headers
        self.answered = True
        await self._send(opening(refusal.status, body, self.request_id, PROBLEM, headers))
        await self._send({"type": "http.response.body", "body": body, "more_body": self._unread})
        if self._unread:
            await self._drain()
            await self._send({"type": "http.response.body", "body": b""})

    async def _drain(self) -> None:
        left = DRAIN_LIMIT
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while left > 0:
                    message = await self._receive()
                    if not message.get("more_body"):
                        return
                    left -= len(message.get("body", b""))
        except TimeoutError:
            return


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
        for name in headers:
            headers[name] = ", ".join(value.decode("latin-1") for key, value in raw if key.decode("latin-1") == name)
    return headers


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > BODY_LIMIT:
        raise _too_large()


def _too_large() -> Refusal:
    return Refusal(413, f"The body is larger than {BODY_LIMIT} bytes.")
