"""Send prepared deliveries on an event loop that runs only while its owner waits for results.

One thread on purpose: a second one would wait for the interpreter lock at every query. One session with its kept-alive
connections serves a whole run.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
import uvloop
from django.utils import timezone

from notifications.egress.session import GuardedSession, NoResponse
from notifications.egress.url_policy import TargetRefused
from notifications.message import PreparedDelivery
from notifications.sentences import NOT_DONE, NOT_SENT
from notifications.transports import TRANSPORTS
from notifications.transports.base import Outcome, TransportError

log = structlog.get_logger(__name__)

MAX_PER_RECEIVER = 32  # concurrent requests to one receiver
MAX_QUEUE_SECONDS = 20  # a delivery that waited longer is not sent: its lease must outlast the attempt
ATTEMPT_TIMEOUT = 35  # seconds, above every transport's own and below the lease
RESULTS_PER_BATCH = 128  # results that are saved in one transaction
MAX_BATCH_WAIT = 0.05  # seconds that the first result waits for others


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """Hold the result of one attempt. `outcome` is None if it was not made."""

    prepared: PreparedDelivery
    at: datetime
    duration_ms: int
    outcome: Outcome | TransportError | None

    @property
    def ended_at(self) -> datetime:
        return self.at + timedelta(milliseconds=self.duration_ms)


class DeliverySender:
    """Send deliveries within a `with` block. Leaving it abandons those in flight: their leases end."""

    def __init__(self, session: Callable[[], GuardedSession] = GuardedSession) -> None:
        self._make_session = session
        self._loop = uvloop.new_event_loop()
        self._limits: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(MAX_PER_RECEIVER))
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[DeliveryResult] = []
        self._has_enough = asyncio.Event()
        self._wanted = 1

    def __enter__(self) -> Self:
        self._session = self._loop.run_until_complete(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run_until_complete(self._close())
        self._loop.close()

    def send(self, prepared_deliveries: Iterable[PreparedDelivery]) -> None:
        """Queue deliveries. They are sent while `results` waits."""
        for prepared in prepared_deliveries:
            task = self._loop.create_task(self._deliver(prepared, time.monotonic()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)  # also of what was cancelled

    def results(self, timeout: float) -> list[DeliveryResult]:
        """Return finished results. Wait up to `timeout` seconds for the first, and MAX_BATCH_WAIT for more."""
        return self._loop.run_until_complete(self._collect(timeout))

    async def _open(self) -> GuardedSession:
        return self._make_session()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _collect(self, timeout: float) -> list[DeliveryResult]:
        await self._wait_for_results(1, timeout)
        if self._results:
            await self._wait_for_results(min(RESULTS_PER_BATCH, len(self._results) + len(self._tasks)), MAX_BATCH_WAIT)
        results, self._results = self._results, []
        return results

    async def _wait_for_results(self, count: int, timeout: float) -> None:
        if len(self._results) < count:
            self._wanted = count
            self._has_enough.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._has_enough.wait()

    async def _deliver(self, prepared: PreparedDelivery, accepted: float) -> None:
        if prepared.send_at:
            await asyncio.sleep((prepared.send_at - timezone.now()).total_seconds())
        async with self._limits[prepared.receiver_key]:
            at, started = timezone.now(), time.monotonic()
            outcome = await self._attempt(prepared) if started - accepted < MAX_QUEUE_SECONDS else None
            self._results.append(DeliveryResult(prepared, at, round((time.monotonic() - started) * 1000), outcome))
            self._tasks.discard(asyncio.current_task())  # nobody waits for it any more
            if len(self._results) >= self._wanted:
                self._has_enough.set()

    async def _attempt(self, prepared: PreparedDelivery) -> Outcome | TransportError:
        if prepared.problem:
            return TransportError(prepared.problem, ours=True)
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT):
                return await TRANSPORTS[prepared.kind].send(prepared, self._session)
        except TransportError as error:
            return error
        except TargetRefused as error:
            return TransportError(error.args[0])
        except NoResponse as error:
            return TransportError(error.args[0], exchange=error.exchange)
        except TimeoutError:
            return TransportError(NOT_DONE(seconds=ATTEMPT_TIMEOUT), ours=True)
        except Exception as error:
            log.exception("An attempt failed inside Leadline.", delivery_id=prepared.delivery.pk)
            return TransportError(NOT_SENT(error=type(error).__name__), ours=True)
