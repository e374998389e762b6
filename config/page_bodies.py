"""Receive the bodies of requests for pages and the API: complete before a thread takes the request, and bounded.

A body is held in memory, but that of an upload, which may be much larger, in a temporary file.
"""

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import IO, Any, cast

from webhooks.ingest.http import BodyLimits, Message, Receive, Refusal, Scope, next_piece, no_room_refusal, read_body
from webhooks.ingest.incomplete_bodies import IncompleteBodies

#: Larger than Django's own limit, so that Django answers slightly larger bodies.
PAGE_LIMITS = BodyLimits(3 * 1024 * 1024, 30.0, IncompleteBodies(limit=32 * 1024 * 1024))
#: The forms with a file of up to 20 MB.
UPLOAD_PATHS = re.compile(r"/imports/new|/target-lists/(new|[0-9A-Za-z_]+/change)")
MAX_UPLOAD_BYTES = 21 * 1024 * 1024
UPLOAD_TIMEOUT = 120.0
#: Uploads that may be under way at once.
MAX_UPLOADS = 8
_PIECE = 64 * 1024
_uploads = asyncio.BoundedSemaphore(MAX_UPLOADS)


class ReplayedBody:
    """Receive the pieces of a complete body again, then the server's messages."""

    def __init__(self, pieces: Iterator[bytes], receive: Receive) -> None:
        self._pieces, self._receive = pieces, receive
        self._next: bytes | None = next(pieces, b"")

    async def __call__(self) -> Message:
        if self._next is None:
            return await self._receive()
        piece, self._next = self._next, next(self._pieces, None)
        return {"type": "http.request", "body": piece, "more_body": self._next is not None}


@asynccontextmanager
async def receive_body(scope: Scope, receive: Receive) -> AsyncIterator[Receive]:
    """Yield a `receive` for the whole body. Raises Refusal (408, 413, 503) or Disconnected."""
    if scope["method"] == "POST" and UPLOAD_PATHS.fullmatch(scope["path"]):
        async with _uploaded(receive) as file:
            yield ReplayedBody(iter(lambda: file.read(_PIECE), b""), receive)
        return
    body = await read_body(receive, PAGE_LIMITS, holds=True)
    size = PAGE_LIMITS.incomplete.mark_complete(cast("asyncio.Task[Any]", asyncio.current_task()))
    try:
        yield ReplayedBody(iter([body]), receive)
    finally:
        PAGE_LIMITS.incomplete.release_complete(size)


@asynccontextmanager
async def _uploaded(receive: Receive) -> AsyncIterator[IO[bytes]]:
    """Yield the whole body in a file, which is deleted afterwards."""
    if _uploads.locked():
        raise no_room_refusal()
    async with _uploads:
        with tempfile.TemporaryFile() as file:
            try:
                async with asyncio.timeout(UPLOAD_TIMEOUT):
                    await _write_pieces(receive, file)
            except TimeoutError:
                raise Refusal(408, f"The body did not arrive within {UPLOAD_TIMEOUT:.0f} seconds.") from None
            file.seek(0)
            yield file


async def _write_pieces(receive: Receive, file: IO[bytes]) -> None:
    size, more = 0, True
    while more:
        message = await next_piece(receive)
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > MAX_UPLOAD_BYTES:
            raise Refusal(413, f"The body is larger than {MAX_UPLOAD_BYTES} bytes.")
        file.write(piece)
        more = bool(message.get("more_body"))
