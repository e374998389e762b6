"""Store events: a history for people, and the outbox that `notifications` fans out."""

from functools import partial

from django.db import models
from django.utils import timezone

from accounts.core.enums import event_type_choices
from accounts.core.ids import new_id
from accounts.models.agency import Agency


class Event(models.Model):
    """One event. `payload` is the flat JSON body that agencies receive (contract)."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "evt"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="events")
    event_type = models.CharField(max_length=40, choices=event_type_choices)
    payload = models.JSONField()
    detail_sentence = models.JSONField(
        null=True, editable=False, help_text="The body's `error_detail` by codes and values."
    )
    subject = models.CharField(max_length=40, blank=True, help_text="Id of the account, lead, campaign, … it is about.")
    location_id = models.CharField(max_length=100, blank=True, help_text="For channels that listen to some locations.")
    receipt_id = models.CharField(max_length=40, blank=True)
    channel_id = models.CharField(max_length=40, blank=True, help_text="Only for this channel; empty: all that listen.")
    recipient = models.CharField(max_length=254, blank=True, help_text="Only for this address.")
    is_test = models.BooleanField(default=False, help_text="About a test lead: for channels that ask for those.")
    creation_locale = models.CharField(
        max_length=16, blank=True, help_text="Of the lead's form: for channels that listen to some languages."
    )
    also_for = models.JSONField(
        null=True, editable=False, help_text="Ids of channels that get it too, whatever they listen to."
    )
    occurred_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)
    fanned_out_at = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)
    error = models.CharField(max_length=500, blank=True, editable=False)
    #: Whether reactions were made with the event: it is fanned out after them. Not stored.
    awaits_reactions = False

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="event_newest"),
            models.Index(fields=["agency", "event_type", "-id"], name="event_by_type"),
            models.Index(fields=["subject", "-id"], name="event_by_subject"),
            models.Index(fields=["next_attempt_at"], name="event_due", condition=models.Q(fanned_out_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.id}"
