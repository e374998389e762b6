"""Configure Celery: three queues, and a schedule of wake-ups and sweeps.

The rows that a task works on are the promise; the task only wakes a worker. So results are ignored, nothing waits in
the broker, and sweeps find within two seconds what a broker loses.
"""

import gc
import logging
import os
import time
from typing import Any

from celery import Celery, signals
from celery.beat import Scheduler
from celery.schedules import schedule
from django.db import close_old_connections
from kombu import Queue

from accounts.core.connections import DATABASE_ERRORS
from config import broker, spool
from config.broker import PersistentConnection
from config.processes import die_with_parent

log = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
broker.register()
spool.register()

QUEUES = ("receipts", "deliveries", "sync")
HEARTBEAT_SECONDS = 5.0
MAX_STEP_BACK = 1.0  # seconds by which the clock may be set back without a new schedule

app = Celery("leadline", task_cls="config.task:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.amqp.Connection = PersistentConnection
app.conf.task_queues = [Queue(name) for name in QUEUES]
app.conf.task_routes = {
    "notifications.*": {"queue": "deliveries"},
}
app.conf.beat_schedule = {
    "receipts": {
        "task": "webhooks.tasks.process_receipts",
        "schedule": 1.0,
        "options": {"queue": "receipts", "expires": 10},
    },
    "reactions": {
        "task": "accounts.tasks.react",
        "schedule": 1.0,
        "options": {"queue": "receipts", "expires": 10},
    },
    "deliveries": {
        "task": "notifications.tasks.deliver_due",
        "schedule": 1.0,
        "options": {"queue": "deliveries", "expires": 10},
    },
    "held campaigns": {
        "task": "accounts.tasks.resume_campaigns",
        "schedule": 15.0,
        "options": {"queue": "receipts", "expires": 60},
    },
    "sources": {
        "task": "webhooks.tasks.check_sources",
        "schedule": 60.0,
        "options": {"queue": "receipts", "expires": 60},
    },
    "quarantine": {
        "task": "webhooks.tasks.release_waiting",
        "schedule": 60.0,
        "options": {"queue": "receipts", "expires": 60},
    },
    "vocabulary": {
        "task": "webhooks.tasks.release_understood",
        "schedule": 600.0,
        "options": {"queue": "receipts", "expires": 600},
    },
    "connections": {
        "task": "leads.tasks.look_after",
        "schedule": 60.0,
        "options": {"queue": "receipts", "expires": 60},
    },
    "purge": {
        "task": "config.tasks.purge",
        "schedule": 60.0,
        "options": {"queue": "sync", "expires": 60},
    },
    "clock": {
        "task": "config.tasks.release_future_rows",
        "schedule": 15.0,
        "options": {"queue": "receipts", "expires": 30},
    },
    "tidy": {
        "task": "accounts.tasks.tidy",
        "schedule": 600.0,
        "options": {"queue": "receipts", "expires": 600},
    },
} | {
    f"heartbeat of {queue}": {
        "task": "accounts.tasks.worker_heartbeat",
        "schedule": HEARTBEAT_SECONDS,
        "kwargs": {"queue": queue},
        "options": {"queue": queue, "expires": 30},
    }
    for queue in QUEUES
}
app.conf.beat_schedule |= {
    f"jobs of {queue}": {
        "task": "accounts.tasks.run_jobs",
        "schedule": 2.0,
        "kwargs": {"queue": queue},
        "options": {"queue": queue, "expires": 10},
    }
    for queue in QUEUES
}
app.autodiscover_tasks()


class HeartbeatScheduler(Scheduler):
    """Celery beat that writes its own heartbeat. Every entry of the schedule is frequent, so no file stores their
    times."""

    _heartbeat_at = 0.0
    _clock_at = 0.0
    _is_failing = {"database": False, "broker": False}

    def tick(self, *args: Any, **options: Any) -> float:
        self._restart_after_clock_change()
        if time.monotonic() - self._heartbeat_at > HEARTBEAT_SECONDS:
            self._heartbeat_at = time.monotonic()
            self._write_heartbeat()
        return float(super().tick(*args, **options))

    def _restart_after_clock_change(self) -> None:
        """Restart the schedule if the clock was set back, because its next times would lie as far ahead."""
        before, self._clock_at = self._clock_at, time.time()
        if before - self._clock_at > MAX_STEP_BACK:
            log.warning("The clock was set back by %.0f s; the schedule begins anew.", before - self._clock_at)
            for entry in self.schedule.values():
                if isinstance(entry.schedule, schedule):
                    entry.last_run_at = entry.default_now() - entry.schedule.run_every  # type: ignore[attr-defined]
            self._heap = None

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Send a wake-up. If the broker refuses it, the next one replaces it."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except Exception as error:
            self._log_change("broker", error)
        else:
            self._log_change("broker", None)

    def _write_heartbeat(self) -> None:
        from accounts.tasks import SCHEDULER, write_heartbeat

        try:
            close_old_connections()
            write_heartbeat(SCHEDULER)
        except DATABASE_ERRORS as error:
            self._heartbeat_at -= HEARTBEAT_SECONDS - 1  # try again in a second
            self._log_change("database", error)
        else:
            self._log_change("database", None)

    def _log_change(self, what: str, error: Exception | None) -> None:
        """Log the first of consecutive failures, and their end."""
        if error is not None and not self._is_failing[what]:
            log.warning("The scheduler cannot use the %s: %s", what, error)
        elif error is None and self._is_failing[what]:
            log.info("The scheduler can use the %s again.", what)
        self._is_failing[what] = error is not None


@signals.setup_logging.connect
def _use_project_logging(**_: Any) -> None:
    """Do nothing: with a receiver connected, Celery leaves logging as the settings define it."""


@signals.worker_init.connect
def _spare_loaded_objects(**_: Any) -> None:
    """Keep garbage collection away from what is loaded before the pool is forked. It would write to every object, and
    so give each process a copy of memory that they share."""
    gc.collect()
    gc.freeze()


@signals.worker_process_init.connect
def _end_with_worker(**_: Any) -> None:
    """End a pool process together with its worker, even if the worker was killed."""
    die_with_parent()
