"""How many connections a web process holds. When it is full, the address with the most gives up its oldest idle one."""

import resource
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Protocol

from django.conf import settings

NEWCOMER_SECONDS = 1.0  # by which a new connection counts as younger than one that was answered
FILES_SHARE = 5 / 8  # of the files that the process may open; databases, logs and a burst of new connections need some


class Connection(Protocol):
    """What is asked of a connection. `idle_since`: None while its request is answered, else when it last was of use."""

    @property
    def address(self) -> str: ...

    @property
    def idle_since(self) -> float | None: ...

    @property
    def closing(self) -> bool: ...

    def give_up(self) -> None: ...


@lru_cache
def connection_limit() -> int:
    """Return MAX_CONNECTIONS, or what the process's limit of open files allows, if that is less."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed: int = settings.MAX_CONNECTIONS
    return max(8, min(allowed, int(files * FILES_SHARE)))


def make_room(connections: Iterable[Connection], limit: int, now: float) -> None:
    """Close idle connections until at most `limit` are left, or all that are left are being answered.

    Idle is also who has sent half a head or half a body. The oldest one of the address with the most connections goes
    first, so that others, and who has just come, stay. Who came within NEWCOMER_SECONDS goes only if there are
    a quarter more than the limit.
    """
    open_ones = [connection for connection in connections if not connection.closing]
    excess = len(open_ones) - limit
    if excess <= 0:
        return
    held = Counter(connection.address for connection in open_ones)
    latest = now if len(open_ones) <= limit * 5 // 4 else now + NEWCOMER_SECONDS
    idle = [(since, it) for it in open_ones if (since := it.idle_since) is not None and since <= latest]
    for _ in range(min(excess, len(idle))):
        victim = min(idle, key=lambda item: (-held[item[1].address], item[0]))
        idle.remove(victim)
        held[victim[1].address] -= 1
        victim[1].give_up()
