"""Define the class of every Celery task. A task begins with a healthy connection and survives outages."""

from functools import partial
from typing import Any

from celery import signals
from celery.contrib.django.task import DjangoTask
from django.db import close_old_connections

from accounts.core.connections import run_through_outages

MAX_OUTAGE_SECONDS = 30.0  # that a task waits for the database; the next wake-up waits on


class Task(DjangoTask[..., Any]):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task. In a worker, run it again after an outage, so that it does not need another wake-up."""
        if self.request.called_directly or self.request.is_eager:
            return super().__call__(*args, **kwargs)
        return run_through_outages(partial(self.run, *args, **kwargs), seconds=MAX_OUTAGE_SECONDS)


@signals.task_prerun.connect
@signals.task_postrun.connect
def _close_broken_connections(sender: Any, **_: Any) -> None:
    """Close connections that failed or are too old, and mark the others to be checked before their next use."""
    if not sender.request.is_eager:
        close_old_connections()
