"""Wake workers through the broker. A lost wake-up costs a second and no row, because sweeps find every due row."""

import os
import threading
import time
from collections.abc import Mapping

import structlog
from celery import current_app

log = structlog.get_logger(__name__)

PAUSE = 0.05  # seconds between two messages of one process
BUSY = 3  # wake-ups asked for within a pause, above which the pause grows, because publishing costs milliseconds
BUSY_PAUSE = 0.25
EXPIRES = 60  # seconds after which an unread message is worthless


class WakeUp:
    """Publish a task from a thread of its own, so that a slow or absent broker never blocks the caller."""

    def __init__(self, task: str, *, queue: str, arguments: Mapping[str, str] | None = None) -> None:
        self._task = task
        self._queue = queue
        self._arguments = dict(arguments or {})
        self._pressed = threading.Event()
        self._presses = 0
        self._lock = threading.Lock()
        self._pid = 0
        self._is_failing = False

    def wake_up(self) -> None:
        """Ask for one run of the task soon. Never raises and never blocks. Calls within a pause share one message."""
        self._presses += 1
        self._pressed.set()
        if self._pid != os.getpid():
            self._start()

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                threading.Thread(target=self._run, name=f"doorbell {self._queue}", daemon=True).start()

    def _run(self) -> None:
        while True:
            self._pressed.wait()
            self._pressed.clear()
            try:
                current_app.send_task(
                    self._task,
                    kwargs=self._arguments,
                    queue=self._queue,
                    expires=EXPIRES,
                    retry=False,
                    ignore_result=True,
                )
            except Exception as error:
                if not self._is_failing:
                    log.warning("The broker takes no wake-ups; the sweeps will do.", error=type(error).__name__)
                self._is_failing = True
            else:
                self._is_failing = False
            self._presses = 0
            time.sleep(PAUSE)
            if self._presses > BUSY:
                time.sleep(BUSY_PAUSE - PAUSE)
