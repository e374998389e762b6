"""Define the tasks that process receipts and check sources. A task that is lost or runs twice changes nothing."""

import time

from celery import shared_task

from webhooks.monitoring import source_monitor
from webhooks.processing import quarantine
from webhooks.processing.processor import process_due_receipts
from webhooks.processing.wakeups import wake_up as wake_up

MAX_RUN_SECONDS = 30.0  # after which a new task goes on


@shared_task(name="webhooks.tasks.process_receipts")
def process_receipts() -> None:
    """Process due receipts, source by source, until none is left."""
    stop = time.monotonic() + MAX_RUN_SECONDS
    while process_due_receipts():
        if time.monotonic() > stop:
            return wake_up()
    return None


@shared_task(name="webhooks.tasks.check_sources")
def check_sources() -> None:
    """Check each source for silence, refused requests, missed validations and slow responses."""
    source_monitor.check_sources()


@shared_task(name="webhooks.tasks.release_waiting")
def release_waiting() -> None:
    """Release receipts from quarantine whose ids became known a moment ago."""
    quarantine.release_missed()


@shared_task(name="webhooks.tasks.release_understood")
def release_understood() -> None:
    """Release receipts from quarantine whose words are known by now."""
    quarantine.release_understood()
