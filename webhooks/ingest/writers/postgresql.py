"""Write batches to PostgreSQL on the event loop. A thread would compete with it for the interpreter lock."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii

import psycopg

from webhooks.ingest.db import StorageDown
from webhooks.ingest.writers.base import COLUMN_DEFAULTS, TABLE, ReceiptRow, RowKey, Sequences, Writer
from webhooks.ingest.writers.pq_connection import Connection, connect

ROW_COLUMNS = "source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at"
COLUMNS = f"{ROW_COLUMNS}, {', '.join(COLUMN_DEFAULTS)}"
CONSTANTS = ", ".join(f"'{value}'" for value in COLUMN_DEFAULTS.values())
ON_CONFLICT = "ON CONFLICT (source_id, dedupe_key) DO NOTHING RETURNING sequence, source_id, dedupe_key"

# One parameter for the whole batch: adapting arrays or long VALUES lists costs a third of the rate. Sequences follow
# the order of arrival. Rows are inserted in the order of their keys, so that two processes with the same keys do not
# deadlock. The sequence's name is a subquery, so that the catalogue is read once for the batch, not for each row.
INSERT_MANY = f"""
INSERT INTO {TABLE} (sequence, {COLUMNS})
SELECT n, s, a, p, k::bytea, h, b::bytea, t, t, {CONSTANTS}
FROM (
    SELECT nextval((SELECT pg_get_serial_sequence('{TABLE}', 'sequence')::regclass)) AS n, r.*
    FROM jsonb_to_recordset($1::jsonb) AS r(s text, a text, p text, k text, h jsonb, b text, t timestamptz)
) AS arrived
ORDER BY s, k
{ON_CONFLICT}
"""  # noqa: S608 (own names only)

# Most rows are written alone: this statement needs no JSON.
INSERT_ONE = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, {CONSTANTS}) {ON_CONFLICT}"  # noqa: S608
INSERT_ONE_BINARY = (False, False, False, True, False, True, False)

FIND_STORED = f"""
SELECT sequence, source_id, dedupe_key
FROM {TABLE} JOIN jsonb_to_recordset($1::jsonb) AS r(s text, k text) ON source_id = s AND dedupe_key = k::bytea
"""  # noqa: S608

STATEMENTS = {"insert_many": INSERT_MANY, "insert_one": INSERT_ONE, "find": FIND_STORED}


class PostgresWriter(Writer):
    """Write each batch with one statement, and so in one transaction."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    async def _insert(self, rows: Mapping[RowKey, ReceiptRow]) -> Sequences:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = await connect(STATEMENTS)
            new = await _insert_rows(self._connection, list(rows.values()))
            missing = [row for key, row in rows.items() if key not in new] if len(new) < len(rows) else []
            known = _sequences(await self._connection.execute("find", [_rows_as_json(missing)])) if missing else {}
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
            await self.close()
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        if len(new) + len(known) < len(rows):
            raise StorageDown("A duplicate was deleted before it could be read.")
        return new, known

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


async def _insert_rows(connection: Connection, rows: Sequence[ReceiptRow]) -> dict[RowKey, int]:
    if len(rows) > 1:
        return _sequences(await connection.execute("insert_many", [_rows_as_json(rows)]))
    (row,) = rows
    agency = None if row.agency_id is None else row.agency_id.encode()
    values = [row.source_id.encode(), agency, row.provider.encode(), row.dedupe_key]
    values += [json.dumps(row.headers).encode(), row.body, row.received_at.isoformat().encode()]
    return _sequences(await connection.execute("insert_one", values, INSERT_ONE_BINARY))


def _sequences(found: Iterable[tuple[bytes, ...]]) -> dict[RowKey, int]:
    return {(source_id.decode(), key): int.from_bytes(sequence, "big") for sequence, source_id, key in found}


def _rows_as_json(rows: Iterable[ReceiptRow]) -> bytes:
    return f"[{','.join(map(_row_as_json, rows))}]".encode()


def _row_as_json(row: ReceiptRow) -> str:
    """Write a row as JSON by hand: `json.dumps` would examine every character of the body."""
    headers = ",".join([f"{_quoted(name)}:{encode_basestring_ascii(value)}" for name, value in row.headers.items()])
    return (
        f'{{"s":{_quoted(row.source_id)},"a":{_quoted(row.agency_id)},"p":{_quoted(row.provider)},'
        f'"k":"\\\\x{row.dedupe_key.hex()}","h":{{{headers}}},'
        f'"b":"\\\\x{row.body.hex()}","t":"{row.received_at.isoformat()}"}}'
    )


_quoted = lru_cache(maxsize=10_000)(json.dumps)  # few distinct ids and names
