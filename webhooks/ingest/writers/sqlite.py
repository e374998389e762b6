"""Batches into SQLite."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper

from webhooks.ingest.db import StorageDown, impatient_connection
from webhooks.ingest.writers.base import DEFAULTS, TABLE, Key, Row, Sequences, Writer

INSERT = f"""
INSERT INTO {TABLE} (source_id, agency_id, provider, dedupe_key, headers, body, received_at, next_attempt_at,
    {", ".join(DEFAULTS)})
VALUES (?, ?, ?, ?, ?, ?, ?, ?, {", ".join("?" for _ in DEFAULTS)})
ON CONFLICT (source_id, dedupe_key) DO NOTHING
RETURNING sequence
"""  # noqa: S608

FIND = f"SELECT sequence FROM {TABLE} WHERE source_id = ? AND dedupe_key = ?"  # noqa: S608


class SqliteWriter(Writer):
    """One `BEGIN IMMEDIATE` per batch, one statement per row: `executemany` would lose what RETURNING says.

    In a thread of its own, because SQLite blocks.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "journal")
        self._wrapper: BaseDatabaseWrapper | None = None

    async def _insert(self, rows: Mapping[Key, Row]) -> Sequences:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._insert_here, rows)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_here)

    def _insert_here(self, rows: Mapping[Key, Row]) -> Sequences:
        new: dict[Key, int] = {}
        known: dict[Key, int] = {}
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
    inserted = database.execute(INSERT, (*values, moment, moment, *DEFAULTS.values())).fetchall()
    if inserted:
        new[row.key] = inserted[0][0]
    else:
        known[row.key] = database.execute(FIND, row.key).fetchone()[0]
