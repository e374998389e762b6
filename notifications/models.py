"""Where an agency listens, every Event on its way there, and every try."""

from functools import partial
from typing import Any

from django.db import models
from django.utils import timezone

from accounts.fields import EncryptedJSONField
from accounts.ids import new_id, new_token
from accounts.models import Agency, Event


class ChannelKind(models.TextChoices):
    EMAIL = "email", "e-mail"
    WEBHOOK = "webhook", "webhook"
    SLACK = "slack", "Slack"


class ChannelStatus(models.TextChoices):
    ENABLED = "enabled", "enabled"
    DISABLED = "disabled", "disabled"
    UNVERIFIED = "unverified", "waiting for confirmation"


class DeliveryStatus(models.TextChoices):
    PENDING = "pending", "on its way"
    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


class Channel(models.Model):
    """Where an agency listens. Empty `event_types` or `locations` mean all."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "chn"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=16, choices=ChannelKind)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    url: Any = EncryptedJSONField(default="", blank=True, help_text="May carry a token: kept encrypted.")
    event_types = models.JSONField(default=list, blank=True)
    locations = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=16, choices=ChannelStatus, default=ChannelStatus.ENABLED)
    disabled_reason = models.CharField(max_length=300, blank=True)
    mode = models.CharField(max_length=8, default="instant", help_text="E-mail: instant, hourly or daily.")
    quiet_hours = models.JSONField(null=True, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    headers: Any = EncryptedJSONField(default=dict, blank=True)
    rate_per_second = models.FloatField(null=True, blank=True)
    verification_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    unsubscribe_token = models.CharField(max_length=64, unique=True, default=new_token, editable=False)
    consecutive_failures = models.PositiveIntegerField(default=0, editable=False)
    failing_since = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["agency", "-id"], name="channel_newest")]

    def __str__(self) -> str:
        return self.name or self.email or f"{self.get_kind_display()} channel"


class ChannelSecret(models.Model):
    """`whsec_` + base64 of 32 bytes. While a rotation overlaps there are two, and both sign."""

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="secrets")
    secret: Any = EncryptedJSONField()
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.channel_id}"


class Delivery(models.Model):
    """One Event on its way to one Channel, or (`channel` null) to one address."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "dlv"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries")
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, related_name="deliveries")
    recipient = models.CharField(max_length=254, blank=True)
    status = models.CharField(max_length=12, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Counted before each try, so a crash counts too.")
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now)
    leased_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=500, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["event", "channel"],
                name="delivery_once_per_channel",
                condition=models.Q(channel__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["event", "recipient"],
                name="delivery_once_per_recipient",
                condition=models.Q(channel__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["agency", "-id"], name="delivery_newest"),
            models.Index(fields=["channel", "-id"], name="delivery_by_channel"),
            models.Index(
                fields=["next_attempt_at"],
                name="delivery_due",
                condition=models.Q(status=DeliveryStatus.PENDING),
            ),
            models.Index(
                fields=["-id"],
                name="delivery_needs_a_person",
                condition=models.Q(status=DeliveryStatus.FAILED),
            ),
        ]

    def __str__(self) -> str:
        return self.id


class Attempt(models.Model):
    """One try of a Delivery. Append-only."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempt_log")
    at = models.DateTimeField()
    duration_ms = models.PositiveIntegerField()
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=500, blank=True)
    response_excerpt = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.status_code or self.error}"
