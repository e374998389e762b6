"""Lanes: one worker at a time walks a source's receipts, so that they apply in the order of their sequence.

The lock dies with the process that holds it, whatever ends it: a lane is free again the moment its worker is killed.
"""

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

from accounts.models import Source


@contextmanager
def walking(source: Source) -> Iterator[bool]:
    """Hold a source's lane; False if somebody else does. Not inside a transaction."""
    walk = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    with walk(source) as mine:
        yield mine


@contextmanager
def _on_postgresql(source: Source) -> Iterator[bool]:
    """An advisory lock of the session."""
    key = int.from_bytes(hashlib.sha256(f"lane {source.pk}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        mine = cursor.fetchone() == (True,)
    try:
        yield mine
    finally:
        if mine and connection.connection and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _on_sqlite(source: Source) -> Iterator[bool]:
    """One lock beside the database file for all lanes: SQLite has one writer anyway, on one machine."""
    path = Path(f"{settings.DATABASES['default']['NAME']}.lane")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
