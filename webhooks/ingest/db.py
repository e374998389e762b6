"""The database as ingest needs it: connections that fail within seconds rather than hang, off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")

STATEMENT_SECONDS = 1.2  # a provider waits at most 2 s for its answer
CONNECT_SECONDS = 2  # the least that libpq takes


class StorageDown(Exception):
    """The database did not take or give a row in time. The message is for logs, not for callers."""


def impatient_connection() -> BaseDatabaseWrapper:
    """A connection of its own to the default database, not open yet, that gives up after STATEMENT_SECONDS."""
    connection = connections.create_connection("default")
    options = dict(connection.settings_dict["OPTIONS"])
    if connection.vendor == "postgresql":
        milliseconds = int(STATEMENT_SECONDS * 1000)
        limits = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        options["options"] = f"{options.get('options', '')} {limits}".strip()
        options["connect_timeout"] = CONNECT_SECONDS
        options["tcp_user_timeout"] = CONNECT_SECONDS * 1000
    else:
        options["timeout"] = STATEMENT_SECONDS
    # No age: a connection lives as long as its thread, and is checked before use.
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": None}
    connection.inc_thread_sharing()
    return connection


class DatabaseThreads:
    """A few permanent threads, each with an impatient connection as its Django default, for use from an event loop."""

    def __init__(self, count: int, name: str) -> None:
        self._connections: list[BaseDatabaseWrapper] = []
        self._pool = ThreadPoolExecutor(count, name, initializer=self._enter)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Answer what the function answers. Cancelling the wait does not stop the function."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, _fresh, function, args, kwargs)

    def close(self) -> None:
        """Wait for what runs, then close the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def _enter(self) -> None:
        connection = impatient_connection()
        connections["default"] = connection
        self._connections.append(connection)


def _fresh(function: Callable[..., T], args: Any, kwargs: Any) -> T:
    close_old_connections()  # drops a connection that broke, has the living one checked
    return function(*args, **kwargs)
