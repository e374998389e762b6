"""Define the clocks that measure how long leads wait for an answer, and the parts of that time."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.core.jobs import DueRow
from accounts.models import Agency, Calendar, Member
from leads.enums import ClockKind, SegmentKind, StopReason
from leads.models.lead import Lead
from leads.models.origin import origin_field


class ResponseClock(DueRow):
    """Measure how long a lead waits for a person's answer. A lead has one open clock of each kind.

    `next_attempt_at` is when the clock warns next or becomes overdue. Working time is that of the calendar; it counts
    from `period_started_at`, since when the present owner has the lead, and `spent_seconds` are those of the periods
    before. The figures of a clock that stopped never change.
    """

    due_at_once: ClassVar[Q | None] = None

    id = models.BigAutoField(primary_key=True)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="clocks")
    origin = origin_field()
    kind = models.CharField(max_length=16, choices=[(kind, kind.value) for kind in ClockKind])
    started_at = models.DateTimeField(help_text="When the lead wrote, by the provider's time.")
    received_at = models.DateTimeField(help_text="When Leadline received it.")
    known_at = models.DateTimeField(help_text="When Leadline showed it to the agency.")
    target_seconds = models.PositiveIntegerField(help_text="Of working time.")
    warn_seconds = models.PositiveIntegerField(help_text="Of working time.")
    calendar = models.ForeignKey(Calendar, models.SET_NULL, null=True, related_name="+")
    calendar_version = models.PositiveIntegerField(null=True)
    warn_at = models.DateTimeField()
    due_at = models.DateTimeField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    escalate_to = models.ForeignKey(
        Member, models.SET_NULL, null=True, related_name="+", help_text="Who hears of it once it is overdue."
    )
    period_started_at = models.DateTimeField()
    spent_seconds = models.FloatField(default=0.0)
    warned_at = models.DateTimeField(null=True)
    alerted_at = models.DateTimeField(null=True, help_text="When it was reported as overdue.")
    stopped_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(max_length=24, blank=True, choices=[(reason, reason.value) for reason in StopReason])
    goes_on_in = models.BigIntegerField(
        null=True, editable=False, help_text="Id of the clock that a merge let run for both records."
    )
    stopped_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    breached = models.BooleanField(default=False)
    elapsed_seconds = models.FloatField(null=True)
    working_seconds = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "kind"], name="clock_one_open_per_kind", condition=Q(stopped_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"], name="clock_due", condition=Q(next_attempt_at__isnull=False)
            ),
            models.Index(fields=["agency", "id"], name="clock_open", condition=Q(stopped_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.lead_id}"

    @property
    def is_open(self) -> bool:
        return self.stopped_at is None


class ClockSegment(models.Model):
    """Store one part of a clock's time: at the provider, in Leadline, outside of working hours, or with a person.

    The times between which the part lies may be those of another part as well: `seconds` says how much of it is this
    one's.
    """

    id = models.BigAutoField(primary_key=True)
    clock = models.ForeignKey(ResponseClock, models.CASCADE, related_name="segments")
    kind = models.CharField(max_length=16, choices=[(kind, kind.value) for kind in SegmentKind])
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    seconds = models.FloatField()

    def __str__(self) -> str:
        return f"{self.kind}: {self.seconds} s"
