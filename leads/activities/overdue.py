"""Report tasks that are overdue, each once."""

from datetime import timedelta

from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.jobs import Backoff, complete, work_off
from leads.activities.tasks import record_task_event
from leads.models import Task

LEASE = timedelta(seconds=60)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600)])


def report_overdue(limit: int = 50) -> int:
    """Report at most `limit` overdue tasks. Return the number of tasks that were looked at."""
    related = ("lead__agency", "lead__account__sub_account", "lead__campaign", "assigned_to")
    tasks = Task.objects.select_related(*related)
    return work_off(tasks, _report, limit=limit, lease=LEASE, backoff=BACKOFF)


def _report(task: Task) -> None:
    """Report a task. Who has lost the lease, or whose task was finished meanwhile, says nothing."""
    if complete(task, alerted_at=timezone.now()) and not task.lead.is_test:
        record_task_event(task, EventType.TASK_OVERDUE, task.due_at)
