"""Define the tasks that concern the whole product."""

import time

from celery import shared_task

from accounts.core.wakeups import WakeUp
from accounts.tasks import WORKERS, write_heartbeat
from config.ops import clock
from config.ops.purge import purge_if_due

HEARTBEAT_INTERVAL = 5.0
wake_up = WakeUp("config.tasks.purge", queue="sync").wake_up


@shared_task(name="config.tasks.purge")
def purge() -> None:
    """Run a round of retention if one is due, and start the task again if there is more to do."""
    sent_at = time.monotonic()

    def send_heartbeat() -> None:
        nonlocal sent_at
        if time.monotonic() - sent_at > HEARTBEAT_INTERVAL:
            sent_at = time.monotonic()
            write_heartbeat(WORKERS["sync"])

    if purge_if_due(send_heartbeat):
        wake_up()


@shared_task(name="config.tasks.release_future_rows")
def release_future_rows() -> None:
    """Release the rows that wait because the clock was set back."""
    clock.release_future_rows()
