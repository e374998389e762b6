"""Write batches to SQLite."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from webhooks.ingest.db import StorageDown, connection_with_timeouts
from webhooks.ingest.writers.base import COLUMN_DEFAULTS, TABLE, ReceiptRow, RowKey, Sequences, Writer

INSERT = f"""
INSERT INTO {TABLE} (source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at,
    {", ".join(COLUMN_DEFAULTS)})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in COLUMN_DEFAULTS)})
ON CONFLICT (source_id, dedupe_key) DO NOTHING
RETURNING sequence
"""  # noqa: S608

FIND_STORED = f"SELECT sequence FROM {TABLE} WHERE source_id = ? AND dedupe_key = ?"  # noqa: S608


class SqliteWriter(Writer):
    """Write each batch in one `BEGIN IMMEDIATE`, row by row: `executemany` would discard what RETURNING gives.

    A thread of its own runs the statements, because SQLite blocks.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "receipts")
        self._wrapper: BaseDatabaseWrapper | None = None

    async def _insert(self, rows: Mapping[RowKey, ReceiptRow]) -> Sequences:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._insert_blocking, rows)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_blocking)

    def _insert_blocking(self, rows: Mapping[RowKey, ReceiptRow]) -> Sequences:
        new: dict[RowKey, int] = {}
        known: dict[RowKey, int] = {}
        try:
            database = self._open()
            database.execute("BEGIN IMMEDIATE")
            try:
                for row in rows.values():
                    _insert_one(database, row, new, known)
                database.execute("COMMIT")
            except BaseException:
                database.rollback()
                raise
        except (DatabaseError, sqlite3.OperationalError) as error:
            self._close_blocking()
            raise StorageDown(f"{type(error).__name__}: {error}") from error
        return new, known

    def _open(self) -> Any:
        if self._wrapper is None:
            wrapper = connection_with_timeouts()
            wrapper.connect()
            self._wrapper = wrapper
        return self._wrapper.connection

    def _close_blocking(self) -> None:
        if self._wrapper is not None:
            self._wrapper.close()
            self._wrapper = None


def _insert_one(database: Any, row: ReceiptRow, new: dict[RowKey, int], known: dict[RowKey, int]) -> None:
    received_at = str(row.received_at.replace(tzinfo=None))  # Django's format: UTC without a zone
    values = (row.source_id, row.agency_id, row.provider, row.dedupe_key, json.dumps(row.headers), row.body)
    inserted = database.execute(INSERT, (*values, received_at, received_at, *COLUMN_DEFAULTS.values())).fetchall()
    if inserted:
        new[row.key] = inserted[0][0]
    else:
        known[row.key] = database.execute(FIND_STORED, row.key).fetchone()[0]
