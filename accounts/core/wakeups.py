"""Wake workers through the broker. A lost wake-up costs a second and no row, because sweeps find every due row."""

import os
import threading
import time
from collections.abc import Mapping

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

PAUSE_SECONDS = 0.02  # seconds between two messages of one process
BUSY_REQUESTS = 3  # wake-ups within a pause, above which the pause grows: publishing costs milliseconds
BUSY_PAUSE_SECONDS = 0.25
EXPIRY_SECONDS = 60  # seconds after which an unread message is worthless


class WakeUp:
    """Publish a task from a thread of its own, so that a slow or absent broker never blocks the caller."""

    def __init__(self, task: str, *, queue: str, arguments: Mapping[str, str] | None = None) -> None:
        self._task = task
        self._queue = queue
        self._arguments = dict(arguments or {})
        self._requested = threading.Event()
        self._requests = 0
        self._lock = threading.Lock()
        self._pid = 0
        self._is_failing = False

    def wake_up(self) -> None:
        """Ask for one run of the task soon. Never raises and never blocks. Calls within a pause share one message."""
        self._requests += 1
        self._requested.set()
        if self._pid != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._run, name=f"wake-up {self._queue}", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._requested.wait()
            self._requested.clear()
            try:
                current_app.send_task(
                    self._task,
                    kwargs=self._arguments,
                    queue=self._queue,
                    expires=EXPIRY_SECONDS,
                    retry=False,
                    ignore_result=True,
                )
            except Exception as error:
                if not self._is_failing:
                    log.warning("The broker takes no wake-ups; the sweeps will do.", error=type(error).__name__)
                self._is_failing = True
            else:
                self._is_failing = False
            self._requests = 0
            time.sleep(PAUSE_SECONDS)
            if self._requests > BUSY_REQUESTS:
                time.sleep(BUSY_PAUSE_SECONDS - PAUSE_SECONDS)
