"""Receipt rows into the database, a batch at a time: one commit for all of them. Used by the journal only."""

import asyncio
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from webhooks.models import Receipt, ReceiptStatus
from webhooks.storage import STATEMENT_SECONDS, StorageDown, impatient_connection

TABLE = Receipt._meta.db_table
HANG_SECONDS = STATEMENT_SECONDS + 0.3  # after which a database that keeps no time-out of its own is given up
Key = tuple[str, bytes]
Sequences = tuple[dict[Key, int], dict[Key, int]]


@dataclass(slots=True)
class Row:
    """A verified request on its way into `Receipt`. Equal source and key are the same delivery."""

    source_id: str
    agency_id: str | None
    provider: str
    dedupe_key: bytes
    headers: dict[str, str]
    body: bytes
    received_at: datetime

    @property
    def key(self) -> Key:
        return (self.source_id, self.dedupe_key)


class Kept(NamedTuple):
    """A row is durable under `sequence`; `duplicate`: an earlier request's row is."""

    sequence: int
    duplicate: bool


class Writer(ABC):
    """Writes batches over a connection of its own, which it opens again after a failure."""

    async def write(self, rows: Sequence[Row]) -> list[Kept]:
        """Commit the rows, equal ones folded, and answer for each.

        Raises StorageDown if the database cannot take rows now, any other error if it does not take one of these. A
        commit whose answer was lost may have happened: to write the same rows again is safe, and finds them.
        """
        unique = {row.key: row for row in reversed(rows)}  # the first of equal ones stays
        new, known = await self._insert([unique[key] for key in dict.fromkeys(row.key for row in rows)])
        kept = []
        for row in rows:
            sequence = new.pop(row.key, None)
            if sequence is not None:
                known[row.key] = sequence
            kept.append(Kept(known[row.key], duplicate=sequence is None))
        return kept

    @abstractmethod
    async def _insert(self, rows: Sequence[Row]) -> Sequences:
        """Sequences of the rows that are new, and of those that were there."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection; the next write opens another."""


def new_writer() -> Writer:
    return PostgresWriter() if connections["default"].vendor == "postgresql" else SqliteWriter()


#: What every new receipt starts with; the other columns come from the row.
DEFAULTS: dict[str, Any] = {
    "status": ReceiptStatus.RECEIVED.value,
    "event_type": "",
    "correlation": "",
    "account_id": "",
    "lead_id": "",
    "reason": "",
    "error": "",
    "attempts": 0,
}

# One parameter for the whole batch: adapting arrays or long VALUES lists costs a third of the rate. Sequences follow
# arrival; rows go in by key, so that two processes with the same keys wait for each other in one order.
POSTGRES_INSERT = f"""
INSERT INTO {TABLE} (sequence, source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at,
    {", ".join(DEFAULTS)})
SELECT n, s, a, p, k::bytea, h, b::bytea, t, t,
    {", ".join(f"'{value}'" for value in DEFAULTS.values())}
FROM (
    SELECT nextval('{{sequence}}') AS n, r.*
    FROM jsonb_to_recordset(%s::jsonb) AS r(s text, a text, p text, k text, h jsonb, b text, t timestamptz)
) AS arrived
ORDER BY s, k
ON CONFLICT (source_id, dedupe_key) DO NOTHING
RETURNING sequence, source_id, dedupe_key
"""  # noqa: S608 (own names only)

POSTGRES_FIND = f"""
SELECT sequence, source_id, dedupe_key
FROM {TABLE} JOIN jsonb_to_recordset(%s::jsonb) AS r(s text, k text) ON source_id = s AND dedupe_key = k::bytea
""".encode()  # noqa: S608


class PostgresWriter(Writer):
    """One statement, and thereby one transaction, per batch, on the event loop: a thread would fight it for the GIL."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._insert_sql = b""

    async def _insert(self, rows: Sequence[Row]) -> Sequences:
        attempt = asyncio.create_task(self._attempt(rows))
        await asyncio.wait({attempt}, timeout=HANG_SECONDS)
        if not attempt.done():
            attempt.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
            await self.close()
            attempt.cancel()
            raise StorageDown("The database hangs.")
        try:
            return attempt.result()
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
            await self.close()
            raise StorageDown(f"{type(error).__name__}: {error}") from error

    async def _attempt(self, rows: Sequence[Row]) -> Sequences:
        connection = await self._open()
        new = await _run(connection, self._insert_sql, rows)
        missing = [row for row in rows if row.key not in new]
        known = await _run(connection, POSTGRES_FIND, missing) if missing else {}
        if len(new) + len(known) < len(rows):
            raise StorageDown("A row that stood in the way was gone when it was looked for.")
        return new, known

    async def _open(self) -> psycopg.AsyncConnection[Any]:
        if self._connection is None or self._connection.closed:
            parameters = impatient_connection().get_connection_params()
            for of_django in ("context", "cursor_factory", "prepare_threshold"):
                parameters.pop(of_django, None)
            connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
            found = await connection.execute("SELECT pg_get_serial_sequence(%s, 'sequence')", [TABLE])
            self._insert_sql = POSTGRES_INSERT.format(sequence=(await found.fetchone() or [""])[0]).encode()
            self._connection = connection
        return self._connection

    async def close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


SQLITE_INSERT = f"""
INSERT INTO {TABLE} (source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at,
    {", ".join(DEFAULTS)})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in DEFAULTS)})
ON CONFLICT (source_id, dedupe_key) DO NOTHING
RETURNING sequence
"""  # noqa: S608

SQLITE_FIND = f"SELECT sequence FROM {TABLE} WHERE source_id = ? AND dedupe_key = ?"  # noqa: S608


class SqliteWriter(Writer):
    """One `BEGIN IMMEDIATE` per batch, one statement per row: `executemany` would lose what RETURNING says.

    In a thread of its own, because SQLite blocks.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "journal")
        self._wrapper: BaseDatabaseWrapper | None = None

    async def _insert(self, rows: Sequence[Row]) -> Sequences:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._insert_here, rows)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_here)

    def _insert_here(self, rows: Sequence[Row]) -> Sequences:
        new: dict[Key, int] = {}
        known: dict[Key, int] = {}
        try:
            database = self._open()
            database.execute("BEGIN IMMEDIATE")
            try:
                for row in rows:
                    _insert_one(database, row, new, known)
                database.execute("COMMIT")
            except BaseException:
                database.rollback()
                raise
        except (DatabaseError, sqlite3.OperationalError) as error:
            self._close_here()
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        return new, known

    def _open(self) -> Any:
        if self._wrapper is None:
            wrapper = impatient_connection()
            wrapper.connect()
            self._wrapper = wrapper
        return self._wrapper.connection

    def _close_here(self) -> None:
        if self._wrapper is not None:
            self._wrapper.close()
            self._wrapper = None


def _insert_one(database: Any, row: Row, new: dict[Key, int], known: dict[Key, int]) -> None:
    moment = str(row.received_at.replace(tzinfo=None))  # as Django keeps it: UTC, no zone
    values = (row.source_id, row.agency_id, row.provider, row.dedupe_key, json.dumps(row.headers), row.body)
    inserted = database.execute(SQLITE_INSERT, (*values, moment, moment, *DEFAULTS.values())).fetchall()
    if inserted:
        new[row.key] = inserted[0][0]
    else:
        known[row.key] = database.execute(SQLITE_FIND, row.key).fetchone()[0]


async def _run(connection: psycopg.AsyncConnection[Any], sql: bytes, rows: Iterable[Row]) -> dict[Key, int]:
    cursor = await connection.execute(sql, [f"[{','.join(map(_as_json, rows))}]"], prepare=True)
    return {(source_id, key): sequence for sequence, source_id, key in await cursor.fetchall()}


def _as_json(row: Row) -> str:
    """Written out by hand: `json.dumps` would look for what to escape in every digit of the body."""
    return (
        f'{{"s":{_quoted(row.source_id)},"a":{_quoted(row.agency_id)},"p":{_quoted(row.provider)},'
        f'"k":"\\\\x{row.dedupe_key.hex()}","h":{json.dumps(row.headers)},'
        f'"b":"\\\\x{row.body.hex()}","t":"{row.received_at.isoformat()}"}}'
    )


_quoted = lru_cache(maxsize=10_000)(json.dumps)
