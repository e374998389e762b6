"""Erasures beside the database, so that a backup from before one does not bring the person back.

A line each in ERASURE_JOURNAL: the agency, the provider, a keyed hash of the id, until when. `purge` replays it.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Line:
    agency_id: str
    provider: str
    digest: str
    erased_at: datetime


def note(agency_id: str, provider: str, digest: str, at: datetime) -> None:
    """Append a line, durably. A line is shorter than what the system writes at once, so lines do not mix."""
    path = Path(settings.ERASURE_JOURNAL)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps([agency_id, provider, digest, at.isoformat()]) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def lines() -> Iterator[Line]:
    """All of them, oldest first; a torn last line is left out."""
    try:
        text = Path(settings.ERASURE_JOURNAL).read_text()
    except FileNotFoundError:
        return
    for row in text.splitlines():
        try:
            agency_id, provider, digest, at = json.loads(row)
            yield Line(agency_id, provider, digest, datetime.fromisoformat(at))
        except ValueError:
            continue
