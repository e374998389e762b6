"""Define the tasks that process receipts and check sources. A task that is lost or runs twice changes nothing."""

import time

from celery import shared_task

from accounts.events import reactions
from webhooks.monitoring import source_monitor
from webhooks.processing import quarantine
from webhooks.processing.processor import process_due_receipts
from webhooks.processing.wakeups import wake_up as wake_up

MAX_RUN_SECONDS = 30.0  # after which a new task goes on
FEW_RECEIPTS = 10  # so few that carrying out their reactions at once holds up no other source


@shared_task(name="webhooks.tasks.process_receipts")
def process_receipts() -> None:
    """Process due receipts, source by source, until none is left."""
    stop = time.monotonic() + MAX_RUN_SECONDS
    while _process_and_react():
        if time.monotonic() > stop:
            return wake_up()
    return None


def _process_and_react() -> int:
    """Process due receipts of one source. Carry out the reactions of a few at once, and have any worker carry out those
    of many."""
    with reactions.leave_to_caller():
        count = process_due_receipts()
    if count > FEW_RECEIPTS:
        reactions.wake_up()
    elif count:
        reactions.carry_out_due_reactions()
    return count


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
