"""Batches into PostgreSQL, on the event loop: a thread would fight it for the interpreter's lock at every step."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring_ascii

import psycopg

from webhooks.ingest.db import StorageDown
from webhooks.ingest.writers.base import DEFAULTS, TABLE, Key, Row, Sequences, Writer
from webhooks.ingest.writers.pq_connection import Connection, connect

COLUMNS = (
    f"source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at, {', '.join(DEFAULTS)}"
)
CONSTANTS = ", ".join(f"'{value}'" for value in DEFAULTS.values())
ONCE = "ON CONFLICT (source_id, dedupe_key) DO NOTHING RETURNING sequence, source_id, dedupe_key"

# One parameter for the whole batch: adapting arrays or long VALUES lists costs a third of the rate. Sequences follow
# arrival; rows go in by key, so that two processes with the same keys wait for each other in one order. The sequence's
# name is a subquery because it is looked up in the catalogue: once for the batch, not once for each row.
INSERT_MANY = f"""
INSERT INTO {TABLE} (sequence, {COLUMNS})
SELECT n, s, a, p, k::bytea, h, b::bytea, t, t, {CONSTANTS}
FROM (
    SELECT nextval((SELECT pg_get_serial_sequence('{TABLE}', 'sequence')::regclass)) AS n, r.*
    FROM jsonb_to_recordset($1::jsonb) AS r(s text, a text, p text, k text, h jsonb, b text, t timestamptz)
) AS arrived
ORDER BY s, k
{ONCE}
"""  # noqa: S608 (own names only)

# A row that comes alone, as most do, is spared the detour.
INSERT_ONE = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, {CONSTANTS}) {ONCE}"  # noqa: S608
INSERT_ONE_BINARY = (False, False, False, True, False, True, False)

FIND = f"""
SELECT sequence, source_id, dedupe_key
FROM {TABLE} JOIN jsonb_to_recordset($1::jsonb) AS r(s text, k text) ON source_id = s AND dedupe_key = k::bytea
"""  # noqa: S608

STATEMENTS = {"insert_many": INSERT_MANY, "insert_one": INSERT_ONE, "find": FIND}


class PostgresWriter(Writer):
    """One statement, and thereby one transaction, per batch."""

    def __init__(self) -> None:
        self._connection: Connection | None = None

    async def _insert(self, rows: Mapping[Key, Row]) -> Sequences:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = await connect(STATEMENTS)
            new = await _insert(self._connection, list(rows.values()))
            missing = [row for key, row in rows.items() if key not in new] if len(new) < len(rows) else []
            known = _sequences(await self._connection.run("find", [_as_json(missing)])) if missing else {}
        except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.InternalError) as error:
            await self.close()
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        if len(new) + len(known) < len(rows):
            raise StorageDown("A row that stood in the way was gone when it was looked for.")
        return new, known

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


async def _insert(connection: Connection, rows: Sequence[Row]) -> dict[Key, int]:
    if len(rows) > 1:
        return _sequences(await connection.run("insert_many", [_as_json(rows)]))
    (row,) = rows
    agency = None if row.agency_id is None else row.agency_id.encode()
    values = [row.source_id.encode(), agency, row.provider.encode(), row.dedupe_key]
    values += [json.dumps(row.headers).encode(), row.body, row.received_at.isoformat().encode()]
    return _sequences(await connection.run("insert_one", values, INSERT_ONE_BINARY))


def _sequences(found: Iterable[tuple[bytes, ...]]) -> dict[Key, int]:
    return {(source_id.decode(), key): int.from_bytes(sequence, "big") for sequence, source_id, key in found}


def _as_json(rows: Iterable[Row]) -> bytes:
    return f"[{','.join(map(_object, rows))}]".encode()


def _object(row: Row) -> str:
    """Written out by hand: `json.dumps` would look for what to escape in every digit of the body."""
    headers = ",".join([f"{_quoted(name)}:{encode_basestring_ascii(value)}" for name, value in row.headers.items()])
    return (
        f'{{"s":{_quoted(row.source_id)},"a":{_quoted(row.agency_id)},"p":{_quoted(row.provider)},'
        f'"k":"\\\\x{row.dedupe_key.hex()}","h":{{{headers}}},'
        f'"b":"\\\\x{row.body.hex()}","t":"{row.received_at.isoformat()}"}}'
    )


_quoted = lru_cache(maxsize=10_000)(json.dumps)  # ids and names, which are few
