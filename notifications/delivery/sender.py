"""Carries parcels on an event loop that turns while its owner waits for results, and rests while it settles them.

One thread on purpose: a second one would wait for the interpreter lock at every query. One session (and its kept-alive
connections) serves a drain.
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

from notifications.egress.session import GuardedSession, Unanswered
from notifications.egress.url_policy import TargetRefused
from notifications.message import PreparedDelivery
from notifications.transports import TRANSPORTS
from notifications.transports.base import Outcome, TransportError

log = structlog.get_logger(__name__)

AT_ONCE = 32  # requests to one receiver that answers fast
STALE_SECONDS = 20  # a parcel that waited longer goes back: its lease must outlast the attempt
ATTEMPT_SECONDS = 35  # a bound over every transport's own; well under the lease
COMPANY = 128  # results that are worth a transaction of their own,
BATCH_WAIT_SECONDS = 0.05  # and how long the first one waits for the others


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt went; `outcome` None: it was not made."""

    prepared: PreparedDelivery
    at: datetime
    duration_ms: int
    outcome: Outcome | TransportError | None

    @property
    def ended_at(self) -> datetime:
        return self.at + timedelta(milliseconds=self.duration_ms)


class DeliverySender:
    """A context manager. Leaving it abandons what is still on its way: the leases bring it back."""

    def __init__(self, session: Callable[[], GuardedSession] = GuardedSession) -> None:
        self._make_session = session
        self._loop = uvloop.new_event_loop()
        self._limits: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))
        self._tasks: set[asyncio.Task[None]] = set()
        self._back: list[Result] = []
        self._enough = asyncio.Event()
        self._wanted = 1

    def __enter__(self) -> Self:
        self._session = self._loop.run_until_complete(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run_until_complete(self._close())
        self._loop.close()

    def send(self, parcels: Iterable[PreparedDelivery]) -> None:
        """Take parcels along; they move while `results` waits."""
        for prepared in parcels:
            task = self._loop.create_task(self._carry(prepared, time.monotonic()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def results(self, timeout: float) -> list[Result]:
        """What has come back; waits up to `timeout` seconds for the first, and a moment for company."""
        return self._loop.run_until_complete(self._collect(timeout))

    async def _open(self) -> GuardedSession:
        return self._make_session()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _collect(self, timeout: float) -> list[Result]:
        await self._until(1, timeout)
        if self._back:
            await self._until(min(COMPANY, len(self._back) + len(self._tasks)), BATCH_WAIT_SECONDS)
        back, self._back = self._back, []
        return back

    async def _until(self, count: int, timeout: float) -> None:
        if len(self._back) < count:
            self._wanted = count
            self._enough.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._enough.wait()

    async def _carry(self, prepared: PreparedDelivery, accepted: float) -> None:
        if prepared.send_at:
            await asyncio.sleep((prepared.send_at - timezone.now()).total_seconds())
        async with self._limits[prepared.receiver_key]:
            at, started = timezone.now(), time.monotonic()
            outcome = await self._attempt(prepared) if started - accepted < STALE_SECONDS else None
            self._back.append(Result(prepared, at, round((time.monotonic() - started) * 1000), outcome))
            if len(self._back) >= self._wanted:
                self._enough.set()

    async def _attempt(self, prepared: PreparedDelivery) -> Outcome | TransportError:
        if prepared.problem:
            return TransportError(prepared.problem, ours=True)
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await TRANSPORTS[prepared.kind].send(prepared, self._session)
        except TransportError as error:
            return error
        except (TargetRefused, Unanswered) as error:
            return TransportError(str(error))
        except TimeoutError:
            return TransportError(f"Not done within {ATTEMPT_SECONDS} seconds.", ours=True)
        except Exception as error:
            log.exception("An attempt failed inside Leadline.", delivery_id=prepared.delivery.pk)
            return TransportError(f"Leadline could not send it ({type(error).__name__}).", ours=True)
