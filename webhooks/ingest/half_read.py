"""The bodies of which a part is here: what they may take together, and which of them makes room."""

import asyncio
from typing import Any

NO_ROOM = "Too many requests are arriving at once."


class HalfReadBodies:
    """Counts the bytes of bodies that still arrive. Over the limit the body that has been arriving longest is given up.

    Its task is cancelled with the message NO_ROOM: those who hold a body back take no room from those who send.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._arriving: dict[asyncio.Task[Any], int] = {}  # in the order of their beginnings

    def grow(self, task: asyncio.Task[Any], size: int) -> bool:
        """Count `size` more bytes of the task's body. Return False if it is the one to be given up."""
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

    def keep(self, task: asyncio.Task[Any]) -> int:
        """Never give the task's body up any more: it is complete. Return the size to hand to `discard` in the end."""
        return self._arriving.pop(task, 0)

    def discard(self, size: int) -> None:
        """Stop counting a body that was kept."""
        self.size -= size
