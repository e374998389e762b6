"""Requests that failed verification: how many one address may send, and what staff and agencies see of them."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Source
from webhooks.models import RejectedRequest
from webhooks.storage import DatabaseThreads

log = structlog.get_logger(__name__)

WINDOW = 60.0  # seconds that REJECT_RATE counts over
PAUSE = 0.9  # seconds between two writes: what was noted is visible within one second
MOST_ADDRESSES = 20_000
MOST_REASONS = 2_000  # source and reason pairs waiting to be written

UPSERT = f"""
INSERT INTO {RejectedRequest._meta.db_table} (source_id, reason, diagnosis, count, first_seen, last_seen)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (source_id, reason) DO UPDATE SET
    count = {RejectedRequest._meta.db_table}.count + excluded.count,
    diagnosis = excluded.diagnosis,
    last_seen = excluded.last_seen
"""  # noqa: S608 (the table's own name)


class RejectRate:
    """Counts the failed requests of an address at a source in windows of a minute, each begun by its first one."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}  # in the order of their beginnings

    def count(self, source_id: str, address: str, limit: int) -> int | None:
        """Count one more. None while `limit` is kept, else the seconds until the window ends."""
        now = self._clock()
        key = (source_id, address)
        began, failed = self._windows.get(key, (now, 0))
        if now - began >= WINDOW:
            del self._windows[key]
            began, failed = now, 0
        self._windows[key] = (began, failed + 1)
        self._forget(now)
        return None if failed < limit else max(1, round(began + WINDOW - now))

    def _forget(self, now: float) -> None:
        while self._windows:
            oldest = next(iter(self._windows))
            if len(self._windows) <= MOST_ADDRESSES and now - self._windows[oldest][0] < WINDOW:
                return
            del self._windows[oldest]


@dataclass(slots=True)
class _Tally:
    diagnosis: str
    count: int
    first_seen: datetime
    last_seen: datetime


class Rejections:
    """Adds rejected requests up in memory and writes them about once a second, one row per source and reason."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._waiting: dict[tuple[str, str], _Tally] = {}
        self._writer: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def note(self, source_id: str, reason: str, diagnosis: str) -> None:
        now = timezone.now()
        key = (source_id, _clean(reason, 64))
        tally = self._waiting.get(key)
        if tally is None:
            if len(self._waiting) >= MOST_REASONS:
                return
            tally = self._waiting[key] = _Tally("", 0, now, now)
        tally.count += 1
        tally.diagnosis = _clean(diagnosis, 500)
        tally.last_seen = now
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_while_any())

    async def flush(self) -> None:
        """Write what waits; keep it for the next time if the database does not take it."""
        async with self._writing:
            batch, self._waiting = self._waiting, {}
            if not batch:
                return
            try:
                await self._threads.run(_write, batch)
            except Exception as error:
                log.warning("Rejected requests could not be written yet.", error=type(error).__name__)
                self._take_back(batch)

    async def close(self) -> None:
        async with self._writing:
            if self._writer:
                self._writer.cancel()
        await self.flush()

    def _take_back(self, batch: "dict[tuple[str, str], _Tally]") -> None:
        for key, tally in batch.items():
            later = self._waiting.get(key)
            if later:
                tally.count += later.count
                tally.diagnosis, tally.last_seen = later.diagnosis, later.last_seen
            self._waiting[key] = tally

    async def _write_while_any(self) -> None:
        while self._waiting:
            await self.flush()
            await asyncio.sleep(PAUSE)


def _write(batch: dict[tuple[str, str], _Tally]) -> None:
    known = set(Source.objects.filter(pk__in={source_id for source_id, _ in batch}).values_list("pk", flat=True))
    adapt = connection.ops.adapt_datetimefield_value
    rows = [
        (source_id, reason, tally.diagnosis, tally.count, adapt(tally.first_seen), adapt(tally.last_seen))
        for (source_id, reason), tally in sorted(batch.items(), key=lambda item: item[0])
        if source_id in known
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(UPSERT, rows)


def _clean(text: str, length: int) -> str:
    """Text that every database takes and no log line breaks on."""
    return "".join(character if character.isprintable() else "�" for character in text[:length])
