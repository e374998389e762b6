"""Wake-ups for what concerns the whole product."""

from celery import shared_task

from accounts.tasks import WORKERS, beat
from config.ops.purge import purge_if_due


@shared_task(name="config.tasks.purge")
def purge() -> None:
    """Retention, once a day."""
    purge_if_due(lambda: beat(WORKERS["sync"]))
