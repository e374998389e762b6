"""Count how long providers waited for responses: in memory, by source, written every few seconds."""

import asyncio
from datetime import datetime

import structlog
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Source
from webhooks.ingest.db import DatabaseThreads
from webhooks.models import LatencyTally

log = structlog.get_logger(__name__)

SLOW_SECONDS = 1.0
WRITE_INTERVAL = 5.0  # seconds between two writes
TALLY_MINUTES = 10  # that one row covers

_TABLE = LatencyTally._meta.db_table
UPSERT = f"""
INSERT INTO {_TABLE} (source_id, began_at, requests, slow) VALUES (%s, %s, %s, %s)
ON CONFLICT (source_id, began_at) DO UPDATE SET
    requests = {_TABLE}.requests + excluded.requests, slow = {_TABLE}.slow + excluded.slow
"""  # noqa: S608 (the table's own name)
UPSERT_REJECTED = f"""
INSERT INTO {_TABLE} (source_id, began_at, requests, slow, rejected) VALUES (%s, %s, 0, 0, %s)
ON CONFLICT (source_id, began_at) DO UPDATE SET rejected = {_TABLE}.rejected + excluded.rejected
"""  # noqa: S608 (the table's own name)


class LatencyCounter:
    """Count responses by source, in one event loop. Counts that cannot be written are kept for the next write."""

    def __init__(self, threads: DatabaseThreads) -> None:
        self._threads = threads
        self._counts: dict[str, list[int]] = {}  # source id --> responses, slow responses
        self._write_task: asyncio.Task[None] | None = None

    def record(self, source_id: str, seconds: float) -> None:
        counts = self._counts.get(source_id)
        if counts is None:
            counts = self._counts[source_id] = [0, 0]
            if self._write_task is None or self._write_task.done():
                self._write_task = asyncio.get_running_loop().create_task(self._write_periodically())
        counts[0] += 1
        counts[1] += seconds > SLOW_SECONDS

    async def flush(self) -> None:
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            await self._threads.run(_write, counts, tally_start(timezone.now()))
        except Exception as error:
            log.warning(
                "Latency counts could not be written; they are kept for the next write.", error=type(error).__name__
            )
            for source_id, (answers, slow) in counts.items():
                later = self._counts.setdefault(source_id, [0, 0])
                later[0] += answers
                later[1] += slow

    async def close(self) -> None:
        if self._write_task:
            self._write_task.cancel()
        await self.flush()

    async def _write_periodically(self) -> None:
        while self._counts:
            await asyncio.sleep(WRITE_INTERVAL)
            await self.flush()


def tally_start(now: datetime) -> datetime:
    """Return when the tally began that covers this time."""
    return now.replace(minute=now.minute // TALLY_MINUTES * TALLY_MINUTES, second=0, microsecond=0)


def _write(counts: dict[str, list[int]], began_at: datetime) -> None:
    known = set(Source.objects.filter(pk__in=counts).values_list("pk", flat=True))
    began = connection.ops.adapt_datetimefield_value(began_at)
    rows = [(pk, began, answers, slow) for pk, (answers, slow) in sorted(counts.items()) if pk in known]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(UPSERT, rows)
