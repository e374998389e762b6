"""Define what members have to do about leads, what they note about them, and the daily mail about both."""

from functools import partial
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Agency, Member
from leads.enums import TaskKind, TaskMaker
from leads.models.lead import Lead
from leads.models.origin import origin_field

MAX_TITLE_LENGTH, MAX_OUTCOME_LENGTH, MAX_NOTE_LENGTH = 200, 500, 10_000


class Task(DueRow):
    """Something to do about a lead, until `done_at`. `next_attempt_at` is when it is reported as overdue."""

    due_at_once: ClassVar[Q | None] = None

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "tsk"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="tasks")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="tasks")
    origin = origin_field()
    kind = models.CharField(max_length=16, choices=[(kind, kind.value) for kind in TaskKind])
    title = models.CharField(max_length=MAX_TITLE_LENGTH)
    due_at = models.DateTimeField()
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="assigned_tasks"
    )
    made_by = models.CharField(max_length=8, choices=[(maker, maker.value) for maker in TaskMaker])
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    outcome = models.CharField(max_length=MAX_OUTCOME_LENGTH, blank=True)
    alerted_at = models.DateTimeField(null=True, help_text="When it was reported as overdue.")
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at", "id"], name="task_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["agency", "-id"], name="task_newest"),
            models.Index(
                fields=["agency", "assigned_to", "due_at", "id"], name="task_open", condition=Q(done_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.done_at is None


class Note(models.Model):
    """What a member wrote down about a lead."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "not"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="notes")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="notes")
    origin = origin_field()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    text = models.TextField(max_length=MAX_NOTE_LENGTH)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["agency", "-id"], name="note_newest")]

    def __str__(self) -> str:
        return self.pk


class MemberDigest(DueRow):
    """The daily mail of a member who wants one. `next_attempt_at` is when their next working day begins."""

    due_at_once: ClassVar[Q | None] = None

    member = models.OneToOneField(Member, models.CASCADE, primary_key=True, related_name="digest")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="member_digest_due", condition=Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"digest of {self.member_id}"
