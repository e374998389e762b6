"""Store the audit log of an agency: who changed what, and when."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.agency import Agency, ApiKey


class ActorKind(models.TextChoices):
    """Who makes changes: a person of the agency, Leadline's staff, or a program with an API key."""

    MEMBER = "member", "member"
    STAFF = "staff", "staff"
    KEY = "key", "API key"


class AuditEntry(models.Model):
    """One change. Append-only. It holds no secret, and of a lead or a LinkedIn account no more than the id.

    `action` is one of a few fixed texts, so that pages can translate it; `detail` says the rest, such as the fields.
    """

    id = models.BigAutoField(primary_key=True)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="audit_entries", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=8, choices=ActorKind)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="+")
    action = models.CharField(max_length=100)
    detail = models.CharField(max_length=300, blank=True)
    object_type = models.CharField(max_length=32, blank=True, help_text="The name of a model.")
    object_id = models.CharField(max_length=40, blank=True)
    object_label = models.CharField(max_length=200, blank=True, help_text="What it was called then.")

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["agency", "-id"], name="audit_newest"),
            models.Index(fields=["at"], name="audit_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}".strip()
