"""Define what keeps erased leads from coming back."""

from django.db import models

from accounts.models import Agency


class Tombstone(models.Model):
    """Keep an erased lead from coming back. Store a keyed hash of the provider's id, never the id."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    erased_at = models.DateTimeField(help_text="Reports up to this time stay without effect.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "provider", "digest"], name="tombstone_once")]

    def __str__(self) -> str:
        return f"{self.provider} lead erased {self.erased_at:%Y-%m-%d}"
