"""Erasures beside the database, so that a backup from before one does not bring the person back.

A line each in ERASURE_JOURNAL: the agency, the provider, a keyed hash of the id, until when. Every process replays it
when it starts (`leads.privacy.retention.replay`), and `purge` does. Hosts of one deployment share the file.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

BLOCK = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Line:
    agency_id: str
    provider: str
    digest: str
    erased_at: datetime


def append(lines: Iterable[Line]) -> None:
    """Write lines at the end, durably: in one piece, also while other processes and hosts do the same."""
    text = "".join(
        json.dumps([line.agency_id, line.provider, line.digest, line.erased_at.isoformat()]) + "\n" for line in lines
    )
    handle = os.open(_path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX)  # O_APPEND alone is not enough on a network's file system
        size = os.fstat(handle).st_size
        is_torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # a line that a full disk cut off
        os.write(handle, ("\n" * is_torn + text).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def lines() -> Iterator[Line]:
    for block in blocks():
        yield from block


def blocks() -> Iterator[list[Line]]:
    """All lines, some hundreds at a time, the newest first; one that was torn is left out."""
    try:
        file = _path().open("rb")
    except FileNotFoundError:
        return
    with file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - BLOCK)
            file.seek(start)
            rows = file.read(end - start)
            if start:  # in the middle of a line, which the next block has whole
                rest = rows.partition(b"\n")[2]
                start, rows = end - len(rest), rest
            yield [line for row in rows.splitlines() if (line := _read(row))]
            end = start


def _read(row: bytes) -> Line | None:
    try:
        agency_id, provider, digest, at = json.loads(row)
        return Line(agency_id, provider, digest, datetime.fromisoformat(at))
    except ValueError:
        return None


@contextmanager
def held() -> Iterator[None]:
    """One process at a time replays it."""
    with _path().with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _path() -> Path:
    path = Path(settings.ERASURE_JOURNAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
