"""Lock a source so that one worker at a time processes its receipts, in the order of their sequence.

The lock ends with the process that holds it, so that a killed worker blocks nothing.
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
def lock_source(source: Source) -> Iterator[bool]:
    """Lock a source for the block. Yield False if another worker holds it. Not for use inside a transaction."""
    lock = _lock_on_postgresql if connection.vendor == "postgresql" else _lock_on_sqlite
    with lock(source) as is_locked:
        yield is_locked


@contextmanager
def _lock_on_postgresql(source: Source) -> Iterator[bool]:
    """Hold an advisory lock of the session."""
    key = int.from_bytes(hashlib.sha256(f"source {source.pk}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_locked = cursor.fetchone() == (True,)
    try:
        yield is_locked
    finally:
        if is_locked and connection.connection and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def _lock_on_sqlite(source: Source) -> Iterator[bool]:
    """Hold one lock file beside the database for all sources: SQLite has one writer, on one machine."""
    path = Path(f"{settings.DATABASES['default']['NAME']}.source-lock")
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
