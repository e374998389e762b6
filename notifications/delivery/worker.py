"""One run of the delivery worker: fan out and deliver until nothing is due, or its time is over."""

import time
from collections.abc import Callable, Sequence

from accounts.linkedin import incidents
from accounts.tasks import WORKERS, beat
from notifications.delivery import channel_health
from notifications.delivery.claim import claim, is_due, turn_is_near
from notifications.delivery.concurrency import Lanes
from notifications.delivery.digest import gather
from notifications.delivery.fan_out import fan_out
from notifications.delivery.results import settle
from notifications.delivery.sender import Courier, Result
from notifications.egress.session import GuardedSession
from notifications.transports.base import Outcome

RUN_SECONDS = 30.0
CLOSING_SECONDS = 20.0  # while slow receivers are waited for, healthy ones still get theirs
POLL_SECONDS = 0.1  # how soon a drain that waits for slow receivers sees new work
BEAT_SECONDS = 5.0


def drain(*, run_seconds: float = RUN_SECONDS, session: Callable[[], GuardedSession] = GuardedSession) -> bool:
    """Fan out due Events and make due attempts. True: time ran out and more may be due."""
    out_of_time = False
    incidents.watch()
    if fan_out() + gather() or is_due():
        with Courier(session) as courier:
            out_of_time = _Drain(courier).run(run_seconds)
    channel_health.watch()
    return out_of_time


class _Drain:
    """Rolls a window over what is due: a place that becomes free is filled at once."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._lanes = Lanes()
        self._beaten_at = time.monotonic()

    def run(self, run_seconds: float) -> bool:
        close_at = time.monotonic() + run_seconds
        while True:
            fanned_out = 0
            self._lanes.closing = time.monotonic() >= close_at
            if time.monotonic() < close_at + CLOSING_SECONDS:
                fanned_out = fan_out()
                gather()
                if fanned_out:
                    incidents.watch()
                self._courier.send(claim(self._lanes))
            if not self._lanes.busy and (self._lanes.closing or not (fanned_out or turn_is_near())):
                return self._lanes.closing
            self._settle(self._courier.results(POLL_SECONDS))
            self._beat()

    def _settle(self, results: Sequence[Result]) -> None:
        if not results:
            return
        settle(results)
        for result in results:
            self._lanes.leave(
                result.parcel.lane, well=isinstance(result.outcome, Outcome), duration_ms=result.duration_ms
            )

    def _beat(self) -> None:
        """A drain may hold its process for a while: the heartbeat's own task would wait behind it."""
        if time.monotonic() - self._beaten_at > BEAT_SECONDS:
            self._beaten_at = time.monotonic()
            beat(WORKERS["deliveries"])
