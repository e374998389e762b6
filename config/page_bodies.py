"""Receive the bodies of requests for pages and the API: complete before a thread takes the request, and bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from webhooks.ingest.http import BodyLimits, Receive, read_body
from webhooks.ingest.incomplete_bodies import IncompleteBodies

#: Larger than Django's own limit, so that Django answers slightly larger bodies.
PAGE_LIMITS = BodyLimits(3 * 1024 * 1024, 30.0, IncompleteBodies(limit=32 * 1024 * 1024))


@asynccontextmanager
async def receive_body(receive: Receive) -> AsyncIterator[bytes]:
    """Yield the whole body, which counts as held until its request is answered. Raises Refusal (408, 413, 503) or
    Disconnected."""
    body = await read_body(receive, PAGE_LIMITS, holds=True)
    size = PAGE_LIMITS.incomplete.mark_complete(cast("asyncio.Task[Any]", asyncio.current_task()))
    try:
        yield body
    finally:
        PAGE_LIMITS.incomplete.release_complete(size)
