"""Store the tenant, its members, its API keys and its sub-accounts."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models.fields.json import KT
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.core import known_ids
from accounts.core.derived_fields import DerivedTextField, HasDerivedFields, search_text
from accounts.core.enums import ReauthContact, Role
from accounts.core.ids import new_id

INVITATION_LIFETIME = timedelta(days=7)


def new_company_id() -> str:
    return new_id("co").removeprefix("co_")


class Agency(HasDerivedFields):
    """The tenant. Every row of the product belongs to an agency, directly or through its parent."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "agc"), editable=False)
    name = models.CharField(max_length=200)
    ghl_company_id = models.CharField("company id", max_length=100, unique=True, default=new_company_id)
    search_text = DerivedTextField(sources=("name", "ghl_company_id", "id"), derive=search_text)
    timezone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=16, default="en-US")
    reauth_contact = models.CharField(
        "whom to ask",
        max_length=8,
        choices=[(contact.value, contact.value) for contact in ReauthContact],
        default=ReauthContact.OWNER,
        help_text="Who gets the mail to reconnect an account when neither it nor its location has an address.",
    )
    response_minutes = models.PositiveIntegerField(
        "response target",
        default=15,
        db_default=15,
        help_text="Minutes of working time in which a lead is to be answered, where no rule says otherwise.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "agencies"
        permissions = [("view_portal", "Can view the portal as an agency")]

    def __str__(self) -> str:
        return self.name

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        known_ids.announce_known_ids(self.pk, self.ghl_company_id)


class Member(models.Model):
    """A person of an agency, with a role."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "mbr"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role, role.replace("_", " ")) for role in Role])
    calendar = models.ForeignKey(
        "accounts.Calendar", models.SET_NULL, null=True, blank=True, related_name="members",
        help_text="Working hours of their own; else those of their pool or the agency.",
    )  # fmt: skip
    paused_until = models.DateTimeField(null=True, blank=True, help_text="They get no new leads until then.")
    alerts = models.JSONField(
        default=dict, db_default={}, blank=True, help_text="What they are mailed: `accounts.tenancy.member_alerts`."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "user"], name="member_once_per_agency")]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


def invitation_end() -> datetime:
    return timezone.now() + INVITATION_LIFETIME


class Invitation(models.Model):
    """An invitation to become a member. The link in the mail is signed, not stored."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "inv"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="invitations")
    email = models.CharField(max_length=254)
    role = models.CharField(max_length=16, choices=[(role, role.replace("_", " ")) for role in Role])
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(default=invitation_end)
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "email"],
                name="invitation_open_once_per_address",
                condition=models.Q(accepted_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.expires_at > timezone.now()


class SubAccount(HasDerivedFields):
    """A location of an agency with its HighLevel id, and whether the app is installed there."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "sub"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="sub_accounts")
    location_id = models.CharField(max_length=100)
    name = models.CharField(max_length=200, blank=True)
    search_text = DerivedTextField(
        sources=("name", "location_id", "installer_name", "installer_email", "id"), derive=search_text
    )
    installed = models.BooleanField(default=False)
    installed_at = models.DateTimeField(null=True, blank=True)
    installer_name = models.CharField(max_length=200, blank=True)
    installer_email = models.CharField(max_length=254, blank=True)
    ghl_user_id = models.CharField(max_length=100, blank=True)
    uninstalled_at = models.DateTimeField(null=True, blank=True)
    vouched_for = models.BooleanField(
        default=False, editable=False, help_text="HighLevel itself named the location together with its company."
    )
    reported_at = models.DateTimeField(null=True, editable=False, help_text="Time of the report `installed` rests on.")
    reported_sequence = models.BigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "location_id"], name="sub_account_once_per_agency")]
        indexes = [models.Index(fields=["location_id"], name="sub_account_by_location")]

    def __str__(self) -> str:
        return self.name or self.location_id

    @transaction.atomic
    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new = self._state.adding
        super().save(*args, **kwargs)
        if is_new:
            known_ids.announce_known_ids(self.agency_id, self.location_id)


class ApiKey(models.Model):
    """A key of the REST API. Only its SHA-256 is stored; the key itself is shown once."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "key"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100, blank=True)
    start = models.CharField(max_length=16, editable=False, help_text="The key's first characters, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)

    def __str__(self) -> str:
        return f"{self.name or 'API key'} ({self.start}…)"


class IdempotencyRecord(models.Model):
    """The first response to a POST with an `Idempotency-Key`. The same POST gets it again for 24 hours."""

    agency = models.ForeignKey(Agency, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status_code = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["agency", "key"], name="idempotency_key_once_per_agency")]
        indexes = [
            models.Index(fields=["created_at"], name="idempotency_by_age"),
            models.Index(Lower(KT("body__subject")), name="idempotency_by_subject"),
        ]

    def __str__(self) -> str:
        return self.key
