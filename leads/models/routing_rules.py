"""Define the rules that say who gets a lead."""

from django.db import models

from accounts.models import Member
from leads.models.routing import Pool
from leads.models.rules import Rule


class RoutingRule(Rule):
    """Lead a lead to a member or to a pool, or keep it with nobody; also tag it, and set its time to answer."""

    CONTENT = ("member_id", "pool_id", "keeps", "tags", "target_minutes", "channels")

    member = models.ForeignKey(Member, models.SET_NULL, null=True, blank=True, related_name="+")
    pool = models.ForeignKey(Pool, models.SET_NULL, null=True, blank=True, related_name="+")
    keeps = models.BooleanField(default=False, help_text="Leaves the lead to whoever takes it, off the unrouted list.")
    tags = models.JSONField(default=list, blank=True)
    target_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="To the first answer.")
    channels = models.JSONField(default=list, blank=True, help_text="Ids of channels that hear of the assignment too.")

    class Meta(Rule.Meta):
        indexes = [models.Index(fields=["agency", "position"], name="routing_rule_by_position")]
