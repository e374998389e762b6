"""Run the delivery worker once: fan out and deliver until nothing is due, or its time is over."""

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
from accounts.tasks import WorkerHeartbeat
from notifications.delivery import channel_health
from notifications.delivery.claim import claim_due_deliveries, has_delivery_due_soon, has_due_deliveries
from notifications.delivery.concurrency import ConcurrencyLimits
from notifications.delivery.digest import build_digests
from notifications.delivery.fan_out import fan_out_due_events
from notifications.delivery.results import save_results
from notifications.delivery.sender import DeliveryResult, DeliverySender
from notifications.egress.session import GuardedSession
from notifications.transports.base import Outcome

MAX_RUN_SECONDS = 30.0
CLOSING_SECONDS = 20.0  # after the run, while slow receivers are awaited, fast ones still get deliveries
POLL_INTERVAL = 0.1  # seconds between two looks for new work
OUTAGE_TIMEOUT = 30.0  # seconds that results are kept for; leases last a minute


def drain_deliveries(
    *, run_seconds: float = MAX_RUN_SECONDS, session: Callable[[], GuardedSession] = GuardedSession
) -> bool:
    """Fan out due events and make due attempts. Return True if time ran out and more may be due."""
    out_of_time = False
    incidents.update_incidents()
    if fan_out_due_events() + build_digests() or has_due_deliveries():
        with DeliverySender(session) as sender:
            out_of_time = _DeliveryRun(sender).run(run_seconds)
    channel_health.check_failing_channels()
    return out_of_time


class _DeliveryRun:
    """Keep up to MAX_IN_FLIGHT deliveries in flight: fill each place as soon as it is free."""

    def __init__(self, sender: DeliverySender) -> None:
        self._sender = sender
        self._limits = ConcurrencyLimits()
        self._results: list[DeliveryResult] = []  # not saved yet
        self._write_heartbeat = WorkerHeartbeat("deliveries")

    def run(self, run_seconds: float) -> bool:
        """Deliver until nothing is due. Return True if time ran out.

        Deliveries in flight go on through an outage of the database, and are saved after it.
        """
        close_at = time.monotonic() + run_seconds
        while True:
            try:
                is_done = self._step(close_at)
                log_outage_end()
                if is_done:
                    return self._limits.closing
            except DATABASE_ERRORS as error:
                if not is_outage(error) or not self._wait_for_database(error):
                    raise

    def _wait_for_database(self, error: Exception) -> bool:
        """Keep deliveries in flight going until the database is back. Return False if that takes too long."""
        log_outage_begin(error)
        until = time.monotonic() + OUTAGE_TIMEOUT
        while time.monotonic() < until:
            self._results += self._sender.results(RETRY_PAUSE)
            if is_database_back():
                return True
        return False

    def _step(self, close_at: float) -> bool:
        """Claim, send and save results once. Return True if nothing is left to wait for."""
        self._save_results()
        fanned_out = 0
        self._limits.closing = time.monotonic() >= close_at
        if time.monotonic() < close_at + CLOSING_SECONDS:
            fanned_out = fan_out_due_events()
            build_digests()
            if fanned_out:
                incidents.update_incidents()
            self._sender.send(claim_due_deliveries(self._limits))
        if not self._limits.in_flight and (self._limits.closing or not (fanned_out or has_delivery_due_soon())):
            return True
        self._results += self._sender.results(POLL_INTERVAL)
        self._save_results()
        self._write_heartbeat()
        return False

    def _save_results(self) -> None:
        if not self._results:
            return
        save_results(self._results)
        for result in self._results:
            self._limits.release(
                result.prepared.receiver_key,
                succeeded=isinstance(result.outcome, Outcome),
                duration_ms=result.duration_ms,
            )
        self._results = []
