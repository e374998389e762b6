"""Receive the bodies of requests for pages and the API: complete before a thread takes the request, and bounded.

`webhooks/ingest/http.py` receives the bodies of webhooks.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from webhooks.ingest.http import Disconnected, Message, Receive, Refusal, no_room_refusal
from webhooks.ingest.incomplete_bodies import NO_ROOM, IncompleteBodies

BODY_LIMIT = 3 * 1024 * 1024  # above Django's own limit, so that Django answers slightly larger bodies
BODY_SECONDS = 30.0
#: Bodies that arrive in several pieces, until their requests are answered.
HELD_BODIES = IncompleteBodies(limit=32 * 1024 * 1024)


@asynccontextmanager
async def receive_body(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the whole body, counted as held until the block ends. Raises Refusal (408, 413, 503) or Disconnected."""
    task = cast("asyncio.Task[Any]", asyncio.current_task())
    size = 0
    try:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(receive, task)
        except TimeoutError:
            raise Refusal(408, f"The body did not arrive within {BODY_SECONDS:.0f} seconds.") from None
        except asyncio.CancelledError as cancelled:
            if cancelled.args != (NO_ROOM,):
                raise
            task.uncancel()
            raise no_room_refusal() from None
        size = HELD_BODIES.mark_complete(task)
        yield body
    finally:
        HELD_BODIES.release(task)
        HELD_BODIES.release_complete(size)


async def _read(receive: Receive, task: asyncio.Task[Any]) -> bytes:
    message = await _next(receive)
    if not message.get("more_body"):
        _check_size(message.get("body", b""))
        return bytes(message.get("body", b""))
    body = bytearray()
    try:
        while True:
            body += message.get("body", b"")
            _check_size(body)
            if not HELD_BODIES.add_bytes(task, len(message.get("body", b""))):
                raise no_room_refusal()
            if not message.get("more_body"):
                return bytes(body)
            message = await _next(receive)
    finally:
        body.clear()  # the traceback keeps a reference to it while a refusal is sent


async def _next(receive: Receive) -> Message:
    """Return the next message. Raises Disconnected, so that an incomplete form never counts as sent."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Disconnected
    return message


def _check_size(body: bytes | bytearray) -> None:
    if len(body) > BODY_LIMIT:
        raise Refusal(413, f"The body is larger than {BODY_LIMIT} bytes.")
