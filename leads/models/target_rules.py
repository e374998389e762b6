"""Define rules that say in how much working time a lead is to be answered."""

from django.db import models

from accounts.models import Member
from leads.models.rules import Rule


class TargetRule(Rule):
    """Give leads a response target, another time of the warning, and somebody who hears of what is overdue.

    The first active rule that matches counts, when a clock starts.
    """

    CONTENT = ("minutes", "warn_minutes", "escalate_to_id")

    minutes = models.PositiveIntegerField(help_text="Of working time.")
    warn_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="None: after two thirds.")
    escalate_to = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta(Rule.Meta):
        indexes = [models.Index(fields=["agency", "position"], name="target_rule_by_position")]
