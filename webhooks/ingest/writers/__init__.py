"""Receipt rows into the database, a batch at a time: one commit for all of them. Used by the journal only."""

from django.db import connections

from webhooks.ingest.writers.base import DEFAULTS, Kept, Row, Writer
from webhooks.ingest.writers.postgresql import PostgresWriter
from webhooks.ingest.writers.sqlite import SqliteWriter

__all__ = ["DEFAULTS", "Kept", "PostgresWriter", "Row", "SqliteWriter", "Writer", "new_writer"]


def new_writer() -> Writer:
    """The writer for the database that is configured. To be used in one event loop."""
    return PostgresWriter() if connections["default"].vendor == "postgresql" else SqliteWriter()
