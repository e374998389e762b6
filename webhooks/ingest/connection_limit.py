"""Limit the connections of a web process. At the limit, evict the oldest idle ones of the address that has the most."""

import resource
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from django.conf import settings

NEW_CONNECTION_GRACE = 1.0  # seconds by which a new connection counts as younger than an answered one
OPEN_FILES_SHARE = 5 / 8  # of the process's open files; databases, logs and new connections need the rest


class Connection(Protocol):
    """Describe what the limit needs of a connection.

    `idle_since` is None while a request is being answered, else the time of the last activity.
    """

    @property
    def address(self) -> str: ...

    @property
    def idle_since(self) -> float | None: ...

    @property
    def is_closing(self) -> bool: ...

    def evict(self) -> None: ...


@lru_cache
def connection_limit() -> int:
    """Return MAX_CONNECTIONS, or less if the process's limit of open files allows less."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed: int = settings.MAX_CONNECTIONS
    return max(8, min(allowed, int(files * OPEN_FILES_SHARE)))


def evict_idle_connections(connections: Iterable[Connection], limit: int, now: float) -> None:
    """Close idle connections until `limit` are left, or until all that are left are being answered.

    A connection with half a head or half a body counts as idle. The oldest one of the address with the most connections
    goes first. A connection younger than NEW_CONNECTION_GRACE goes only if there are 25 % more than the limit.
    """
    open_ones = [connection for connection in connections if not connection.is_closing]
    excess = len(open_ones) - limit
    if excess <= 0:
        return
    count_by_address = Counter(connection.address for connection in open_ones)
    latest = now if len(open_ones) <= limit * 5 // 4 else now + NEW_CONNECTION_GRACE
    idle = [(since, it) for it in open_ones if (since := it.idle_since) is not None and since <= latest]
    for _ in range(min(excess, len(idle))):
        evicted = min(idle, key=lambda item: (-count_by_address[item[1].address], item[0]))
        idle.remove(evicted)
        count_by_address[evicted[1].address] -= 1
        evicted[1].evict()
