"""Report tasks that are overdue, each once."""

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.core.connections import DATABASE_ERRORS
from accounts.core.enums import EventType
from accounts.core.jobs import CRASHED, Backoff, claim_due, complete, fail, retry
from leads.activities.tasks import record_task_event
from leads.models import Task

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600)])


def report_overdue(limit: int = 50) -> int:
    """Report at most `limit` overdue tasks. Return the number of tasks that were looked at."""
    related = ("lead__agency", "lead__account__sub_account", "lead__campaign", "assigned_to")
    with claim_due(Task.objects.select_related(*related), limit=limit, lease=LEASE) as tasks:
        for task in tasks:
            if not BACKOFF.allows(task.attempts):
                fail(task, CRASHED)
                continue
            try:
                with transaction.atomic():
                    _report(task)
            except DATABASE_ERRORS:  # the claim is given back
                raise
            except Exception as error:
                log.exception("An overdue task could not be reported.", task=task.pk)
                retry(task, f"{type(error).__name__}: {error}", BACKOFF)
    return len(tasks)


def _report(task: Task) -> None:
    """Report a task. Who has lost the lease, or whose task was finished meanwhile, says nothing."""
    if complete(task, alerted_at=timezone.now()) and not task.lead.is_test:
        record_task_event(task, EventType.TASK_OVERDUE, task.due_at)
