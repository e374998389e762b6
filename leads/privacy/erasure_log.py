"""Log erasures in a file beside the database, so that a restored backup does not bring an erased lead back.

Each line of ERASURE_JOURNAL holds an agency, a provider, a keyed hash of the id, and the time of the erasure. Every
process replays the log when it starts (`leads.privacy.retention.replay_erasure_log`), and `purge` does. The hosts of
one deployment share the file.
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

BLOCK_SIZE = 1 << 16  # bytes


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of the log. `digest` is the keyed hash of the provider's id."""

    agency_id: str
    provider: str
    digest: str
    erased_at: datetime


def append_lines(read_lines: Iterable[Line]) -> None:
    """Append lines durably and in one piece, also while other processes and hosts append."""
    text = "".join(
        json.dumps([line.agency_id, line.provider, line.digest, line.erased_at.isoformat()]) + "\n"
        for line in read_lines
    )
    handle = os.open(_path(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX)  # O_APPEND is not atomic on a network file system
        size = os.fstat(handle).st_size
        is_torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # a full disk cut the last line off
        os.write(handle, ("\n" * is_torn + text).encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def read_lines() -> Iterator[Line]:
    for block in read_blocks():
        yield from block


def read_blocks() -> Iterator[list[Line]]:
    """Yield all lines in blocks of some hundred, the newest block first. Skip a line that was cut off."""
    try:
        file = _path().open("rb")
    except FileNotFoundError:
        return
    with file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(0, end - BLOCK_SIZE)
            file.seek(start)
            rows = file.read(end - start)
            if start:  # the block begins within a line, which the next block has in full
                remainder = rows.partition(b"\n")[2]
                start, rows = end - len(remainder), remainder
            yield [line for row in rows.splitlines() if (line := _parse_line(row))]
            end = start


def _parse_line(row: bytes) -> Line | None:
    try:
        agency_id, provider, digest, at = json.loads(row)
        return Line(agency_id, provider, digest, datetime.fromisoformat(at))
    except ValueError:
        return None


@contextmanager
def exclusive_lock() -> Iterator[None]:
    """Let one process at a time replay the log."""
    with _path().with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _path() -> Path:
    path = Path(settings.ERASURE_JOURNAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
