"""One run of the delivery worker: fan out and deliver until nothing is due, or its time is over."""

import time
from collections.abc import Callable

from accounts.core.connections import (
    DATABASE_ERRORS,
    RETRY_PAUSE,
    is_database_back,
    is_outage,
    log_outage_begin,
    log_outage_end,
)
from accounts.linkedin import incidents
from accounts.tasks import WORKERS, write_heartbeat
from notifications.delivery import channel_health
from notifications.delivery.claim import claim, is_due, turn_is_near
from notifications.delivery.concurrency import ConcurrencyLimits
from notifications.delivery.digest import gather
from notifications.delivery.fan_out import fan_out
from notifications.delivery.results import settle
from notifications.delivery.sender import DeliverySender, Result
from notifications.egress.session import GuardedSession
from notifications.transports.base import Outcome

RUN_SECONDS = 30.0
CLOSING_SECONDS = 20.0  # while slow receivers are waited for, healthy ones still get theirs
POLL_SECONDS = 0.1  # how soon a drain that waits for slow receivers sees new work
BEAT_SECONDS = 5.0
OUTAGE_SECONDS = 30.0  # that results are kept for: what is claimed is leased for a minute


def drain(*, run_seconds: float = RUN_SECONDS, session: Callable[[], GuardedSession] = GuardedSession) -> bool:
    """Fan out due Events and make due attempts. True: time ran out and more may be due."""
    out_of_time = False
    incidents.update_incidents()
    if fan_out() + gather() or is_due():
        with DeliverySender(session) as sender:
            out_of_time = _Drain(sender).run(run_seconds)
    channel_health.watch()
    return out_of_time


class _Drain:
    """Rolls a window over what is due: a place that becomes free is filled at once."""

    def __init__(self, sender: DeliverySender) -> None:
        self._sender = sender
        self._limits = ConcurrencyLimits()
        self._results: list[Result] = []  # that are not settled yet
        self._beaten_at = time.monotonic()

    def run(self, run_seconds: float) -> bool:
        """Deliver until nothing is due. Return True if time ran out.

        What is under way goes on through an outage of the database, and is settled after it.
        """
        close_at = time.monotonic() + run_seconds
        while True:
            try:
                is_done = self._turn(close_at)
                log_outage_end()
                if is_done:
                    return self._limits.closing
            except DATABASE_ERRORS as error:
                if not is_outage(error) or not self._wait_for_database(error):
                    raise

    def _wait_for_database(self, error: Exception) -> bool:
        """Keep what is under way moving until the database is back. Return False if that takes too long."""
        log_outage_begin(error)
        until = time.monotonic() + OUTAGE_SECONDS
        while time.monotonic() < until:
            self._results += self._sender.results(RETRY_PAUSE)
            if is_database_back():
                return True
        return False

    def _turn(self, close_at: float) -> bool:
        """Claim, send and settle once. Return True if nothing is left to wait for."""
        self._settle()
        fanned_out = 0
        self._limits.closing = time.monotonic() >= close_at
        if time.monotonic() < close_at + CLOSING_SECONDS:
            fanned_out = fan_out()
            gather()
            if fanned_out:
                incidents.update_incidents()
            self._sender.send(claim(self._limits))
        if not self._limits.busy and (self._limits.closing or not (fanned_out or turn_is_near())):
            return True
        self._results += self._sender.results(POLL_SECONDS)
        self._settle()
        self._beat()
        return False

    def _settle(self) -> None:
        if not self._results:
            return
        settle(self._results)
        for result in self._results:
            self._limits.leave(
                result.prepared.receiver_key, well=isinstance(result.outcome, Outcome), duration_ms=result.duration_ms
            )
        self._results = []

    def _beat(self) -> None:
        """A drain may hold its process for a while: the heartbeat's own task would wait behind it."""
        if time.monotonic() - self._beaten_at > BEAT_SECONDS:
            self._beaten_at = time.monotonic()
            write_heartbeat(WORKERS["deliveries"])
