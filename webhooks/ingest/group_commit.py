"""Group commit: requests that wait are written together, and each is answered only once its row is durable.

One queue and one flusher per process. While a batch commits the next one gathers; nothing waits for company.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog

from webhooks.ingest.db import STATEMENT_SECONDS, StorageDown
from webhooks.ingest.writers import Kept, Row, Writer, new_writer

log = structlog.get_logger(__name__)

BATCH_ROWS = 64
BATCH_BYTES = 4 * 1024 * 1024
QUEUE_ROWS = 1000
QUEUE_BYTES = 32 * 1024 * 1024
ROW_TIMEOUT = 1.7  # seconds that a request waits for its row
RETRY_WITHIN = 0.3  # seconds in which a lost connection must show for the batch to be tried on a new one
OUTAGE_LOG_PAUSE = 1.0
CHECK_EVERY = 0.1  # seconds between two looks for requests that have waited too long

Result = Kept | StorageDown


@dataclass(slots=True, eq=False)
class _Waiting:
    row: Row
    then: Callable[[Result], None]
    until: float
    settled: bool = False

    def settle(self, result: Result) -> None:
        if not self.settled:
            self.settled = True
            try:
                self.then(result)
            except Exception:
                log.exception("An answer could not be given.", source=self.row.source_id)


class GroupCommit:
    """Belongs to the event loop that makes it. `on_kept` is called after a commit of new rows, `on_answered` with the
    source and the seconds that a request waited; they must not block.
    """

    def __init__(
        self,
        *,
        writer: Writer | None = None,
        on_kept: Callable[[], None] = lambda: None,
        on_answered: Callable[[str, float], None] = lambda source_id, seconds: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer or new_writer()
        self._on_kept = on_kept
        self._on_answered = on_answered
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._under_way: list[_Waiting] = []
        self._flusher: asyncio.Task[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._closing = False
        self._outage_logged_at, self._rows_refused = -OUTAGE_LOG_PAUSE, 0

    async def keep(self, row: Row, waited: float = 0.0) -> Kept:
        """Make the row durable. Raises StorageDown, within ROW_TIMEOUT, if it is not, or if too many wait already.

        `waited`: seconds that the client has been kept waiting before. Cancelling the wait (the client is gone) does
        not take the row back.
        """
        answer: asyncio.Future[Kept] = self._loop.create_future()
        self.put(row, partial(_fulfil, answer), waited)
        return await answer

    def put(self, row: Row, then: Callable[[Result], None], waited: float = 0.0) -> None:
        """Make the row durable without waiting: `then` is called once, within ROW_TIMEOUT.

        Raises StorageDown if too many wait.
        """
        if self._closing:
            raise StorageDown("The process is stopping.")
        if len(self._queue) >= QUEUE_ROWS or self._queued_bytes + len(row.body) > QUEUE_BYTES:
            raise StorageDown("Too many requests wait to be written.")
        self._queue.append(_Waiting(row, then, monotonic() + ROW_TIMEOUT - waited))
        self._queued_bytes += len(row.body)
        if self._flusher is None:  # it begins once the requests that are ready in this turn of the loop have joined
            self._flusher = self._loop.create_task(self._flush())
        if self._watch is None:
            self._watch = self._loop.call_later(CHECK_EVERY, self._give_up_on_late)

    async def close(self) -> None:
        """Refuse new rows, write those that wait, close the connection."""
        self._closing = True
        while self._flusher is not None and self._unanswered():
            await asyncio.sleep(0.01)
        if self._flusher is not None:
            self._flusher.cancel()
        if self._watch is not None:
            self._watch.cancel()
        await self._writer.close()

    async def _flush(self) -> None:
        """Write batches until none waits."""
        try:
            while self._refuse_late():
                self._under_way = self._take()
                results = await self._write(self._under_way)
                now = monotonic()
                for waiting, result in zip(self._under_way, results, strict=True):
                    self._settle(waiting, result, now)
                if any(isinstance(result, Kept) and not result.duplicate for result in results):
                    self._on_kept()
                if len(results) > 1:  # under load, those who were just answered have more: read it first
                    await asyncio.sleep(0)
        finally:
            self._under_way = []
            self._flusher = None

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._queue and len(batch) < BATCH_ROWS:
            size += len(self._queue[0].row.body)
            if batch and size > BATCH_BYTES:
                break
            batch.append(self._pop())
        return batch

    def _pop(self) -> _Waiting:
        waiting = self._queue.popleft()
        self._queued_bytes -= len(waiting.row.body)
        return waiting

    async def _write(self, batch: Sequence[_Waiting]) -> Sequence[Result]:
        """All at once; again if the connection was lost at once; row by row if the database refuses a row.

        Writing again is safe even where the first commit's outcome is unknown: the keys of the rows stay the same.
        """
        rows = [waiting.row for waiting in batch]
        began = monotonic()
        try:
            try:
                return await self._writer.write(rows)
            except StorageDown:
                if monotonic() - began > RETRY_WITHIN:
                    raise
                return await self._writer.write(rows)
        except StorageDown as down:
            self._log_outage(down, len(rows))
            return [down] * len(rows)
        except Exception as error:
            log.warning("A batch was refused; its rows are written one by one.", error=type(error).__name__)
            return [await self._write_alone(waiting) for waiting in batch]

    def _log_outage(self, down: StorageDown, rows: int) -> None:
        """Log once a second that receipts are refused, and how many since."""
        self._rows_refused += rows
        if monotonic() - self._outage_logged_at >= OUTAGE_LOG_PAUSE:
            log.error("Receipts could not be stored.", rows=self._rows_refused, error=str(down))
            self._outage_logged_at, self._rows_refused = monotonic(), 0

    async def _write_alone(self, waiting: _Waiting) -> Result:
        if waiting.until - monotonic() < STATEMENT_SECONDS / 2:
            return StorageDown("The row was not written in time.")
        try:
            return (await self._writer.write([waiting.row]))[0]
        except StorageDown as down:
            return down
        except Exception as error:
            log.error("A receipt cannot be stored.", source=waiting.row.source_id, error=type(error).__name__)
            return StorageDown(f"The database does not take this row: {type(error).__name__}")

    def _refuse_late(self) -> bool:
        """A row that might be answered before it is written is not begun: a refused request leaves nothing behind.

        Whether there are others.
        """
        now = monotonic()
        while self._queue and self._queue[0].until < now + STATEMENT_SECONDS:
            self._settle(self._pop(), StorageDown("The row was not written in time."), now)
        return bool(self._queue)

    def _give_up_on_late(self) -> None:
        """Answer those whose patience has ended although their batch is under way: it may yet commit."""
        self._refuse_late()
        now = monotonic()
        for waiting in self._under_way:
            if waiting.until <= now:
                self._settle(waiting, StorageDown("The database did not answer in time."), now)
        more = self._flusher is not None and self._unanswered()
        self._watch = self._loop.call_later(CHECK_EVERY, self._give_up_on_late) if more else None

    def _settle(self, waiting: _Waiting, result: Result, now: float) -> None:
        if not waiting.settled:
            self._on_answered(waiting.row.source_id, now - waiting.until + ROW_TIMEOUT)
            waiting.settle(result)

    def _unanswered(self) -> bool:
        return bool(self._queue) or not all(waiting.settled for waiting in self._under_way)


def _fulfil(answer: asyncio.Future[Kept], result: Result) -> None:
    if answer.done():  # the client is gone
        return
    if isinstance(result, StorageDown):
        answer.set_exception(result)
    else:
        answer.set_result(result)
