"""Connect ingest to the database: off the event loop, with connections that fail within seconds."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

P = ParamSpec("P")
T = TypeVar("T")

STATEMENT_TIMEOUT = 1.2  # seconds; a provider waits at most 2 s for its response
CONNECT_TIMEOUT = 2  # seconds, libpq's minimum


class StorageDown(Exception):
    """Signal that the database did not store or return a row in time. The message is for logs, not for callers."""


def connection_with_timeouts() -> BaseDatabaseWrapper:
    """Return a new, unopened connection to the default database that gives up after STATEMENT_TIMEOUT."""
    connection = connections.create_connection("default")
    options = dict(connection.settings_dict["OPTIONS"])
    if connection.vendor == "postgresql":
        milliseconds = int(STATEMENT_TIMEOUT * 1000)
        limits = f"-c statement_timeout={milliseconds} -c lock_timeout={milliseconds}"
        options["options"] = f"{options.get('options', '')} {limits}".strip()
        options["connect_timeout"] = CONNECT_TIMEOUT
        options["tcp_user_timeout"] = CONNECT_TIMEOUT * 1000
    else:
        options["timeout"] = STATEMENT_TIMEOUT
    # No maximum age: a connection lives as long as its thread and is checked before use.
    connection.settings_dict = {**connection.settings_dict, "OPTIONS": options, "CONN_MAX_AGE": None}
    connection.inc_thread_sharing()
    return connection


class DatabaseThreads:
    """Run functions in a few permanent threads, each with a database connection with timeouts as its default."""

    def __init__(self, count: int, name: str) -> None:
        self._connections: list[BaseDatabaseWrapper] = []
        self._pool = ThreadPoolExecutor(count, name, initializer=self._open_connection)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the function's result. Cancelling the wait does not stop the function."""
        return await asyncio.get_running_loop().run_in_executor(
            self._pool, _run_on_live_connection, function, args, kwargs
        )

    def close(self) -> None:
        """Wait for running functions, then close the connections."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for connection in self._connections:
            connection.close()

    def _open_connection(self) -> None:
        connection = connection_with_timeouts()
        connections["default"] = connection
        self._connections.append(connection)


def _run_on_live_connection(function: Callable[..., T], args: Any, kwargs: Any) -> T:
    close_old_connections()  # closes a broken connection and checks a living one
    return function(*args, **kwargs)
