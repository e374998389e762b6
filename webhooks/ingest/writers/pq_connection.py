"""Prepared statements over one asynchronous PostgreSQL connection, straight on libpq.

psycopg's own `AsyncConnection` opens it; its cursors take three times as long over a statement as this does, because
they wait for the socket with a task and a timer of their own.
"""

import asyncio
from collections.abc import Mapping, Sequence

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format
from psycopg.pq.abc import PGresult

from webhooks.ingest.db import STATEMENT_SECONDS, impatient_connection

HANG_SECONDS = STATEMENT_SECONDS + 0.3  # after which a server that keeps no time-out of its own is given up


async def connect(statements: Mapping[str, str]) -> "Connection":
    """A connection with these statements prepared. Raises psycopg.OperationalError, within HANG_SECONDS."""
    try:
        async with asyncio.timeout(HANG_SECONDS):
            parameters = impatient_connection().get_connection_params()
            for of_django in ("context", "cursor_factory", "prepare_threshold"):
                parameters.pop(of_django, None)
            connection = Connection(await psycopg.AsyncConnection.connect(**parameters, autocommit=True))
            try:
                for name, sql in statements.items():
                    await connection.prepare(name, sql)
            except BaseException:
                connection.close()
                raise
    except TimeoutError:
        raise psycopg.OperationalError("The database does not let us in.") from None
    return connection


class Connection:
    """One statement at a time. A connection that fails is closed, also while it idles."""

    def __init__(self, connection: "psycopg.AsyncConnection[tuple[object, ...]]") -> None:
        self._connection = connection
        self._libpq = connection.pgconn
        self._socket = connection.pgconn.socket
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[PGresult] | None = None
        self._loop.add_reader(self._socket, self._read)
        self.closed = False

    async def prepare(self, name: str, sql: str) -> None:
        self._libpq.send_prepare(name.encode(), sql.encode())
        await self._wait(ExecStatus.COMMAND_OK)

    async def run(
        self, name: str, values: Sequence[bytes | None], binary: Sequence[bool] = ()
    ) -> list[tuple[bytes, ...]]:
        """The rows that a prepared statement gives, in binary form.

        Raises psycopg.OperationalError if the connection breaks or hangs; then nobody knows whether it was committed.
        """
        formats = [Format.BINARY if one else Format.TEXT for one in binary]
        self._libpq.send_query_prepared(name.encode(), values, formats or None, Format.BINARY)
        found = await self._wait(ExecStatus.TUPLES_OK)
        value, columns = found.get_value, range(found.nfields)
        return [tuple([value(row, column) or b"" for column in columns]) for row in range(found.ntuples)]

    def close(self) -> None:
        self._fail(psycopg.OperationalError("The connection was closed."))

    async def _wait(self, expected: ExecStatus) -> PGresult:
        self._answer = self._loop.create_future()
        hang = self._loop.call_later(HANG_SECONDS, self._fail, psycopg.OperationalError("The database hangs."))
        try:
            self._send()
            found = await self._answer
        finally:
            hang.cancel()
        if found.status == expected:
            return found
        error = error_from_result(found)
        if error.sqlstate is None:  # not the server's word but libpq's: the connection is gone
            raise psycopg.OperationalError(str(error))
        raise error

    def _send(self) -> None:
        """Give libpq's buffer to the socket, as much as it takes now and the rest when it takes more."""
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
        if self._answer is None or self._libpq.is_busy():
            return None
        found = None
        while (result := self._libpq.get_result()) is not None:
            found = result
        answer, self._answer = self._answer, None
        if found is not None and not answer.done():
            answer.set_result(found)
        return None

    def _fail(self, error: psycopg.OperationalError) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._libpq.finish()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
