"""Define the history of leads."""

from django.db import models

from leads.enums import ChangedBy, LeadStatus
from leads.models.lead import Lead
from leads.models.origin import origin_field
from leads.models.references import LeadReference


class LeadChange(models.Model):
    """Store one report about a lead, or one note, also if it changed nothing. Rows are only appended."""

    id = models.BigAutoField(primary_key=True)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="changes")
    origin = origin_field()
    reference = models.ForeignKey(LeadReference, models.SET_NULL, null=True, related_name="+")
    previous_status = models.CharField(max_length=24, blank=True)
    new_status = models.CharField(max_length=24)
    stated = models.BooleanField(help_text="The provider's own word; otherwise derived from another event.")
    is_report = models.BooleanField(default=True, help_text="Says where the lead stands; otherwise a remark.")
    changed_by = models.CharField(max_length=16, choices=[(c, c.value) for c in ChangedBy])
    user_id = models.BigIntegerField(null=True, editable=False, help_text="The user who made it, if a person did.")
    assignee_id = models.BigIntegerField(
        null=True, editable=False, help_text="The user whom the lead was assigned to; 0: nobody any more."
    )
    occurred_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True, editable=False, help_text="When the report reached Leadline.")
    sequence = models.BigIntegerField(default=0)
    receipt_id = models.CharField(max_length=40, blank=True)
    applied = models.BooleanField()
    note = models.CharField(max_length=500, blank=True)
    sentence = models.JSONField(null=True, editable=False, help_text="The note as code and values, if it is ours.")
    text = models.TextField(blank=True, default="", db_default="", help_text="What the lead answered.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["lead", "-id"], name="lead_change_newest"),
            models.Index(fields=["reference", "occurred_at"], name="lead_change_by_reference"),
            models.Index(
                fields=["new_status", "occurred_at"],
                name="lead_change_by_outcome",
                include=["lead", "previous_status"],
                condition=models.Q(
                    applied=True,
                    is_report=True,
                    new_status__in=[LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY, LeadStatus.MEETING_BOOKED],
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.previous_status or 'first seen'} → {self.new_status}"
