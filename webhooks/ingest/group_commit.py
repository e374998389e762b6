"""Write the rows of waiting requests together, and answer each request only once its row is durable.

Each process has one queue and one flusher. The next batch fills while a batch commits; no row waits for others to join.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic

import structlog

from webhooks.ingest.db import STATEMENT_TIMEOUT, StorageDown
from webhooks.ingest.writers import ReceiptRow, StoredReceipt, Writer, new_writer

log = structlog.get_logger(__name__)

MAX_BATCH_ROWS = 64
MAX_BATCH_BYTES = 4 * 1024 * 1024
MAX_QUEUED_ROWS = 1000
MAX_QUEUED_BYTES = 32 * 1024 * 1024
ROW_TIMEOUT = 1.7  # seconds that a request waits for its row
RETRY_WINDOW = 0.3  # seconds; a connection lost sooner is replaced and the batch written again
OUTAGE_LOG_INTERVAL = 1.0  # seconds
TIMEOUT_CHECK_INTERVAL = 0.1  # seconds

Result = StoredReceipt | StorageDown


@dataclass(slots=True, eq=False)
class _PendingRow:
    """Hold a row that waits to be written, and the callback for its result."""

    row: ReceiptRow
    on_result: Callable[[Result], None]
    deadline: float
    is_finished: bool = False

    def finish(self, result: Result) -> None:
        if not self.is_finished:
            self.is_finished = True
            try:
                self.on_result(result)
            except Exception:
                log.exception("A response could not be sent.", source=self.row.source_id)


class GroupCommit:
    """Queue rows and write them in batches, in the event loop in which the object is created.

    `on_stored` is called after a commit of new rows, `on_answered` with the source and the seconds that a request
    waited. Neither may block.
    """

    def __init__(
        self,
        *,
        writer: Writer | None = None,
        on_stored: Callable[[], None] = lambda: None,
        on_answered: Callable[[str, float], None] = lambda source_id, seconds: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer or new_writer()
        self._on_stored = on_stored
        self._on_answered = on_answered
        self._queue: deque[_PendingRow] = deque()
        self._queued_bytes = 0
        self._in_flight: list[_PendingRow] = []
        self._flusher: asyncio.Task[None] | None = None
        self._timeout_timer: asyncio.TimerHandle | None = None
        self._closing = False
        self._outage_logged_at, self._rows_refused = -OUTAGE_LOG_INTERVAL, 0

    async def store(self, row: ReceiptRow, waited: float = 0.0) -> StoredReceipt:
        """Make the row durable. Raises StorageDown within ROW_TIMEOUT if that fails or too many rows wait.

        `waited` is how many seconds the client has waited already. Cancelling the wait (the client disconnected) does
        not cancel the write.
        """
        answer: asyncio.Future[StoredReceipt] = self._loop.create_future()
        self.enqueue(row, partial(_set_result, answer), waited)
        return await answer

    def enqueue(self, row: ReceiptRow, on_result: Callable[[Result], None], waited: float = 0.0) -> None:
        """Queue the row without waiting, and call `on_result` once, within ROW_TIMEOUT.

        Raises StorageDown if too many rows wait.
        """
        if self._closing:
            raise StorageDown("The process is stopping.")
        if len(self._queue) >= MAX_QUEUED_ROWS or self._queued_bytes + len(row.body) > MAX_QUEUED_BYTES:
            raise StorageDown("Too many requests wait to be written.")
        self._queue.append(_PendingRow(row, on_result, monotonic() + ROW_TIMEOUT - waited))
        self._queued_bytes += len(row.body)
        if self._flusher is None:  # starts after the requests of this turn of the event loop
            self._flusher = self._loop.create_task(self._flush())
        if self._timeout_timer is None:
            self._timeout_timer = self._loop.call_later(TIMEOUT_CHECK_INTERVAL, self._time_out_rows)

    async def close(self) -> None:
        """Refuse new rows, write those that wait, and close the connection."""
        self._closing = True
        while self._flusher is not None and self._has_unanswered():
            await asyncio.sleep(0.01)
        if self._flusher is not None:
            self._flusher.cancel()
        if self._timeout_timer is not None:
            self._timeout_timer.cancel()
        await self._writer.close()

    async def _flush(self) -> None:
        """Write batches until no row waits."""
        try:
            while self._refuse_late_rows():
                self._in_flight = self._next_batch()
                results = await self._write(self._in_flight)
                now = monotonic()
                for pending, result in zip(self._in_flight, results, strict=True):
                    self._finish(pending, result, now)
                if any(isinstance(result, StoredReceipt) and not result.duplicate for result in results):
                    self._on_stored()
                if len(results) > 1:  # under load, read the next requests of answered clients first
                    await asyncio.sleep(0)
        finally:
            self._in_flight = []
            self._flusher = None

    def _next_batch(self) -> list[_PendingRow]:
        batch: list[_PendingRow] = []
        size = 0
        while self._queue and len(batch) < MAX_BATCH_ROWS:
            size += len(self._queue[0].row.body)
            if batch and size > MAX_BATCH_BYTES:
                break
            batch.append(self._pop())
        return batch

    def _pop(self) -> _PendingRow:
        pending = self._queue.popleft()
        self._queued_bytes -= len(pending.row.body)
        return pending

    async def _write(self, batch: Sequence[_PendingRow]) -> Sequence[Result]:
        """Write the batch and return a result for each row.

        Write it again if the connection was lost at once, and row by row if the database refuses a row. Writing again
        is safe even if the first commit's outcome is unknown: the rows keep their keys.
        """
        rows = [pending.row for pending in batch]
        began = monotonic()
        try:
            try:
                return await self._writer.write(rows)
            except StorageDown:
                if monotonic() - began > RETRY_WINDOW:
                    raise
                return await self._writer.write(rows)
        except StorageDown as error:
            self._log_outage(error, len(rows))
            return [error] * len(rows)
        except Exception as error:
            log.warning("A batch was refused; its rows are written one by one.", error=type(error).__name__)
            return [await self._write_alone(pending) for pending in batch]

    def _log_outage(self, error: StorageDown, rows: int) -> None:
        """Log once a second how many receipts were refused."""
        self._rows_refused += rows
        if monotonic() - self._outage_logged_at >= OUTAGE_LOG_INTERVAL:
            log.error("Receipts could not be stored.", rows=self._rows_refused, error=str(error))
            self._outage_logged_at, self._rows_refused = monotonic(), 0

    async def _write_alone(self, pending: _PendingRow) -> Result:
        if pending.deadline - monotonic() < STATEMENT_TIMEOUT / 2:
            return StorageDown("The row was not written in time.")
        try:
            return (await self._writer.write([pending.row]))[0]
        except StorageDown as error:
            return error
        except Exception as error:
            log.error("A receipt cannot be stored.", source=pending.row.source_id, error=type(error).__name__)
            return StorageDown(f"The database does not take this row: {type(error).__name__}")

    def _refuse_late_rows(self) -> bool:
        """Refuse queued rows that may not be written in time. Return whether other rows wait.

        A refused request leaves no row behind, because its write is never started.
        """
        now = monotonic()
        while self._queue and self._queue[0].deadline < now + STATEMENT_TIMEOUT:
            self._finish(self._pop(), StorageDown("The row was not written in time."), now)
        return bool(self._queue)

    def _time_out_rows(self) -> None:
        """Answer requests whose time-out has passed, although their batch is being written and may still commit."""
        self._refuse_late_rows()
        now = monotonic()
        for pending in self._in_flight:
            if pending.deadline <= now:
                self._finish(pending, StorageDown("The database did not answer in time."), now)
        has_more = self._flusher is not None and self._has_unanswered()
        self._timeout_timer = self._loop.call_later(TIMEOUT_CHECK_INTERVAL, self._time_out_rows) if has_more else None

    def _finish(self, pending: _PendingRow, result: Result, now: float) -> None:
        if not pending.is_finished:
            self._on_answered(pending.row.source_id, now - pending.deadline + ROW_TIMEOUT)
            pending.finish(result)

    def _has_unanswered(self) -> bool:
        return bool(self._queue) or not all(pending.is_finished for pending in self._in_flight)


def _set_result(answer: asyncio.Future[StoredReceipt], result: Result) -> None:
    if answer.done():  # the client disconnected
        return
    if isinstance(result, StorageDown):
        answer.set_exception(result)
    else:
        answer.set_result(result)
