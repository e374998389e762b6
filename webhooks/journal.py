"""Group commit: requests that wait are written together, and each is answered only once its row is durable.

One queue and one flusher thread per process. While a batch commits, the next one gathers; nothing waits for company.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

import structlog

from webhooks.storage import STATEMENT_SECONDS, StorageDown
from webhooks.writers import Kept, Row, Writer, new_writer

log = structlog.get_logger(__name__)

BATCH_ROWS = 64
BATCH_BYTES = 4 * 1024 * 1024
QUEUE_ROWS = 1000
QUEUE_BYTES = 32 * 1024 * 1024
PATIENCE = 1.7  # seconds that a request waits for its row
RETRY_WITHIN = 0.3  # seconds in which a lost connection must show for the batch to be tried on a new one
CHECK_EVERY = 0.1  # seconds between two looks for requests that have waited too long

Result = Kept | StorageDown


@dataclass(slots=True, eq=False)
class _Waiting:
    row: Row
    answer: asyncio.Future[Kept]
    until: float = field(default_factory=lambda: monotonic() + PATIENCE)


class Journal:
    """Belongs to the event loop that makes it. `on_kept` is called, in the flusher's thread, after new rows."""

    def __init__(self, *, writer: Writer | None = None, on_kept: Callable[[], None] = lambda: None) -> None:
        self._loop = asyncio.get_running_loop()
        self._writer = writer or new_writer()
        self._on_kept = on_kept
        self._queue: deque[_Waiting] = deque()
        self._queued_bytes = 0
        self._gate = threading.Condition()
        self._closing = False
        self._unanswered: dict[_Waiting, None] = {}  # in the order of their patience
        self._watch: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def keep(self, row: Row) -> Kept:
        """Make the row durable. Raises StorageDown, within PATIENCE, if it is not, or if too many wait already.

        Cancelling the wait (the client is gone) does not take the row back.
        """
        return await self._enqueue(row)

    async def close(self) -> None:
        """Refuse new rows, write those that wait, close the connection."""
        with self._gate:
            self._closing = True
            self._gate.notify()
        while self._thread.is_alive() and self._unanswered:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(self._thread.join, PATIENCE)
        if self._watch:
            self._watch.cancel()

    def _enqueue(self, row: Row) -> asyncio.Future[Kept]:
        waiting = _Waiting(row, self._loop.create_future())
        with self._gate:
            if self._closing:
                raise StorageDown("The process is stopping.")
            if len(self._queue) >= QUEUE_ROWS or self._queued_bytes + len(row.body) > QUEUE_BYTES:
                raise StorageDown("Too many requests wait to be written.")
            self._queue.append(waiting)
            self._queued_bytes += len(row.body)
            self._gate.notify()
        self._unanswered[waiting] = None
        if self._watch is None:
            self._watch = self._loop.call_later(CHECK_EVERY, self._give_up_on_late)
        return waiting.answer

    def _give_up_on_late(self) -> None:
        """Answer those whose patience has ended. Rows not begun are withdrawn; a batch under way may yet commit."""
        now = monotonic()
        late = []
        for waiting in self._unanswered:
            if waiting.until > now:
                break
            late.append(waiting)
        if late:
            self._withdraw(late)
            self._settle(late, [StorageDown("The row was not written in time.")] * len(late))
        self._watch = self._loop.call_later(CHECK_EVERY, self._give_up_on_late) if self._unanswered else None

    def _withdraw(self, late: Iterable[_Waiting]) -> None:
        with self._gate:
            gone = set(late)
            self._queue = deque(waiting for waiting in self._queue if waiting not in gone)
            self._queued_bytes = sum(len(waiting.row.body) for waiting in self._queue)

    def _settle(self, batch: Iterable[_Waiting], results: Iterable[Result]) -> None:
        """In the event loop: tell each request what became of its row."""
        for waiting, result in zip(batch, results, strict=True):
            self._unanswered.pop(waiting, None)
            if waiting.answer.done():
                continue
            if isinstance(result, StorageDown):
                waiting.answer.set_exception(result)
                waiting.answer.exception()  # retrieved, also when the client is gone
            else:
                waiting.answer.set_result(result)

    # --- in the flusher's thread -------------------------------------------------------------------

    def _run(self) -> None:
        while batch := self._take():
            results = self._write(batch)
            if not self._tell(batch, results):
                break
            if any(isinstance(result, Kept) and not result.duplicate for result in results):
                self._on_kept()
        self._writer.close()

    def _tell(self, batch: Sequence[_Waiting], results: Sequence[Result]) -> bool:
        try:
            self._loop.call_soon_threadsafe(self._settle, batch, results)
        except RuntimeError:  # the loop is closed: nobody is left to answer
            return False
        return True

    def _take(self) -> list[_Waiting]:
        """The next batch, as soon as there is one; empty when closing and all is written."""
        with self._gate:
            while True:
                self._refuse_late()
                if self._queue or self._closing:
                    break
                self._gate.wait()
            batch: list[_Waiting] = []
            size = 0
            while self._queue and len(batch) < BATCH_ROWS:
                size += len(self._queue[0].row.body)
                if batch and size > BATCH_BYTES:
                    break
                batch.append(self._pop())
            return batch

    def _refuse_late(self) -> None:
        """A row that might be answered before it is written is not begun: a refused request leaves nothing behind."""
        now = monotonic()
        late = []
        while self._queue and self._queue[0].until - now < STATEMENT_SECONDS:
            late.append(self._pop())
        if late:
            self._tell(late, [StorageDown("The row was not written in time.")] * len(late))

    def _pop(self) -> _Waiting:
        waiting = self._queue.popleft()
        self._queued_bytes -= len(waiting.row.body)
        return waiting

    def _write(self, batch: Sequence[_Waiting]) -> Sequence[Result]:
        """All at once; again if the connection was lost at once; row by row if the database refuses a row.

        Writing again is safe even where the first commit's outcome is unknown: the keys of the rows stay the same.
        """
        rows = [waiting.row for waiting in batch]
        began = monotonic()
        try:
            try:
                return self._writer.write(rows)
            except StorageDown:
                if monotonic() - began > RETRY_WITHIN:
                    raise
                return self._writer.write(rows)
        except StorageDown as down:
            log.error("Receipts could not be stored.", rows=len(rows), error=str(down))
            return [down] * len(rows)
        except Exception as error:
            log.warning("A batch was refused; its rows are written one by one.", error=type(error).__name__)
            return [self._write_alone(waiting) for waiting in batch]

    def _write_alone(self, waiting: _Waiting) -> Result:
        if waiting.until - monotonic() < STATEMENT_SECONDS / 2:
            return StorageDown("The row was not written in time.")
        try:
            return self._writer.write([waiting.row])[0]
        except StorageDown as down:
            return down
        except Exception as error:
            log.error("A receipt cannot be stored.", source=waiting.row.source_id, error=type(error).__name__)
            return StorageDown(f"The database does not take this row: {type(error).__name__}")
