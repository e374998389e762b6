"""Define the tasks that concern the whole product."""

from celery import shared_task

from accounts.core.wakeups import WakeUp
from accounts.tasks import WorkerHeartbeat
from config.ops import clock
from config.ops.purge import purge_if_due

wake_up = WakeUp("config.tasks.purge", queue="sync").wake_up


@shared_task(name="config.tasks.purge")
def purge() -> None:
    """Run a round of retention if one is due, and start the task again if there is more to do."""
    if purge_if_due(WorkerHeartbeat("sync")):
        wake_up()


@shared_task(name="config.tasks.release_future_rows")
def release_future_rows() -> None:
    """Release the rows that wait because the clock was set back."""
    clock.release_future_rows()
