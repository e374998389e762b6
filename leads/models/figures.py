"""Define what reports count of leads: narrow rows that are computed from history, and can be computed anew from it."""

from django.conf import settings
from django.db import models

from accounts.models import Account, Agency, Campaign, Source
from leads.enums import DEFAULT_CONVERSIONS, LossCause
from leads.models.lead import Lead


def _default_conversions() -> list[str]:
    return list(DEFAULT_CONVERSIONS)


class FigureSettings(models.Model):
    """Store which statuses an agency counts as a conversion."""

    agency = models.OneToOneField(Agency, models.CASCADE, primary_key=True, related_name="figure_settings")
    conversions = models.JSONField(default=_default_conversions)

    def __str__(self) -> str:
        return f"figures of {self.agency_id}"


class LeadFact(models.Model):
    """Store what reports count of one lead. `leads.analytics.facts` computes the row; nothing else writes it.

    Days and hours are those of the agency's time zone. The wait is that of the lead's first response clock.
    """

    lead = models.OneToOneField(Lead, models.CASCADE, primary_key=True, related_name="fact")
    agency = models.ForeignKey(Agency, models.CASCADE, db_index=False, related_name="+")
    received_at = models.DateTimeField()
    received_on = models.DateField()
    received_hour = models.PositiveSmallIntegerField()
    received_weekday = models.PositiveSmallIntegerField(help_text="0 is Monday.")
    lead_type = models.CharField(max_length=32, blank=True)
    form = models.CharField(max_length=200, blank=True)
    source = models.ForeignKey(Source, models.SET_NULL, null=True, db_index=False, related_name="+")
    campaign = models.ForeignKey(Campaign, models.SET_NULL, null=True, db_index=False, related_name="+")
    account = models.ForeignKey(Account, models.SET_NULL, null=True, db_index=False, related_name="+")
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, db_index=False, related_name="+"
    )
    seniority = models.CharField(max_length=16, blank=True)
    size_band = models.CharField(max_length=16, blank=True)
    industry = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=100, blank=True)
    status = models.CharField(max_length=24)
    furthest_status = models.CharField(max_length=24, blank=True)
    is_test = models.BooleanField()
    asked_at = models.DateTimeField(null=True, help_text="When the lead first had to wait for a person.")
    response_seconds = models.PositiveIntegerField(null=True)
    response_working_seconds = models.PositiveIntegerField(null=True)
    attempt_seconds = models.PositiveIntegerField(null=True)
    attempt_working_seconds = models.PositiveIntegerField(null=True)
    invited_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)
    replied_on = models.DateField(null=True)
    converted_at = models.DateTimeField(null=True)
    converted_on = models.DateField(null=True)
    lost_at = models.DateTimeField(null=True, help_text="None: the lead is not lost now.")
    lost_on = models.DateField(null=True)
    loss_cause = models.CharField(max_length=16, blank=True, choices=[(cause, cause.value) for cause in LossCause])

    class Meta:
        indexes = [
            models.Index(fields=["agency", "received_at"], name="lead_fact_by_receipt"),
            models.Index(
                fields=["agency", "asked_at"], name="lead_fact_by_wait", condition=models.Q(asked_at__isnull=False)
            ),
            models.Index(  # what campaigns show reads this alone
                fields=["agency", "campaign"],
                name="lead_fact_by_campaign",
                include=["furthest_status", "converted_at", "is_test"],
            ),
            models.Index(
                fields=["agency", "replied_at"],
                name="lead_fact_by_reply",
                condition=models.Q(replied_at__isnull=False),
            ),
            models.Index(
                fields=["agency", "converted_at"],
                name="lead_fact_by_conversion",
                condition=models.Q(converted_at__isnull=False),
            ),
            models.Index(
                fields=["agency", "lost_at"], name="lead_fact_by_loss", condition=models.Q(lost_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"figures of {self.lead_id}"


class LeadStep(models.Model):
    """Store when a lead first had a status."""

    id = models.BigAutoField(primary_key=True)
    agency = models.ForeignKey(Agency, models.CASCADE, db_index=False, related_name="+")
    lead = models.ForeignKey(Lead, models.CASCADE, db_index=False, related_name="steps")
    status = models.CharField(max_length=24)
    reached_at = models.DateTimeField()
    reached_on = models.DateField(help_text="In the agency's time zone.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["lead", "status"], name="lead_step_once")]
        indexes = [models.Index(fields=["agency", "reached_at"], name="lead_step_by_time", include=["status", "lead"])]

    def __str__(self) -> str:
        return f"{self.lead_id}: {self.status}"
