"""Hold what the ingest requests of one process share."""

import asyncio
from time import monotonic

import structlog
from django.utils import timezone

from accounts.models import Source
from webhooks.ingest.db import DatabaseThreads, StorageDown
from webhooks.ingest.group_commit import GroupCommit
from webhooks.ingest.latency import LatencyCounter
from webhooks.ingest.parsing import ParsingProcess
from webhooks.ingest.rejections import Rejections, RejectRate
from webhooks.ingest.source_cache import CachedSource, SourceCache
from webhooks.tasks import wake_up

log = structlog.get_logger(__name__)

DATABASE_THREADS = 4
OUTAGE_LOG_INTERVAL = 1.0  # seconds
VALIDATION_INTERVAL = 1.0  # seconds between two writes of a source's validation
VALIDATION_TIMEOUT = 1.0  # seconds that a response waits for the write; LinkedIn waits three for the response


class IngestContext:
    """Hold the source cache, group commit and the counters of one process. Made and used in one event loop."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads(DATABASE_THREADS, "ingest")
        self.sources = SourceCache(self._threads)
        self.latency = LatencyCounter(self._threads)
        self.group_commit = GroupCommit(on_stored=wake_up, on_answered=self.latency.record)
        self.rejections = Rejections(self._threads)
        self.reject_rate = RejectRate()
        self.parsing = ParsingProcess()
        self._validated_at: dict[str, float] = {}
        self._outage_logged = 0.0

    def log_outage(self, error: StorageDown) -> None:
        """Log once a second that sources cannot be looked up, however many requests are refused."""
        now = monotonic()
        if now - self._outage_logged >= OUTAGE_LOG_INTERVAL:
            self._outage_logged = now
            log.warning("Sources cannot be looked up; their requests are refused.", error=str(error))

    async def record_validation(self, source: CachedSource) -> None:
        """Store when the provider last validated the source's URL. Never fails or takes long."""
        now = monotonic()
        if now - self._validated_at.get(source.id, -VALIDATION_INTERVAL) < VALIDATION_INTERVAL:
            return
        self._validated_at[source.id] = now
        try:
            await asyncio.wait_for(self._threads.run(_save_validation, source.id), VALIDATION_TIMEOUT)
        except Exception as error:
            log.warning("A validation could not be stored.", source=source.id, error=type(error).__name__)

    async def close(self) -> None:
        """Write what was accepted and counted, then close the database connections."""
        await self.group_commit.close()
        await self.rejections.close()
        await self.latency.close()
        await asyncio.to_thread(self._threads.close)
        await asyncio.to_thread(self.parsing.close)


def _save_validation(source_id: str) -> None:
    Source.objects.filter(pk=source_id).update(validated_at=timezone.now())
