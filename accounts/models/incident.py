"""Store outages (accounts that stopped working unasked) and incidents (many outages at once, with a probable cause)."""

from functools import partial

from django.db import models
from django.utils import timezone

from accounts.core.enums import IncidentCause, provider_choices
from accounts.core.ids import new_id
from accounts.models.account import Account
from accounts.models.agency import Agency

NOT_KNOWN = "not known yet"
CAUSES = [(c.value, NOT_KNOWN if c is IncidentCause.UNKNOWN else c.value) for c in IncidentCause]


class Incident(models.Model):
    """Several outages of one agency that belong together. An incident is open while one of its accounts is not back.

    An incident without an agency is a provider's, across agencies. The incidents of the agencies are its `parts`.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "inc"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, null=True, blank=True, related_name="incidents")
    part_of = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="parts")
    provider = models.CharField(max_length=32, choices=provider_choices, blank=True, help_text="Empty: of several.")
    cause = models.CharField("probable cause", max_length=16, choices=CAUSES, default=IncidentCause.UNKNOWN)
    opened_at = models.DateTimeField(help_text="When the first account dropped.")
    last_outage_at = models.DateTimeField(help_text="When the latest account dropped.")
    alerted_at = models.DateTimeField(null=True, blank=True, help_text="When staff was alerted.")
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["agency", "-id"], name="incident_newest"),
            models.Index(fields=["-id"], name="incident_open", condition=models.Q(closed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        unknown = self.cause == IncidentCause.UNKNOWN
        return f"{self.agency or self.provider}: {f'cause {NOT_KNOWN}' if unknown else self.get_cause_display()}"


class Outage(models.Model):
    """An account that stopped working, until it is back. `status` is `active` if it has a problem, as with its
    proxy."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="outages")
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    provider = models.CharField(max_length=32, choices=provider_choices)
    incident = models.ForeignKey(Incident, models.SET_NULL, null=True, blank=True, related_name="outages")
    status = models.CharField(max_length=16)
    cause = models.CharField(max_length=16, choices=CAUSES)
    expected = models.BooleanField(default=False, help_text="A person made it, or the account's owner was at it.")
    at = models.DateTimeField(default=timezone.now, help_text="When it happened, by the provider's time.")
    noted_at = models.DateTimeField(default=timezone.now, help_text="When Leadline learned of it.")
    last_at = models.DateTimeField(default=timezone.now, help_text="When it last happened again.")
    alerted_at = models.DateTimeField(null=True, blank=True, help_text="When staff was alerted.")
    back_at = models.DateTimeField(null=True, blank=True)
    pending = models.BooleanField(
        default=True, help_text="Staff may still be alerted of it, or it become part of an incident."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], name="one_open_outage_per_account", condition=models.Q(back_at__isnull=True)
            )
        ]
        indexes = [
            models.Index(fields=["id"], name="outage_pending", condition=models.Q(pending=True)),
            models.Index(fields=["provider", "at"], name="outage_by_provider"),
            models.Index(fields=["incident", "-id"], name="outage_by_incident"),
            models.Index(fields=["account", "-id"], name="outage_by_account"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.status}"


class IncidentStep(models.Model):
    """One entry in the history of an incident. Append-only."""

    id = models.BigAutoField(primary_key=True)
    incident = models.ForeignKey(Incident, models.CASCADE, related_name="steps")
    at = models.DateTimeField(default=timezone.now)
    text = models.CharField(max_length=300)
    sentence = models.JSONField(null=True, blank=True, editable=False, help_text="Its code and values.")

    class Meta:
        indexes = [models.Index(fields=["incident", "-id"], name="incident_step_newest")]

    def __str__(self) -> str:
        return self.text
