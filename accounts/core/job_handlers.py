"""Run the jobs of each worker queue in rounds.

An app registers its jobs in `AppConfig.ready`. The worker calls each job at most as often as its quota in a round, so a
busy job leaves the others their share. A job that fails does not stop the others.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import structlog

from accounts.core.connections import is_outage
from accounts.core.wakeups import WakeUp

log = structlog.get_logger(__name__)

QueueName = Literal["receipts", "deliveries", "sync"]
TASK = "accounts.tasks.run_jobs"


@dataclass(frozen=True, slots=True)
class JobHandler:
    """One kind of job. `work` processes some due rows for a few seconds, and returns whether there were any."""

    name: str
    queue: QueueName
    quota: int
    work: Callable[[], object]


_handlers: dict[str, JobHandler] = {}
_wake_ups: dict[QueueName, WakeUp] = {}


def register_job(name: str, *, queue: QueueName, quota: int, work: Callable[[], object]) -> None:
    """Have `work` called in each round of a queue's worker, at most `quota` times. Raises ValueError if the name is
    taken."""
    if name in _handlers:
        raise ValueError(f"There is a job named {name!r} already.")
    _handlers[name] = JobHandler(name, queue, quota, work)


def wake_up_jobs(queue: QueueName) -> None:
    """Wake the queue's worker to look for due rows now. Without a wake-up it looks within two seconds."""
    _wake_ups.setdefault(queue, WakeUp(TASK, queue=queue, arguments={"queue": queue})).wake_up()


def run_due_jobs(queue: QueueName, *, seconds: float, send_heartbeat: Callable[[], None]) -> bool:
    """Call the queue's jobs in rounds until none finds a due row. Return True if time ran out before.

    Jobs run in the order of their registration. A round is always completed, so that the last job has its turn.
    """
    until = time.monotonic() + seconds
    handlers = [handler for handler in _handlers.values() if handler.queue == queue]
    while True:
        results = {handler.name: _call_handler(handler, send_heartbeat) for handler in handlers}
        handlers = [handler for handler in handlers if results[handler.name] is not None]
        if not any(results.values()):
            return False
        if time.monotonic() > until:
            return True


def _call_handler(handler: JobHandler, send_heartbeat: Callable[[], None]) -> bool | None:
    """Call one job as often as its quota allows. Return whether it found a due row, or None if it failed."""
    calls = 0
    try:
        while calls < handler.quota and handler.work():
            calls += 1
            send_heartbeat()
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A job failed; the others go on.", job=handler.name)
        return None
    return calls > 0
