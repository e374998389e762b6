"""Count requests that failed verification, limit them by address, and show them to staff and agencies.

The signature doctor examines samples off the event loop: at most MAX_SAMPLES in one write, and at most one for a source
and reason in SAMPLE_INTERVAL seconds.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts.core.sentences import stored
from accounts.models import Source
from webhooks.diagnostics.known_mistakes import RefusedSample, diagnose_refusal
from webhooks.ingest.db import DatabaseThreads
from webhooks.ingest.latency import UPSERT_REJECTED, tally_start
from webhooks.models import RejectedRequest

log = structlog.get_logger(__name__)

WINDOW_SECONDS = 60.0  # window of REJECT_RATE
WRITE_INTERVAL = 0.9  # seconds between two writes, so that a rejection is visible within one second
MAX_ADDRESSES = 20_000
MAX_REASONS = 2_000  # pairs of source and reason that wait to be written
MAX_SAMPLES = 2  # samples in one write
SAMPLE_INTERVAL = 3.0  # seconds
DIAGNOSIS_LIFETIME = timedelta(hours=1)  # after which an uncertain diagnosis replaces a certain one

_TABLE = RejectedRequest._meta.db_table
UPSERT = f"""
INSERT INTO {_TABLE} (source_id, reason, diagnosis, diagnosis_sentence, diagnosed_at, count, first_seen, last_seen)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (source_id, reason) DO UPDATE SET
    count = {_TABLE}.count + excluded.count,
    diagnosis = CASE WHEN excluded.diagnosed_at IS NULL AND {_TABLE}.diagnosed_at > %s
        THEN {_TABLE}.diagnosis ELSE excluded.diagnosis END,
    diagnosis_sentence = CASE WHEN excluded.diagnosed_at IS NULL AND {_TABLE}.diagnosed_at > %s
        THEN {_TABLE}.diagnosis_sentence ELSE excluded.diagnosis_sentence END,
    diagnosed_at = CASE WHEN excluded.diagnosed_at IS NULL AND {_TABLE}.diagnosed_at > %s
        THEN {_TABLE}.diagnosed_at ELSE excluded.diagnosed_at END,
    last_seen = CASE WHEN excluded.last_seen > {_TABLE}.last_seen
        THEN excluded.last_seen ELSE {_TABLE}.last_seen END
"""  # noqa: S608 (the table's own name)


class RejectRate:
    """Count an address's failed requests at a source, in windows of a minute that begin with the first failure."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str], tuple[float, int]] = {}  # in the order in which the windows began

    def count_failure(self, source_id: str, address: str, limit: int) -> int | None:
        """Count a failed request. Return None within `limit`, else the seconds until the window ends."""
        now = self._clock()
        key = (source_id, address)
        began, failed = self._windows.get(key, (now, 0))
        if now - began >= WINDOW_SECONDS:
            del self._windows[key]
            began, failed = now, 0
        self._windows[key] = (began, failed + 1)
        self._expire_windows(now)
        return None if failed < limit else max(1, round(began + WINDOW_SECONDS - now))

    def retry_after(self, source_id: str, address: str, limit: int) -> int | None:
        """Return the seconds until the address may fail at the source again. None if it may now."""
        now = self._clock()
        began, failed = self._windows.get((source_id, address), (now, 0))
        return max(1, round(began + WINDOW_SECONDS - now)) if failed >= limit and now - began < WINDOW_SECONDS else None

    def _expire_windows(self, now: float) -> None:
        while self._windows:
            oldest = next(iter(self._windows))
            if len(self._windows) <= MAX_ADDRESSES and now - self._windows[oldest][0] < WINDOW_SECONDS:
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
    """Sum rejected requests in memory and write them about once a second, one row for a source and reason."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._waiting: dict[tuple[str, str], _Tally] = {}
        self._samples: dict[tuple[str, str], RefusedSample] = {}
        self._sampled_at: dict[tuple[str, str], float] = {}  # in the order of these times
        self._write_task: asyncio.Task[None] | None = None
        self._writing = asyncio.Lock()

    def record(self, source_id: str, reason: str, diagnosis: str, sample: RefusedSample | None = None) -> None:
        """Count a rejected request. `sample` is for the signature doctor, which examines some of them."""
        now = timezone.now()
        key = (source_id, _clean(reason, 64))
        tally = self._waiting.get(key)
        if tally is None:
            if len(self._waiting) >= MAX_REASONS:
                return
            tally = self._waiting[key] = _Tally("", 0, now, now)
        tally.count += 1
        tally.diagnosis = diagnosis
        tally.last_seen = now
        room = key in self._samples or len(self._samples) < MAX_SAMPLES
        if sample is not None and room and random.random() * tally.count < 1:  # noqa: S311 (chooses a sample)
            self._samples[key] = sample
        if self._write_task is None or self._write_task.done():
            self._write_task = asyncio.create_task(self._write_periodically())

    async def flush(self) -> None:
        """Write the waiting counts. Keep them for the next write if the database does not take them."""
        async with self._writing:
            batch, self._waiting = self._waiting, {}
            samples = self._due_samples()
            if not batch and not samples:
                return
            try:
                await self._threads.run(_write, batch, samples)
            except Exception as error:
                log.warning(
                    "Rejected requests could not be written; they are kept for the next write.",
                    error=type(error).__name__,
                )
                self._restore(batch)

    async def close(self) -> None:
        async with self._writing:
            if self._write_task:
                self._write_task.cancel()
        await self.flush()

    def _restore(self, batch: "dict[tuple[str, str], _Tally]") -> None:
        for key, tally in batch.items():
            later = self._waiting.get(key)
            if later:
                tally.count += later.count
                tally.diagnosis, tally.last_seen = later.diagnosis, later.last_seen
                tally.diagnosed_at = later.diagnosed_at
            self._waiting[key] = tally

    def _due_samples(self) -> dict[tuple[str, str], RefusedSample]:
        now = monotonic()
        while self._sampled_at and now - next(iter(self._sampled_at.values())) >= SAMPLE_INTERVAL:
            del self._sampled_at[next(iter(self._sampled_at))]
        due = {key: self._samples.pop(key) for key in list(self._samples) if key not in self._sampled_at}
        self._sampled_at |= dict.fromkeys(due, now)
        return due

    async def _write_periodically(self) -> None:
        while self._waiting or self._samples:
            await self.flush()
            await asyncio.sleep(WRITE_INTERVAL)


def _write(batch: dict[tuple[str, str], _Tally], samples: dict[tuple[str, str], RefusedSample]) -> None:
    """Write the counts before the samples are examined: the signature doctor takes longer and may fail."""
    _save(batch)
    diagnosed = {}
    for key, sample in samples.items():
        try:
            diagnosis, certain = diagnose_refusal(key[0], sample)
        except Exception as error:
            log.warning("A refused request could not be examined.", error=type(error).__name__)
            continue
        at = sample.request.received_at
        diagnosed[key] = _Tally(diagnosis, 0, at, at, timezone.now() if certain else None)
    _save(diagnosed)


def _save(batch: dict[tuple[str, str], _Tally]) -> None:
    if not batch:
        return
    known = set(Source.objects.filter(pk__in={source_id for source_id, _ in batch}).values_list("pk", flat=True))
    adapt = connection.ops.adapt_datetimefield_value
    diagnosed_before = adapt(timezone.now() - DIAGNOSIS_LIFETIME)
    rows = [
        (
            *(source_id, reason, _clean(tally.diagnosis, 1000), json.dumps(stored(tally.diagnosis))),
            *(tally.diagnosed_at and adapt(tally.diagnosed_at), tally.count),
            *(adapt(tally.first_seen), adapt(tally.last_seen), *[diagnosed_before] * 3),
        )
        for (source_id, reason), tally in sorted(batch.items(), key=lambda item: item[0])
        if source_id in known
    ]
    began_at = adapt(tally_start(timezone.now()))
    counts = Counter[str]()
    for (source_id, _), tally in batch.items():
        counts[source_id] += tally.count * (source_id in known)
    tallies = [(source_id, began_at, count) for source_id, count in sorted(counts.items()) if count]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(UPSERT, rows)
        if tallies:
            cursor.executemany(UPSERT_REJECTED, tallies)


def _clean(text: str, length: int) -> str:
    """Replace characters that a database refuses or that break a log line."""
    return "".join(character if character.isprintable() else "�" for character in text[:length])
