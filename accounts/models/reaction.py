"""Store what subscribers have to do because of an event, after its transaction."""

from django.db import models
from django.utils import timezone

from accounts.core.jobs import DueRow
from accounts.models.event import Event


class Reaction(DueRow):
    """What one subscriber has to do because of one event. The row is deleted once that is done.

    A subscriber's reactions to one subject are carried out in the order in which they were made.
    """

    id = models.BigAutoField(primary_key=True)
    subscriber = models.CharField(max_length=40)
    event = models.ForeignKey(
        Event, models.CASCADE, null=True, related_name="reactions", help_text="None: agencies heard of none."
    )
    subject = models.CharField(max_length=40)
    facts = models.JSONField(default=dict, help_text="What the event's body does not say.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(
                fields=["next_attempt_at", "id"],
                name="reaction_due",
                condition=models.Q(next_attempt_at__isnull=False),
            ),
            models.Index(fields=["subscriber", "subject", "id"], name="reaction_by_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.subject}"
