"""Wake-ups for what waits in rows. A task that is lost or runs twice changes nothing."""

import time

from celery import shared_task

from webhooks.monitoring import source_monitor
from webhooks.processing import waiting
from webhooks.processing.processor import process_due
from webhooks.processing.wakeups import wake_up as wake_up

RUN_FOR = 30.0  # seconds after which a task hands over to its successor


@shared_task(name="webhooks.tasks.process_receipts")
def process_receipts() -> None:
    """Process due receipts, lane by lane, until none is left."""
    stop = time.monotonic() + RUN_FOR
    while process_due():
        if time.monotonic() > stop:
            return wake_up()
    return None


@shared_task(name="webhooks.tasks.watch_sources")
def watch_sources() -> None:
    """Look at each source: its rhythm, what it was refused, LinkedIn's checks, how fast it was answered."""
    source_monitor.watch_sources()


@shared_task(name="webhooks.tasks.release_waiting")
def release_waiting() -> None:
    """Release from quarantine what names ids that became known a moment ago."""
    waiting.release_missed()


@shared_task(name="webhooks.tasks.release_understood")
def release_understood() -> None:
    """Release from quarantine what is understood by now."""
    waiting.release_understood()
