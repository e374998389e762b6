"""Carries parcels on an event loop in a thread of its own; how each went comes back through a queue.

The database stays with the thread that owns the courier. One session (and its kept-alive connections) serves a drain.
"""

import asyncio
import contextlib
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

import structlog
from django.utils import timezone

from notifications.egress import GuardedSession, Unanswered
from notifications.targets import TargetRefused
from notifications.transports import TRANSPORTS
from notifications.transports.base import Outcome, Parcel, TransportError

log = structlog.get_logger(__name__)

AT_ONCE = 8  # requests to one receiver
STALE_SECONDS = 20  # a parcel that waited longer goes back: its lease must outlast the attempt
ATTEMPT_SECONDS = 35  # a bound over every transport's own; well under the lease
GATHER_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt went; `outcome` None: it was not made."""

    parcel: Parcel
    at: datetime
    duration_ms: int
    outcome: Outcome | TransportError | None

    @property
    def ended_at(self) -> datetime:
        return self.at + timedelta(milliseconds=self.duration_ms)


class Courier:
    """A context manager. Leaving it abandons what is still on its way: the leases bring it back."""

    def __init__(self, session: Callable[[], GuardedSession] = GuardedSession) -> None:
        self._make_session = session
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._lanes: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="courier", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def send(self, parcels: Sequence[Parcel]) -> None:
        if parcels:
            self._loop.call_soon_threadsafe(self._start, list(parcels))

    def results(self, timeout: float) -> list[Result]:
        """What has come back; waits up to `timeout` seconds for the first, and a moment for company."""
        if not self._thread.is_alive():
            raise RuntimeError("The courier's thread ended.")
        with contextlib.suppress(queue.Empty):
            results = [self._results.get(timeout=timeout)]
            time.sleep(GATHER_SECONDS)
            while True:
                try:
                    results.append(self._results.get_nowait())
                except queue.Empty:
                    return results
        return []

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        async with self._make_session() as self._session:
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, parcels: list[Parcel]) -> None:
        for parcel in parcels:
            task = asyncio.get_running_loop().create_task(self._carry(parcel, time.monotonic()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _carry(self, parcel: Parcel, accepted: float) -> None:
        async with self._lanes[parcel.lane]:
            at, started = timezone.now(), time.monotonic()
            outcome = await self._attempt(parcel) if started - accepted < STALE_SECONDS else None
            self._results.put(Result(parcel, at, round((time.monotonic() - started) * 1000), outcome))

    async def _attempt(self, parcel: Parcel) -> Outcome | TransportError:
        if parcel.problem:
            return TransportError(parcel.problem, ours=True)
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await TRANSPORTS[parcel.kind].send(parcel, self._session)
        except TransportError as error:
            return error
        except (TargetRefused, Unanswered) as error:
            return TransportError(str(error))
        except TimeoutError:
            return TransportError(f"Not done within {ATTEMPT_SECONDS} seconds.", ours=True)
        except Exception as error:
            log.exception("An attempt failed inside Leadline.", delivery_id=parcel.delivery.pk)
            return TransportError(f"Leadline could not send it ({type(error).__name__}).", ours=True)
