"""Define scoring rules, the score of a lead, and the contributions that it is the sum of."""

from datetime import datetime
from functools import partial
from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from accounts.core.ids import new_id
from accounts.core.jobs import DueRow
from accounts.models import Agency
from leads.enums import ScoreGroup
from leads.models.lead import Lead
from leads.models.rules import Rule


class ScoringRule(Rule):
    """Give points to leads: for who they are (fit) or for what they did (engagement)."""

    CONTENT = ("group", "points", "cap")

    group = models.CharField(max_length=16, choices=[(group, group.value) for group in ScoreGroup])
    points = models.IntegerField(help_text="From -100 to 100.")
    cap = models.PositiveIntegerField(
        null=True, blank=True, help_text="The most that all rules of the group give together; the lowest one counts."
    )

    class Meta(Rule.Meta):
        indexes = [models.Index(fields=["agency", "position"], name="scoring_rule_by_position")]


class ScoringSettings(models.Model):
    """Store when a lead is of high priority, and how fast engagement fades."""

    agency = models.OneToOneField(Agency, models.CASCADE, primary_key=True, related_name="scoring_settings")
    threshold = models.PositiveIntegerField(default=70, help_text="The score from which a lead is of high priority.")
    half_life_days = models.PositiveIntegerField(default=14, help_text="After which half of the engagement is left.")

    def __str__(self) -> str:
        return f"scoring of {self.agency_id}"


class LeadScore(models.Model):
    """Store the score of a lead: who they are and what they did, and by which version of the rules."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="lead_score")
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    fit = models.IntegerField()
    engagement = models.IntegerField()
    total = models.IntegerField(help_text="From 0 to 100.")
    grade = models.CharField(max_length=2, help_text="A to C for fit, 1 to 3 for engagement.")
    contributions = models.JSONField(
        encoder=DjangoJSONEncoder, help_text="What each rule gave: `{rule, group, points, why, at}`. They sum to total."
    )
    rules_version = models.PositiveIntegerField()
    is_high = models.BooleanField(
        default=False, help_text="The lead was reported as high priority and has not fallen far enough since."
    )
    scored_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["agency", "lead"], name="score_that_fades", condition=models.Q(engagement__gt=0))
        ]

    def __str__(self) -> str:
        return f"{self.grade}, {self.total}"


class ScoringRun(DueRow):
    """Store how far an agency's scores have been computed anew: all after a change of rules, daily those that fade."""

    due_at_once: ClassVar[models.Q | None] = None

    agency = models.OneToOneField(Agency, models.CASCADE, primary_key=True, related_name="+")
    after = models.CharField(max_length=40, blank=True, help_text="The id of the last lead that was scored.")
    of_all_leads = models.BooleanField(default=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="scoring_run_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"scores of {self.agency_id}"


class ScoreLearning(DueRow):
    """Store what was learned about the scoring rules from leads and their outcomes, and what people did with it."""

    class State(models.TextChoices):
        LEARNING = "learning"
        LEARNED = "learned"
        SCHEDULED = "scheduled"
        ACCEPTED = "accepted"

    due_at_once: ClassVar[models.Q | None] = models.Q(state="learning", attempts=0, error="")

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "learning"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    state = models.CharField(max_length=16, choices=State, default=State.LEARNING)
    done = models.PositiveIntegerField(default=0, help_text="Leads looked at so far.")
    total = models.PositiveIntegerField(default=0)
    result = models.JSONField(null=True, help_text="What was learned: `leads.scoring.learning.suggestions`.")
    rules_version = models.PositiveIntegerField(null=True, help_text="The version of the rules that was looked at.")
    chosen = models.JSONField(default=list, help_text="The ids of the rules whose suggested points are taken over.")
    accepted_by = models.CharField(max_length=200, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_version = models.PositiveIntegerField(null=True, help_text="The version of the rules that they made.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="score_learning_newest"),
            models.Index(
                fields=["next_attempt_at"], name="score_learning_due", condition=models.Q(next_attempt_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"points learned for {self.agency_id}"

    @property
    def at(self) -> datetime | None:
        """Return when scheduled points are taken over."""
        return self.next_attempt_at if self.state == self.State.SCHEDULED else None
