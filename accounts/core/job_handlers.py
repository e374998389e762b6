"""The work that waits in rows, by the queue whose worker does it.

An app registers its handlers in `AppConfig.ready`. The worker calls them in rounds, each at most as often as its quota:
a busy one leaves the others their share, and one that fails holds up none.
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
    """One kind of work. `work` takes up some due rows, a few seconds' worth, and returns whether there were any."""

    name: str
    queue: QueueName
    quota: int
    work: Callable[[], object]


_handlers: dict[str, JobHandler] = {}
_wake_ups: dict[QueueName, WakeUp] = {}


def register_job(name: str, *, queue: QueueName, quota: int, work: Callable[[], object]) -> None:
    """Have `work` called in each round of a queue's worker, at most `quota` times. Raises ValueError if a job has that
    name already."""
    if name in _handlers:
        raise ValueError(f"There is a job named {name!r} already.")
    _handlers[name] = JobHandler(name, queue, quota, work)


def wake_up_jobs(queue: QueueName) -> None:
    """Have the queue's worker look for due rows now; otherwise it does within two seconds."""
    _wake_ups.setdefault(queue, WakeUp(TASK, queue=queue, arguments={"queue": queue})).wake_up()


def run_due_jobs(queue: QueueName, *, seconds: float, note_alive: Callable[[], None]) -> bool:
    """Call the queue's handlers round by round until none finds anything. Return True if time ran out before.

    Handlers come in the order of their registration. A round is never cut short, so that the last has its turn too.
    """
    until = time.monotonic() + seconds
    handlers = [handler for handler in _handlers.values() if handler.queue == queue]
    while True:
        found = {handler.name: _call(handler, note_alive) for handler in handlers}
        handlers = [handler for handler in handlers if found[handler.name] is not None]
        if not any(found.values()):
            return False
        if time.monotonic() > until:
            return True


def _call(handler: JobHandler, note_alive: Callable[[], None]) -> bool | None:
    """Call one handler as often as its quota allows. Return whether it found anything; None: it failed."""
    calls = 0
    try:
        while calls < handler.quota and handler.work():
            calls += 1
            note_alive()
    except Exception as error:
        if is_outage(error):
            raise
        log.exception("A job failed; the others go on.", job=handler.name)
        return None
    return calls > 0
