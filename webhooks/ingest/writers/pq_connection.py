"""Execute prepared statements over one asynchronous PostgreSQL connection, directly on libpq.

psycopg's `AsyncConnection` opens the connection. Its cursors take three times as long for a statement, because they
wait for the socket with a task and a timer of their own.
"""

import asyncio
from collections.abc import Mapping, Sequence

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from webhooks.ingest.db import STATEMENT_TIMEOUT, connection_with_timeouts

RESPONSE_TIMEOUT = STATEMENT_TIMEOUT + 0.3  # seconds, for a server that ignores its own time-out


async def connect(statements: Mapping[str, str]) -> "Connection":
    """Return a connection with these statements prepared. Raises psycopg.OperationalError within RESPONSE_TIMEOUT."""
    try:
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            parameters = connection_with_timeouts().get_connection_params()
            for option in ("context", "cursor_factory", "prepare_threshold"):
                parameters.pop(option, None)
            connection = Connection(await psycopg.AsyncConnection.connect(**parameters, autocommit=True))
            try:
                for name, sql in statements.items():
                    await connection.prepare(name, sql)
            except BaseException:
                connection.close()
                raise
    except TimeoutError:
        raise psycopg.OperationalError("The database did not accept a connection in time.") from None
    return connection


class Connection:
    """Execute one statement at a time. A connection that fails is closed, also while it is idle."""

    def __init__(self, connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._socket = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._pending_result: asyncio.Future[PGresult] | None = None
        self._loop.add_reader(self._socket, self._read)
        self.closed = False

    async def prepare(self, name: str, sql: str) -> None:
        self._libpq.send_prepare(name.encode(), sql.encode())
        await self._wait_for_result(ExecStatus.COMMAND_OK)

    async def execute(
        self, name: str, values: Sequence[bytes | None], binary: Sequence[bool] = ()
    ) -> list[tuple[bytes, ...]]:
        """Return the rows of a prepared statement, in binary form.

        Raises psycopg.OperationalError if the connection breaks or hangs. It is then unknown whether the statement was
        committed.
        """
        formats = [Format.BINARY if one else Format.TEXT for one in binary]
        self._libpq.send_query_prepared(name.encode(), values, formats or None, Format.BINARY)
        found = await self._wait_for_result(ExecStatus.TUPLES_OK)
        value, columns = found.get_value, range(found.nfields)
        return [tuple([value(row, column) or b"" for column in columns]) for row in range(found.ntuples)]

    def close(self) -> None:
        self._fail(psycopg.OperationalError("The connection was closed."))

    async def _wait_for_result(self, expected: ExecStatus) -> PGresult:
        self._pending_result = self._loop.create_future()
        timeout = self._loop.call_later(RESPONSE_TIMEOUT, self._fail, psycopg.OperationalError("The database hangs."))
        try:
            self._send()
            found = await self._pending_result
        finally:
            timeout.cancel()
        if found.status == expected:
            return found
        error = error_from_result(found)
        if error.sqlstate is None:  # libpq's error, not the server's: the connection is lost
            raise psycopg.OperationalError(str(error))
        raise error

    def _send(self) -> None:
        """Write libpq's buffer to the socket, and the rest once the socket accepts more."""
        try:
            self._loop.remove_writer(self._socket)
            if self._libpq.flush():
                self._loop.add_writer(self._socket, self._send)
        except psycopg.OperationalError as error:
            self._fail(error)

    def _read(self) -> None:
        try:
            self._libpq.consume_input()
        except psycopg.OperationalError as error:
            return self._fail(error)
        if self._pending_result is None or self._libpq.is_busy():
            return None
        found = None
        while (result := self._libpq.get_result()) is not None:
            found = result
        pending_result, self._pending_result = self._pending_result, None
        if found is not None and not pending_result.done():
            pending_result.set_result(found)
        return None

    def _fail(self, error: psycopg.OperationalError) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._libpq.finish()
        if self._pending_result is not None and not self._pending_result.done():
            self._pending_result.set_exception(error)
