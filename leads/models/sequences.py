"""Define sequences, their versions, and where each lead stands in them."""

from functools import partial
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Agency
from leads.enums import EndReason, EnrolmentState, StepKind, StepState, TriggerKind
from leads.models.activities import Task
from leads.models.inbox import Message
from leads.models.lead import Lead
from leads.models.mailing import OutboundEmail
from leads.models.origin import origin_field

#: States of enrolments that have not ended.
OPEN_STATES = (EnrolmentState.ACTIVE, EnrolmentState.PAUSED)


class Sequence(models.Model):
    """Store a sequence of an agency. What it does is in its versions."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "seq"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="sequences")
    name = models.CharField(max_length=120)
    active_since = models.DateTimeField(null=True, help_text="None: it enrols nobody, and sends nothing.")
    version = models.PositiveIntegerField(default=1, help_text="The number of its latest version.")
    disabled_reason = models.CharField(max_length=500, blank=True, help_text="Why Leadline switched it off.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "name"], name="sequence_name_once_per_agency")]

    def __str__(self) -> str:
        return self.name

    @property
    def active(self) -> bool:
        return self.active_since is not None


class SequenceVersion(models.Model):
    """Store what a sequence does, as one change left it. Rows are only appended."""

    id = models.BigAutoField(primary_key=True)
    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    trigger = models.JSONField(help_text="`{kind, status, tag, conditions}`.")
    steps = models.JSONField(
        help_text="`[{id, kind, delay, window, template, note, condition}]`; ids stay over versions."
    )
    changed_by = models.CharField(max_length=200, blank=True, help_text="Empty: Leadline itself.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sequence", "number"], name="sequence_version_once")]

    def __str__(self) -> str:
        return f"version {self.number}"


class Enrolment(DueRow):
    """Store where a lead stands in a version of a sequence. `next_attempt_at` is when its next step is looked at."""

    due_at_once: ClassVar[Q | None] = None

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "enr"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="enrolments")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="enrolments")
    origin = origin_field()
    sequence = models.ForeignKey(Sequence, models.CASCADE, related_name="enrolments")
    version = models.ForeignKey(SequenceVersion, models.CASCADE, related_name="enrolments")
    trigger = models.CharField(max_length=16, choices=[(one, one.value) for one in TriggerKind])
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=16, choices=[(one, one.value) for one in EnrolmentState])
    reason = models.CharField(max_length=24, choices=[(one, one.value) for one in EndReason], blank=True)
    next_step = models.CharField(max_length=40, blank=True, help_text="The id of the step that comes next.")
    last_step = models.CharField(max_length=40, blank=True, help_text="The id of the step that was confirmed last.")
    due_at = models.DateTimeField(
        null=True, help_text="When the next step is due. None: the last one is not confirmed."
    )
    paused_until = models.DateTimeField(null=True, help_text="None while it is paused: until a person resumes it.")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead"], name="enrolment_one_per_person", condition=Q(ended_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="enrolment_due", condition=Q(next_attempt_at__isnull=False)),
            models.Index(fields=["sequence", "-id"], name="enrolment_of_sequence"),
            models.Index(fields=["lead", "-id"], name="enrolment_of_lead"),
        ]

    def __str__(self) -> str:
        return self.pk

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


class StepRun(models.Model):
    """Store what became of one step for one enrolment. There is at most one, whatever is retried."""

    id = models.BigAutoField(primary_key=True)
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="runs")
    step = models.CharField(max_length=40, help_text="The id of the step.")
    kind = models.CharField(max_length=24, choices=[(one, one.value) for one in StepKind])
    state = models.CharField(max_length=16, choices=[(one, one.value) for one in StepState], default=StepState.WAITING)
    reason = models.CharField(max_length=500, blank=True, help_text="Why it is held, or was skipped.")
    email = models.OneToOneField(OutboundEmail, models.SET_NULL, null=True, related_name="run")
    message = models.OneToOneField(Message, models.SET_NULL, null=True, related_name="run")
    task = models.OneToOneField(Task, models.SET_NULL, null=True, related_name="step_run")
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, help_text="When it was sent or done.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enrolment", "step"], name="step_run_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.enrolment_id}"
