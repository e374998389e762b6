"""Define the leads that wait for enrichment."""

from django.db import models

from accounts.core.jobs import DueRow
from leads.models.lead import Lead


class Enrichment(DueRow):
    """Store a lead that waits for the enrichers. The row is deleted once they have answered."""

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="enrichment")

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="enrichment_due", condition=models.Q(next_attempt_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return f"enrichment of {self.lead_id}"
