"""Define the providers' references to leads."""

from dataclasses import dataclass
from datetime import datetime

from django.db import models

from accounts.core.enums import provider_choices
from accounts.models import Agency, Campaign, Source
from leads.enums import STATUS_CHOICES, LeadStatus
from leads.models.lead import Lead
from leads.models.origin import origin_field


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """Hold a lead's status with one provider in one campaign, and since when it applies."""

    status: LeadStatus
    since: datetime
    sequence: int = 0


class LeadReference(models.Model):
    """Store a lead's id, campaign and status at one provider."""

    id = models.BigAutoField(primary_key=True)
    lead = models.ForeignKey(Lead, models.CASCADE, related_name="references")
    origin = origin_field()
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=32, choices=provider_choices)
    external_id = models.CharField(max_length=200)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, blank=True, related_name="+")
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=24, choices=STATUS_CHOICES, default=LeadStatus.PENDING)
    status_since = models.DateTimeField()
    status_sequence = models.BigIntegerField(default=0, editable=False)
    reported_at = models.DateTimeField(null=True, editable=False, help_text="Time of the newest report.")
    reported_sequence = models.BigIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "provider", "external_id", "campaign"], name="lead_reference_once_per_campaign"
            ),
            models.UniqueConstraint(
                fields=["agency", "provider", "external_id"],
                name="lead_reference_once_without_campaign",
                condition=models.Q(campaign__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.external_id}"

    @property
    def current_status(self) -> CurrentStatus | None:
        """Return the status that the reports give. None before the first report."""
        if self.reported_at is None:
            return None
        return CurrentStatus(LeadStatus(self.status), self.status_since, self.status_sequence)

    @property
    def latest_report(self) -> tuple[datetime | None, int]:
        """Return the time and the sequence of the newest report."""
        return self.reported_at, self.reported_sequence
