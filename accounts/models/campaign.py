"""Store the campaigns of providers and their senders."""

from functools import partial

from django.db import models

from accounts.core.derived_fields import DerivedTextField, HasDerivedFields, search_text
from accounts.core.enums import CampaignStatus, PausedBy, provider_choices
from accounts.core.ids import new_id
from accounts.models.account import Account
from accounts.models.agency import Agency
from accounts.models.source import Source


class Campaign(HasDerivedFields):
    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "cmp"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="campaigns")
    provider = models.CharField(max_length=32, choices=provider_choices)
    external_id = models.CharField(max_length=200)
    name = models.CharField(max_length=300, blank=True)
    search_text = DerivedTextField(sources=("name", "external_id", "id"), derive=search_text)
    status = models.CharField(
        max_length=16, choices=[(s, s.value) for s in CampaignStatus], default=CampaignStatus.ACTIVE
    )
    paused_by = models.CharField(max_length=16, blank=True, choices=[(p, p.value) for p in PausedBy])
    pause_reason = models.CharField(max_length=300, blank=True)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="campaigns")
    source = models.ForeignKey(
        Source, models.SET_NULL, null=True, blank=True, related_name="campaigns", help_text="What last told of it."
    )
    sender_id = models.CharField(
        max_length=200, blank=True, help_text="Who sends it, as the provider names them; an account once it is mapped."
    )
    reported_at = models.DateTimeField(null=True, editable=False, help_text="Time of the report the status rests on.")
    reported_sequence = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "provider", "external_id"], name="campaign_once_per_external_id")
        ]
        indexes = [
            models.Index(fields=["agency", "-id"], name="campaign_newest"),
            models.Index(
                fields=["account"], name="campaign_held", condition=models.Q(status="paused", paused_by="system")
            ),
            models.Index(
                fields=["-id"],
                name="campaign_unprotected",
                condition=models.Q(account__isnull=True) & ~models.Q(status=CampaignStatus.FINISHED),
            ),
            models.Index(fields=["agency", "sender_id"], name="campaign_by_sender", condition=~models.Q(sender_id="")),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class Sender(models.Model):
    """The sender of campaigns, with the provider's id for it. `account` is set once a person maps it."""

    id = models.BigAutoField(primary_key=True)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="senders")
    provider = models.CharField(max_length=32, choices=provider_choices)
    external_id = models.CharField(max_length=200)
    account = models.ForeignKey(Account, models.SET_NULL, null=True, blank=True, related_name="senders")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["agency", "provider", "external_id"], name="sender_once_per_external_id")
        ]

    def __str__(self) -> str:
        return self.external_id
