"""Make, change and finish tasks of leads. Each step is an event."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.enums import EventType
from accounts.core.errors import FieldError
from accounts.core.jobs import end
from accounts.core.text import plain
from accounts.events.ordering import Origin
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency, Member
from accounts.tenancy.audit import Actor
from accounts.tenancy.calendars.lookup import calendar_for, usable_hours
from accounts.tenancy.members import on_member_deactivation
from accounts.tenancy.team import on_member_removal
from leads.assignments import refuse_other_agencies
from leads.enums import ChangedBy, TaskKind, TaskMaker
from leads.models import Lead, Task
from leads.models.activities import MAX_OUTCOME_LENGTH, MAX_TITLE_LENGTH
from leads.pipeline.history import record_event
from leads.pipeline.merge import lock_root

MAX_AHEAD = timedelta(days=3650)


def due_after(agency: Agency, user: User | None, minutes: int) -> datetime:
    """Return when so many minutes of working time of the agency's member have passed from now on."""
    calendar = calendar_for(agency.pk, user.pk if user else None)
    return usable_hours(calendar).add(timezone.now(), minutes * 60)


@transaction.atomic
def create_task(
    lead: Lead,
    *,
    kind: TaskKind,
    title: str,
    due_at: datetime | None = None,
    due_in_working_minutes: int | None = None,
    assigned_to: User | None = None,
    made_by: TaskMaker = TaskMaker.PERSON,
    by: Actor | None = None,
) -> Task:
    """Create a task of a lead, due at a time, or after some working time of whom it is assigned to.

    Raises FieldError, and Lead.DoesNotExist if the lead was erased.
    """
    found = _lock(lead)
    refuse_other_agencies(found.agency, {"assigned_to": assigned_to})
    if (due_at is None) == (due_in_working_minutes is None):
        raise FieldError("due_at", gettext("Say when the task is due."))
    due_at = due_at or due_after(found.agency, assigned_to, due_in_working_minutes or 0)
    task = Task(
        agency=found.agency,
        lead=found,
        kind=kind,
        title=_title(title),
        due_at=_checked(due_at),
        next_attempt_at=due_at,
        assigned_to=assigned_to,
        made_by=made_by,
        created_by=by if isinstance(by, User) else None,
    )
    task.save(force_insert=True)
    record_task_event(task, EventType.TASK_CREATED, timezone.now())
    return task


@transaction.atomic
def update_task(task: Task, **changes: Any) -> Task:
    """Change the kind, title, due time or assignee of a task. A later due time makes it overdue anew. Raises
    FieldError."""
    task = _locked(task)
    refuse_other_agencies(task.agency, changes)
    if "title" in changes:
        changes["title"] = _title(changes["title"])
    minutes = changes.pop("due_in_working_minutes", None)
    if minutes is not None:
        if "due_at" in changes:
            raise FieldError("due_at", gettext("Say in one way when the task is due."))
        changes["due_at"] = due_after(task.agency, changes.get("assigned_to", task.assigned_to), minutes)
    if "due_at" in changes and task.is_open:
        changes |= {"next_attempt_at": _checked(changes["due_at"]), "alerted_at": None, "attempts": 0, "error": ""}
    for name, value in changes.items():
        setattr(task, name, value)
    task.save(update_fields=[*changes, "updated_at"])
    return task


@transaction.atomic
def finish_task(task: Task, *, outcome: str, by: Actor | None = None) -> Task:
    """Finish a task with its outcome. A call that was made counts as a person's answer. Raises FieldError if it is done
    already."""
    task = _locked(task)
    if not task.is_open:
        raise FieldError("", gettext("This task is done already."))
    outcome = plain(outcome).strip()
    if not outcome or len(outcome) > MAX_OUTCOME_LENGTH:
        raise FieldError(
            "outcome", gettext("Say in up to %(n)d characters what came of it.") % {"n": MAX_OUTCOME_LENGTH}
        )
    task.done_at, task.outcome = timezone.now(), outcome
    task.done_by = by if isinstance(by, User) else None
    task.save(update_fields=["done_at", "outcome", "done_by", "updated_at"])
    end(Task.objects.filter(pk=task.pk))
    record_task_event(task, EventType.TASK_DONE, task.done_at)
    return task


@transaction.atomic
def delete_task(task: Task) -> None:
    """Delete a task that nobody has to do any more."""
    _locked(task).delete()


def record_task_event(task: Task, event_type: EventType, at: datetime) -> None:
    """Record an event about a task, with its lead's fields."""
    assignee = task.assigned_to
    member = Member.objects.filter(agency=task.agency_id, user=assignee).first() if assignee else None
    record_event(
        task.lead,
        event_type,
        origin=Origin(by=ChangedBy.USER, at=at),
        task_id=task.pk,
        task_kind=task.kind,
        task_title=task.title,
        due_at=iso_timestamp(task.due_at),
        outcome=task.outcome,
        assigned_to=member.pk if member else "",
        assigned_to_name=(assignee.get_full_name() or assignee.get_username()) if assignee and member else "",
    )


@on_member_deactivation
@on_member_removal
def unassign_tasks(member: Member) -> None:
    """Take open tasks from a member who left or was deactivated, so that somebody else finds them."""
    tasks = Task.objects.filter(agency=member.agency_id, assigned_to=member.user_id, done_at__isnull=True)
    tasks.update(assigned_to=None, updated_at=timezone.now())


def _lock(lead: Lead) -> Lead:
    found = lock_root(lead.pk)
    if found is None:
        raise Lead.DoesNotExist
    return found


def _locked(task: Task) -> Task:
    """Lock the task's lead, and then the task, in the order of everybody else."""
    _lock(task.lead)
    return Task.objects.select_for_update(of=("self",)).select_related("agency", "lead").get(pk=task.pk)


def _title(text: str) -> str:
    title = " ".join(plain(text).split())
    if not title or len(title) > MAX_TITLE_LENGTH:
        raise FieldError(
            "title", gettext("Say in up to %(n)d characters what is to be done.") % {"n": MAX_TITLE_LENGTH}
        )
    return title


def _checked(due_at: datetime) -> datetime:
    if abs(due_at - timezone.now()) > MAX_AHEAD:
        raise FieldError("due_at", gettext("Choose a time within ten years."))
    return due_at
