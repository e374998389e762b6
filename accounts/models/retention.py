from django.db import models
from django.utils import timezone


class RetentionRun(models.Model):
    """The position of the current retention run, or the result of the last one. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    cutoff = models.DateTimeField(help_text="What is older than this goes.")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True, help_text="Until then nobody else goes on with it.")
    step = models.CharField(max_length=40, blank=True)
    position = models.CharField(max_length=100, blank=True, help_text="The key after which the step goes on.")
    erased = models.JSONField(default=dict, help_text="How much, by the place it was in.")
    failures = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, help_text="What could not be erased last.")

    def __str__(self) -> str:
        return f"retention of {self.started_at:%Y-%m-%d}"
