"""Define proposals that two leads are one person."""

from functools import partial

from django.conf import settings
from django.db import models

from accounts.core.ids import new_id
from accounts.models import Agency
from leads.enums import ProposalDecision
from leads.models.lead import Lead


class DuplicateProposal(models.Model):
    """Store that two leads look like one person, and what people decided. `lead` has the smaller id.

    A decided proposal stays, so that the two are not proposed again.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "dup"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="duplicates")
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    other = models.ForeignKey(Lead, models.CASCADE, related_name="+")
    reasons = models.JSONField(default=list, help_text="What they have in common (`LikenessReason`).")
    decision = models.CharField(
        max_length=16, blank=True, choices=[(one, one.value) for one in ProposalDecision], help_text="Empty: open."
    )
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead", "other"], name="duplicate_proposal_once_per_pair")]
        indexes = [
            models.Index(fields=["agency", "-id"], name="duplicate_proposal_open", condition=models.Q(decision="")),
            models.Index(fields=["agency", "-id"], name="duplicate_proposal_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.lead_id} and {self.other_id}"
