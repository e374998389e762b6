"""Store LinkedIn accounts as providers see them, and every report about them."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.db import models
from django.utils import timezone

from accounts.core.derived_fields import DerivedTextField, HasDerivedFields, search_text
from accounts.core.enums import AccountStatus, ProviderSlug, SuggestedAction, provider_choices
from accounts.core.ids import new_id
from accounts.core.linkedin_identity import public_identifier_key
from accounts.models.agency import Agency, SubAccount
from accounts.models.source import Source


def _key_of_identifier(values: Iterable[str]) -> str:
    return "".join(map(public_identifier_key, values))


class Account(HasDerivedFields):
    """A LinkedIn account as one provider sees it.

    It is unique by agency, provider and the provider's id. LinkedConnector sends no id, so its accounts are unique by
    location and folded name.
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "acc"), editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="accounts")
    provider = models.CharField(max_length=32, choices=provider_choices)
    external_id = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001 (unique where there is one)
    folded_name = models.CharField(max_length=200, blank=True, editable=False)
    sub_account = models.ForeignKey(SubAccount, models.SET_NULL, null=True, blank=True, related_name="accounts")
    source = models.ForeignKey(Source, models.SET_NULL, null=True, blank=True, related_name="accounts")

    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    public_identifier = models.CharField(max_length=200, blank=True)
    linkedin_key = DerivedTextField(sources=("public_identifier",), derive=_key_of_identifier)
    search_text = DerivedTextField(
        sources=(
            *("name", ("first_name", "last_name"), "email", "occupation", "public_identifier", "external_id"),
            "id",
        ),
        derive=search_text,
    )
    occupation = models.CharField(max_length=500, blank=True)
    premium = models.BooleanField(null=True, blank=True)
    api_id = models.CharField(
        max_length=200,
        blank=True,
        db_default="",
        default="",
        editable=False,
        help_text="We-Link: the `accountId` of its API, looked up by the e-mail address before the first message.",
    )

    status = models.CharField(max_length=16, choices=[(s, s.replace("_", " ")) for s in AccountStatus])
    status_reason = models.CharField(max_length=500, blank=True)
    status_since = models.DateTimeField()
    rate_limited_until = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, editable=False, help_text="Time of the report the status rests on.")
    reported_sequence = models.BigIntegerField(default=0, editable=False)
    token_expires_at = models.DateTimeField(null=True, editable=False)
    refresh_expires_at = models.DateTimeField(null=True, editable=False, help_text="No refresh moves it.")
    last_heartbeat_at = models.DateTimeField(null=True, editable=False, help_text="When its token last proved good.")
    granted_scopes = models.JSONField(default=list, editable=False)
    warned_days = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="The last warning said that so many days are left."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["agency", "provider", "external_id"],
                name="account_once_per_external_id",
                condition=models.Q(external_id__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["agency", "provider", "sub_account", "folded_name"],
                name="account_once_per_location_and_name",
                condition=models.Q(external_id__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["agency", "-id"], name="account_newest"),
            models.Index(fields=["agency", "status", "-id"], name="account_by_status"),
            models.Index(fields=["status", "-id"], name="account_everywhere_by_status"),
            models.Index(fields=["provider", "-id"], name="account_by_provider"),
            models.Index(fields=["status_since"], name="account_by_age"),
            models.Index(
                fields=["agency", "linkedin_key"], name="account_by_person", condition=~models.Q(linkedin_key="")
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.external_id or self.id

    @property
    def display_name(self) -> str:
        return self.name or f"{self.first_name} {self.last_name}".strip() or self.email

    @property
    def sender_ids(self) -> list[str]:
        """Return the ids by which SendPilot knows the account as a sender."""
        return sorted(sender.external_id for sender in self.senders.all())

    @property
    def status_label(self) -> str:
        return self.status.replace("_", " ")

    @property
    def rate_limited(self) -> bool:
        return self.rate_limited_until is not None and self.rate_limited_until > timezone.now()

    @property
    def sign_in_by(self) -> datetime | None:
        """Return when a person must have signed in again (LinkedIn's own connections only)."""
        return self.refresh_expires_at or self.token_expires_at

    @property
    def suggested_action(self) -> SuggestedAction:
        match AccountStatus(self.status):
            case AccountStatus.ACTIVE:
                return SuggestedAction.WAIT if self.rate_limited else SuggestedAction.NONE
            case AccountStatus.INCOMPLETE:
                return SuggestedAction.COMPLETE_ONBOARDING
            case AccountStatus.DISCONNECTED if self.provider == ProviderSlug.SALESFLOW:
                return SuggestedAction.SOLVE_CHALLENGE
            case AccountStatus.DISCONNECTED | AccountStatus.AUTH_ERROR:
                return SuggestedAction.SIGN_IN_AGAIN
            case AccountStatus.BLOCKED:
                return SuggestedAction.CONTACT_LINKEDIN
            case AccountStatus.DELETED:
                return SuggestedAction.ARCHIVE


class AccountReport(models.Model):
    """One report about an account, also if it changed nothing. Append-only."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, models.CASCADE, related_name="reports")
    from_status = models.CharField(max_length=16, blank=True, help_text="Empty: first seen.")
    to_status = models.CharField(max_length=16)
    occurred_at = models.DateTimeField()
    reported_by = models.CharField(max_length=32, help_text="The provider's slug, `api` or `staff`.")
    receipt_id = models.CharField(max_length=40, blank=True)
    applied = models.BooleanField()
    note = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["account", "-id"], name="account_report_newest")]

    def __str__(self) -> str:
        return f"{self.from_status or 'first seen'} → {self.to_status}"
