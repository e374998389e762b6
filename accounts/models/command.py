"""Store what a provider is to do with a campaign, and every call that asked for it."""

from django.db import models
from django.utils import timezone

from accounts.core.jobs import DueRow
from accounts.models.campaign import Campaign


class CommandAction(models.TextChoices):
    PAUSE = "pause", "pause"
    RESUME = "resume", "resume"


class CommandStatus(models.TextChoices):
    PENDING = "pending", "on its way"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "overtaken"


class CampaignCommand(DueRow):
    """The state that a campaign is to have at its provider. The latest command replaces the one before."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="command")
    action = models.CharField(max_length=8, choices=CommandAction)
    status = models.CharField(max_length=12, choices=CommandStatus, default=CommandStatus.PENDING)
    issued_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="campaign_command_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
            models.Index(
                fields=["-campaign"], name="campaign_command_failed", condition=models.Q(status=CommandStatus.FAILED)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.get_status_display()}"


class CampaignCall(models.Model):
    """One call to a provider. `echoed_at` is when the provider's webhook reported the change. No other field
    changes."""

    id = models.BigAutoField(primary_key=True)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="calls")
    action = models.CharField(max_length=8, choices=CommandAction)
    at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)
    echoed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["campaign", "-id"], name="campaign_call_newest")]

    def __str__(self) -> str:
        return self.action
