"""Wake-ups for what concerns the whole product."""

import time

from celery import shared_task

from accounts.core.wakeups import WakeUp
from accounts.tasks import WORKERS, beat
from config.ops import clock
from config.ops.purge import purge_if_due

BEAT_SECONDS = 5.0
wake_up = WakeUp("config.tasks.purge", queue="sync").wake_up


@shared_task(name="config.tasks.purge")
def purge() -> None:
    """Do a round of retention, if one is due, and hand over to a successor while there is more."""
    beaten = time.monotonic()

    def stay_alive() -> None:
        nonlocal beaten
        if time.monotonic() - beaten > BEAT_SECONDS:
            beaten = time.monotonic()
            beat(WORKERS["sync"])

    if purge_if_due(stay_alive):
        wake_up()


@shared_task(name="config.tasks.release_future_rows")
def release_future_rows() -> None:
    """Let nothing wait for a clock that was set back."""
    clock.release_future_rows()
