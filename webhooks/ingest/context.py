"""What the ingest requests of one process share."""

import asyncio
from time import monotonic

import structlog
from django.utils import timezone

from accounts.models import Source
from webhooks.ingest.db import DatabaseThreads, StorageDown
from webhooks.ingest.group_commit import GroupCommit
from webhooks.ingest.latency import Answers
from webhooks.ingest.parsing import ParsingProcess
from webhooks.ingest.rejections import Rejections, RejectRate
from webhooks.ingest.source_cache import KnownSource, SourceCache
from webhooks.tasks import wake_up

log = structlog.get_logger(__name__)

THREADS = 4
OUTAGE_PAUSE = 1.0
VALIDATION_PAUSE = 1.0  # seconds between two notes of a source's validation
VALIDATION_SECONDS = 1.0  # that an answer waits for the note; LinkedIn waits three for the answer


class IngestContext:
    """The known sources, the journal, what is counted of refusals and answers. Made and used in one event loop."""

    def __init__(self) -> None:
        self._threads = DatabaseThreads(THREADS, "ingest")
        self.sources = SourceCache(self._threads)
        self.answers = Answers(self._threads)
        self.group_commit = GroupCommit(on_kept=wake_up, on_answered=self.answers.note)
        self.rejections = Rejections(self._threads)
        self.reject_rate = RejectRate()
        self.parsing = ParsingProcess()
        self._validated: dict[str, float] = {}
        self._outage_logged = 0.0

    def note_outage(self, down: StorageDown) -> None:
        """Log that sources cannot be looked up, once a second however many requests are refused for it."""
        now = monotonic()
        if now - self._outage_logged >= OUTAGE_PAUSE:
            self._outage_logged = now
            log.warning("Sources cannot be looked up; their requests are refused.", error=str(down))

    async def note_validation(self, source: KnownSource) -> None:
        """Remember when a provider last validated the source's URL; never fails, never takes long."""
        now = monotonic()
        if now - self._validated.get(source.id, -VALIDATION_PAUSE) < VALIDATION_PAUSE:
            return
        self._validated[source.id] = now
        try:
            await asyncio.wait_for(self._threads.run(_note_validation, source.id), VALIDATION_SECONDS)
        except Exception as error:
            log.warning("A validation could not be noted.", source=source.id, error=type(error).__name__)

    async def close(self) -> None:
        """Write what was accepted and what was counted, then let go of the database."""
        await self.group_commit.close()
        await self.rejections.close()
        await self.answers.close()
        await asyncio.to_thread(self._threads.close)
        await asyncio.to_thread(self.parsing.close)


def _note_validation(source_id: str) -> None:
    Source.objects.filter(pk=source_id).update(validated_at=timezone.now())
