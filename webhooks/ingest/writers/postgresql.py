"""Write batches to PostgreSQL on the event loop. A thread would compete with it for the interpreter lock."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import asyncpg

from webhooks.ingest.db import STATEMENT_TIMEOUT, StorageDown, connection_with_timeouts
from webhooks.ingest.writers.base import COLUMN_DEFAULTS, TABLE, ReceiptRow, RowKey, Sequences, Writer

RESPONSE_TIMEOUT = STATEMENT_TIMEOUT + 0.3  # seconds, for a server that ignores its own time-out

ROW_COLUMNS = "source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at"
COLUMNS = f"{ROW_COLUMNS}, {', '.join(COLUMN_DEFAULTS)}"
CONSTANTS = ", ".join(f"'{value}'" for value in COLUMN_DEFAULTS.values())
ON_CONFLICT = "ON CONFLICT (source_id, dedupe_key) DO NOTHING RETURNING sequence, source_id, dedupe_key"

# An array for each column. Sequences follow the order of arrival. Rows are inserted in the order of their keys, so that
# two processes with the same keys do not deadlock. The sequence's name is a subquery, so that the catalogue is read
# once for the batch, not for each row.
INSERT_MANY = f"""
INSERT INTO {TABLE} (sequence, {COLUMNS})
SELECT n, s, a, p, k, h, b, t, t, {CONSTANTS}
FROM (
    SELECT nextval((SELECT pg_get_serial_sequence('{TABLE}', 'sequence')::regclass)) AS n, r.*
    FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[], $5::jsonb[], $6::bytea[], $7::timestamptz[])
        AS r(s, a, p, k, h, b, t)
) AS arrived
ORDER BY s, k
{ON_CONFLICT}
"""  # noqa: S608 (own names only)

# Most rows are written alone: this statement needs no arrays.
INSERT_ONE = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, {CONSTANTS}) {ON_CONFLICT}"  # noqa: S608

FIND_STORED = f"""
SELECT sequence, source_id, dedupe_key
FROM {TABLE} JOIN unnest($1::text[], $2::bytea[]) AS r(s, k) ON source_id = s AND dedupe_key = k
"""  # noqa: S608

#: libpq's connection parameters that asyncpg knows too.
PARAMETERS = (
    *("host", "port", "user", "password", "passfile", "dbname", "options", "application_name", "target_session_attrs"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslpassword"),
)
#: Errors of the connection or of the database. An OSError is a time-out too.
FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class PostgresWriter(Writer):
    """Write each batch with one statement, and so in one transaction."""

    def __init__(self) -> None:
        self._connection: asyncpg.Connection | None = None

    async def _insert(self, rows: Mapping[RowKey, ReceiptRow]) -> Sequences:
        try:
            if self._connection is None or self._connection.is_closed():
                await self._connect()
            new = await self._insert_rows(list(rows.values()))
            missing = [key for key in rows if key not in new] if len(new) < len(rows) else []
            known = _sequences(await self._find.fetch(*_columns(missing))) if missing else {}
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
            raise  # the database refuses a row
        except FAILURES as error:
            self._abort_connection()
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        if len(new) + len(known) < len(rows):
            raise StorageDown("A duplicate was deleted before it could be read.")
        return new, known

    async def close(self) -> None:
        if self._connection is not None:
            with suppress(*FAILURES):
                await self._connection.close(timeout=RESPONSE_TIMEOUT)

    async def _connect(self) -> None:
        """Connect and prepare the statements. Raises TimeoutError unless that takes less than RESPONSE_TIMEOUT."""
        parameters = connection_with_timeouts().get_connection_params()
        known = {name: parameters[name] for name in PARAMETERS if parameters.get(name) is not None}
        async with asyncio.timeout(RESPONSE_TIMEOUT):
            connection = await asyncpg.connect(f"postgresql://?{urlencode(known)}", command_timeout=RESPONSE_TIMEOUT)
            self._connection = connection
            self._insert_one = await connection.prepare(INSERT_ONE)
            self._insert_many = await connection.prepare(INSERT_MANY)
            self._find = await connection.prepare(FIND_STORED)

    async def _insert_rows(self, rows: Sequence[ReceiptRow]) -> dict[RowKey, int]:
        values = [_values(row) for row in rows]
        if len(values) == 1:
            return _sequences(await self._insert_one.fetch(*values[0]))
        return _sequences(await self._insert_many.fetch(*_columns(values)))

    def _abort_connection(self) -> None:
        if self._connection is not None:
            self._connection.terminate()


def _values(row: ReceiptRow) -> tuple[Any, ...]:
    headers = json.dumps(row.headers)
    return row.source_id, row.agency_id, row.provider, row.dedupe_key, headers, row.body, row.received_at


def _columns(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    return zip(*rows, strict=True)


def _sequences(found: Iterable[asyncpg.Record]) -> dict[RowKey, int]:
    return {(source_id, key): sequence for sequence, source_id, key in found}
