"""Store the issues of sources, with their beginning and end."""

from django.db import models
from django.utils import timezone

from accounts.core.enums import issue_choices
from accounts.models.source import Source


class SourceIssue(models.Model):
    """One issue of a source from its beginning to its end. A source has at most one open issue of a kind."""

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(Source, models.CASCADE, related_name="issues")
    kind = models.CharField(max_length=16, choices=issue_choices)
    level = models.PositiveSmallIntegerField(default=0, help_text="LinkedIn's checks that were missed.")
    detail = models.CharField(max_length=500, blank=True)
    sentence = models.JSONField(null=True, blank=True, editable=False, help_text="Its code and values.")
    opened_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind"],
                name="source_issue_open_once_per_kind",
                condition=models.Q(closed_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(fields=["source", "-id"], name="source_issue_newest"),
            models.Index(fields=["-id"], name="source_issue_open", condition=models.Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} since {self.opened_at:%Y-%m-%d %H:%M}"
