"""Store sources, where providers deliver to Leadline: URL token, secrets, API credentials."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from accounts.core.cache_version import bump_sources_version
from accounts.core.derived_fields import DerivedTextField, HasDerivedFields, search_text
from accounts.core.encrypted_fields import EncryptedJSONField
from accounts.core.enums import ProviderSlug, provider_choices
from accounts.core.ids import new_id, new_token
from accounts.core.masking import MASK
from accounts.models.agency import Agency, SubAccount

web_address = RegexValidator(r"\Ahttps://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?\Z", "Enter an https:// address.")
api_path = RegexValidator(r"\A(/[A-Za-z0-9_.-]+)+\Z", "Enter a path such as /api/v1/login_pin.")
host_name = RegexValidator(r"\A[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z", "Enter a host such as app.example.com.")
frame_template = RegexValidator(
    r"\Ahttps://\{domain_host_name\}/[A-Za-z0-9/_.?&=-]*\{token\}[A-Za-z0-9/_.?&=-]*\Z",
    "Enter an address such as https://{domain_host_name}/embedded/update/{token}.",
)


class InvalidatesSourceCache(models.Model):
    """A model that invalidates this process's cached sources when a row is saved or deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        super().save(*args, **kwargs)
        bump_sources_version()

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        deleted = super().delete(*args, **kwargs)
        bump_sources_version()
        return deleted


def new_source_id() -> str:
    """Return a time-ordered id with 40 extra random bits, because older URLs of LinkedConnector have it as their
    token."""
    return new_id("src") + new_token()[:8]


class Source(InvalidatesSourceCache, HasDerivedFields):
    """An agency's connection to a provider. A `highlevel` source without an agency serves the whole marketplace app."""

    id = models.CharField(primary_key=True, max_length=40, default=new_source_id, editable=False)
    agency = models.ForeignKey(Agency, models.CASCADE, related_name="sources", null=True, blank=True)
    provider = models.CharField(max_length=32, choices=provider_choices)
    name = models.CharField(max_length=200, blank=True)
    search_text = DerivedTextField(sources=("name", "provider", "id"), derive=search_text)
    token = models.CharField(
        max_length=64,
        unique=True,
        editable=False,
        help_text="The URL's last part: the id, until it is rotated.",
    )
    previous_token = models.CharField(max_length=64, blank=True, editable=False)
    previous_token_expires_at = models.DateTimeField(null=True, editable=False)
    enabled = models.BooleanField(default=True)
    sub_account = models.ForeignKey(SubAccount, models.SET_NULL, null=True, blank=True, related_name="sources")
    allowed_networks = models.JSONField(default=list, blank=True, help_text="CIDRs it may be called from; empty: all.")
    credentials: Any = EncryptedJSONField(tolerant=True, default=dict, blank=True, help_text="The provider API's keys.")
    credentials_set_at = models.JSONField(null=True, editable=False, help_text="Key → when it was set.")
    approved_frame_host = models.CharField(
        max_length=253,
        blank=True,
        validators=[host_name],
        help_text="Salesflow: the agency's own domain_host_name, once you know that it is Salesflow's. Owners of "
        "accounts type their LinkedIn password into its pages, which ours show; hosts under salesflow.io need no "
        "approval.",
    )
    update_frame_url = models.CharField(
        max_length=300,
        blank=True,
        validators=[frame_template],
        help_text="Salesflow: the page that updates an account, for example "
        "https://{domain_host_name}/embedded/update/{token}. Ask Salesflow for yours: it is not documented.",
    )
    pin_endpoint = models.CharField(
        max_length=200,
        blank=True,
        validators=[api_path],
        help_text="We-Link: the API path that takes a sign-in code, for example /api/v1/login_pin. "
        "Ask We-Link for yours: it is not documented.",
    )
    proxy_location = models.CharField(
        max_length=8, default="US", help_text="We-Link: the country its sign-in goes through."
    )
    reauth_url = models.CharField(
        max_length=500,
        blank=True,
        validators=[web_address],
        help_text="Where an account's owner reconnects it, if Leadline cannot offer the provider's own step.",
    )
    last_receipt_at = models.DateTimeField(null=True, editable=False)
    validated_at = models.DateTimeField(null=True, editable=False, help_text="LinkedIn's last challenge we answered.")
    drift = models.JSONField(default=dict, editable=False, help_text="Fields we do not know: path → how often seen.")
    gaps = models.PositiveIntegerField(default=0, editable=False, help_text="Changes whose previous status we missed.")
    removed_at = models.DateTimeField(
        null=True, editable=False, help_text="Gone for its agency; kept for its receipts."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["previous_token"], name="source_by_previous_token", condition=~models.Q(previous_token="")
            )
        ]

    def __str__(self) -> str:
        return self.name or f"{self.get_provider_display()} source"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.token = self.token or (new_token() if self.url_is_secret else self.id)
        super().save(*args, **kwargs)

    @property
    def readable_credentials(self) -> dict[str, str]:
        """Return the keys of the provider's API by name. Empty if no encryption key decrypts them."""
        stored = self.credentials if isinstance(self.credentials, dict) else {}
        return {name: value for name, value in stored.items() if isinstance(value, str)}

    @property
    def wanted_subscriptions(self) -> list[Any]:
        """Return the wanted LinkedIn subscriptions of the source, which are rows of Lead Sync."""
        sync = getattr(self, "lead_sync", None)
        return [row for row in sync.subscriptions.all() if row.wanted] if sync else []

    @property
    def url_is_secret(self) -> bool:
        """Return whether only the URL guards the source, because its provider signs nothing."""
        return self.provider == ProviderSlug.LINKEDCONNECTOR

    @property
    def webhook_url(self) -> str:
        return f"{settings.PUBLIC_URL}/webhooks/{self.provider}/{self.token}"

    @property
    def masked_webhook_url(self) -> str:
        """Return the URL for people who may not change the source. Its token is hidden if that is a secret."""
        return self.webhook_url.removesuffix(self.token) + MASK if self.url_is_secret else self.webhook_url


class SourceSecret(InvalidatesSourceCache):
    """One secret of a source. While a rotation overlaps there are two; the newest signs."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="secrets")
    secret: Any = EncryptedJSONField()
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.source_id}"


def secret_overlap() -> timedelta:
    """Return how long an old secret stays valid after a rotation."""
    return timedelta(hours=settings.SECRET_OVERLAP_HOURS)
