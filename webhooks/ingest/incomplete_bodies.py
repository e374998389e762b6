"""Bound the memory that incomplete request bodies take together."""

import asyncio
from typing import Any

NO_ROOM = "Too many requests are arriving at once."


class IncompleteBodies:
    """Count the bytes of bodies that still arrive. Over the limit, give up the body that began first.

    The task of that body is cancelled with the message NO_ROOM, so that a client that holds a body back takes no room
    from others.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._arriving: dict[asyncio.Task[Any], int] = {}  # in the order in which the bodies began

    def add_bytes(self, task: asyncio.Task[Any], size: int) -> bool:
        """Count `size` more bytes of the task's body. Return False if that body is given up."""
        self.size += size
        self._arriving[task] = self._arriving.get(task, 0) + size
        while self.size > self.limit and self._arriving:
            oldest = next(iter(self._arriving))
            self.release(oldest)
            if oldest is task:
                return False
            oldest.cancel(NO_ROOM)
        return True

    def release(self, task: asyncio.Task[Any]) -> None:
        """Stop counting the task's body."""
        self.size -= self._arriving.pop(task, 0)

    def mark_complete(self, task: asyncio.Task[Any]) -> int:
        """Protect the task's complete body from being given up. Return its size for `release_complete`."""
        return self._arriving.pop(task, 0)

    def release_complete(self, size: int) -> None:
        """Stop counting a complete body."""
        self.size -= size
