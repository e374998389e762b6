"""What a provider was asked to do with a campaign, until it has; and every call that asked for it."""

from django.db import models
from django.utils import timezone

from accounts.models.campaign import Campaign


class OrderAction(models.TextChoices):
    PAUSE = "pause", "pause"
    RESUME = "resume", "resume"


class OrderStatus(models.TextChoices):
    PENDING = "pending", "on its way"
    DONE = "done", "done"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "overtaken"


class CampaignOrder(models.Model):
    """How a campaign is to be at its provider: the latest wish, whatever was wished before."""

    campaign = models.OneToOneField(Campaign, models.CASCADE, primary_key=True, related_name="order")
    action = models.CharField(max_length=8, choices=OrderAction)
    status = models.CharField(max_length=12, choices=OrderStatus, default=OrderStatus.PENDING)
    number = models.PositiveIntegerField(default=1, help_text="Grows with every wish: an answer is to one of them.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try, so a crash counts too.")
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    leased_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=300, blank=True)
    placed_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="order_due", condition=models.Q(status=OrderStatus.PENDING)),
            models.Index(fields=["-campaign"], name="order_failed", condition=models.Q(status=OrderStatus.FAILED)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.get_status_display()}"


class CampaignCall(models.Model):
    """One try. `echoed_at` is when the provider's own webhook told us of it. Append-only but for that."""

    id = models.BigAutoField(primary_key=True)
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="calls")
    action = models.CharField(max_length=8, choices=OrderAction)
    at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=300, blank=True)
    echoed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["campaign", "-id"], name="campaign_call_newest")]

    def __str__(self) -> str:
        return self.action
