"""Write receipt rows to the database in batches, one commit for each. Only group commit uses this package."""

from django.db import connections

from webhooks.ingest.writers.base import COLUMN_DEFAULTS, ReceiptRow, StoredReceipt, Writer
from webhooks.ingest.writers.sqlite import SqliteWriter

__all__ = ["COLUMN_DEFAULTS", "ReceiptRow", "SqliteWriter", "StoredReceipt", "Writer", "new_writer"]


def new_writer() -> Writer:
    """Return the writer for the configured database, for use in one event loop."""
    if connections["default"].vendor != "postgresql":
        return SqliteWriter()
    from webhooks.ingest.writers.postgresql import PostgresWriter  # asyncpg takes 5 MB, which SQLite does not need

    return PostgresWriter()
