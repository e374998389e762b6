"""Define what is kept so that a merge of leads can be undone."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from leads.models.lead import Lead


class LeadMerge(models.Model):
    """Store the values that one merge replaced, so that the merge can be undone."""

    record = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="merge")
    merged_at = models.DateTimeField()
    linkedin_key = models.CharField(
        max_length=500,
        blank=True,
        db_default="",
        editable=False,
        help_text="The record's own.",
    )
    replaced = models.JSONField(
        encoder=DjangoJSONEncoder, help_text="What the fields that the merge changed held in the record that is shown."
    )

    def __str__(self) -> str:
        return f"merge of {self.record_id}"


class OwnValues(models.Model):
    """Store the values that a lead has by itself, while it shows those of records that were merged into it too."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="own_values")
    own = models.JSONField(help_text="What it held when the first record was merged, and was reported of it since.")
    later = models.JSONField(default=dict, help_text="What was written on the lead as it is shown. It wins.")
    shown = models.JSONField(default=dict, help_text="What the lead showed when it was put together last.")

    def __str__(self) -> str:
        return f"own values of {self.lead_id}"
