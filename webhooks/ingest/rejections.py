"""Requests that failed verification: how many one address may send, and what staff and agencies see of them.

A sample of them goes to the signature doctor: off the event loop, at most EXAMINED at a time, and of one source and
reason at most one in EXAMINE_PAUSE seconds.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Source
from webhooks.diagnostics.known_mistakes import Sample, diagnose
from webhooks.ingest.db import DatabaseThreads
from webhooks.models import RejectedRequest

log = structlog.get_logger(__name__)

WINDOW = 60.0  # seconds that REJECT_RATE counts over
PAUSE = 0.9  # seconds between two writes: what was noted is visible within one second
MAX_ADDRESSES = 20_000
MAX_REASONS = 2_000  # source and reason pairs waiting to be written
EXAMINED = 2  # samples in one write
EXAMINE_PAUSE = 3.0  # seconds
FINDING_LASTS = timedelta(hours=1)  # before a request that tells nothing takes its place

_TABLE = RejectedRequest._meta.db_table
UPSERT = f"""
INSERT INTO {_TABLE} (source_id, reason, diagnosis, diagnosed_at, count, first_seen, last_seen)
VALUES (%s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (source_id, reason) DO UPDATE SET
    count = {_TABLE}.count + excluded.count,
    diagnosis = CASE WHEN excluded.diagnosed_at IS NULL AND {_TABLE}.diagnosed_at > %s
        THEN {_TABLE}.diagnosis ELSE excluded.diagnosis END,
    diagnosed_at = CASE WHEN excluded.diagnosed_at IS NULL AND {_TABLE}.diagnosed_at > %s
        THEN {_TABLE}.diagnosed_at ELSE excluded.diagnosed_at END,
    last_seen = CASE WHEN excluded.last_seen > {_TABLE}.last_seen
        THEN excluded.last_seen ELSE {_TABLE}.last_seen END
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

    def exceeded(self, source_id: str, address: str, limit: int) -> int | None:
        """Return the seconds until the address may fail at the source again; None while it keeps the limit."""
        now = self._clock()
        began, failed = self._windows.get((source_id, address), (now, 0))
        return max(1, round(began + WINDOW - now)) if failed >= limit and now - began < WINDOW else None

    def _forget(self, now: float) -> None:
        while self._windows:
            oldest = next(iter(self._windows))
            if len(self._windows) <= MAX_ADDRESSES and now - self._windows[oldest][0] < WINDOW:
                return
            del self._windows[oldest]


@dataclass(slots=True)
class _Tally:
    diagnosis: str
    count: int
    first_seen: datetime
    last_seen: datetime
    diagnosed_at: datetime | None = None


class Rejections:
    """Adds rejected requests up in memory and writes them about once a second, one row per source and reason."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._waiting: dict[tuple[str, str], _Tally] = {}
        self._samples: dict[tuple[str, str], Sample] = {}
        self._examined: dict[tuple[str, str], float] = {}  # when last, in the order of it
        self._writer: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def note(self, source_id: str, reason: str, diagnosis: str, sample: Sample | None = None) -> None:
        """Count one more; `sample` is for the doctor, who sees some."""
        now = timezone.now()
        key = (source_id, _clean(reason, 64))
        tally = self._waiting.get(key)
        if tally is None:
            if len(self._waiting) >= MAX_REASONS:
                return
            tally = self._waiting[key] = _Tally("", 0, now, now)
        tally.count += 1
        tally.diagnosis = _clean(diagnosis, 500)
        tally.last_seen = now
        room = key in self._samples or len(self._samples) < EXAMINED
        if sample is not None and room and random.random() * tally.count < 1:  # noqa: S311 (which of many is seen)
            self._samples[key] = sample
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_while_any())

    async def flush(self) -> None:
        """Write what waits; keep it for the next time if the database does not take it."""
        async with self._writing:
            batch, self._waiting = self._waiting, {}
            samples = self._due_samples()
            if not batch and not samples:
                return
            try:
                await self._threads.run(_write, batch, samples)
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
                tally.diagnosed_at = later.diagnosed_at
            self._waiting[key] = tally

    def _due_samples(self) -> dict[tuple[str, str], Sample]:
        now = monotonic()
        while self._examined and now - next(iter(self._examined.values())) >= EXAMINE_PAUSE:
            del self._examined[next(iter(self._examined))]
        due = {key: self._samples.pop(key) for key in list(self._samples) if key not in self._examined}
        self._examined |= dict.fromkeys(due, now)
        return due

    async def _write_while_any(self) -> None:
        while self._waiting or self._samples:
            await self.flush()
            await asyncio.sleep(PAUSE)


def _write(batch: dict[tuple[str, str], _Tally], samples: dict[tuple[str, str], Sample]) -> None:
    """Write the counts first: the doctor takes longer, and may fail."""
    _save(batch)
    found = {}
    for key, sample in samples.items():
        try:
            diagnosis, certain = diagnose(key[0], sample)
        except Exception as error:
            log.warning("A refused request could not be examined.", error=type(error).__name__)
            continue
        at = sample.request.received_at
        found[key] = _Tally(_clean(diagnosis, 1000), 0, at, at, timezone.now() if certain else None)
    _save(found)


def _save(batch: dict[tuple[str, str], _Tally]) -> None:
    if not batch:
        return
    known = set(Source.objects.filter(pk__in={source_id for source_id, _ in batch}).values_list("pk", flat=True))
    adapt = connection.ops.adapt_datetimefield_value
    forgotten = adapt(timezone.now() - FINDING_LASTS)
    rows = [
        (
            *(source_id, reason, tally.diagnosis, tally.diagnosed_at and adapt(tally.diagnosed_at), tally.count),
            *(adapt(tally.first_seen), adapt(tally.last_seen), forgotten, forgotten),
        )
        for (source_id, reason), tally in sorted(batch.items(), key=lambda item: item[0])
        if source_id in known
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(UPSERT, rows)


def _clean(text: str, length: int) -> str:
    """Text that every database takes and no log line breaks on."""
    return "".join(character if character.isprintable() else "�" for character in text[:length])
