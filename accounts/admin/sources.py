"""Where providers deliver: URLs, health, rotation. Secrets are on the page that makes them and on no other."""

from typing import Any, ClassVar

from cryptography.fernet import InvalidToken
from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from accounts.admin.base import BackOfficeAdmin, HiddenFromIndex
from accounts.admin.filters import ByAgency, BySource
from accounts.admin.forms import ServiceForm
from accounts.display import NOTHING, ago, badge, code, list_link, table
from accounts.models import Source, SourceSecret
from accounts.sources import SourceError, create_source, rotate_secret
from accounts.vocabulary import ProviderSlug


class NewSourceForm(ServiceForm):
    secret = forms.CharField(
        required=False,
        max_length=256,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="The one that the provider gave you. Left empty, one is made where the provider lets us choose it.",
    )
    location_id = forms.CharField(required=False, max_length=100, help_text="Only for a source of one location.")

    class Meta:
        model = Source
        fields = ("agency", "provider", "name", "secret", "location_id")

    def apply(self) -> Source:
        source, secret = create_source(
            agency=self.cleaned_data["agency"],
            provider=self.cleaned_data["provider"],
            name=self.cleaned_data["name"],
            secret=self.cleaned_data["secret"] or None,
            location_id=self.cleaned_data["location_id"],
        )
        shown = {"Webhook URL": source.webhook_url} | ({"Secret": secret} if secret else {})
        source._shown_once = {"title": f"{source} is ready", "secrets": shown}  # type: ignore[attr-defined]
        return source


@admin.register(Source)
class SourceAdmin(BackOfficeAdmin):
    list_display = ("label", "agency", "provider", "health", "received", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    autocomplete_fields = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "enabled", "health", "webhook_url_field", "previous_url", "received")}),
        ("Where it belongs", {"fields": ("id", "agency", "provider", "sub_account", "allowed_networks", "made")}),
        ("Keys", {"fields": ("secret_list", "api_keys", "challenged")}),
        (
            "How an account's owner reconnects it",
            {"fields": ("update_frame_url", "pin_endpoint", "proxy_location", "reauth_url")},
        ),
        ("What it sends", {"fields": ("drift_list", "gaps", "elsewhere")}),
    )
    editable = ("name", "enabled", "update_frame_url", "pin_endpoint", "proxy_location", "reauth_url")
    add_form = NewSourceForm
    add_fieldsets = ((None, {"fields": ("agency", "provider", "name", "secret", "location_id")}),)
    search_help_text = "A whole id."
    actions = ("rotate",)
    buttons = ("rotate",)
    confirm: ClassVar[dict[str, str]] = {
        "rotate": "A new secret is made and shown once (for LinkedConnector a new webhook URL). The old one stays "
        "valid while it is being exchanged at the provider."
    }

    @admin.action(description="Rotate secret", permissions=["operate"])
    def rotate(self, request: HttpRequest, sources: "QuerySet[Source]") -> HttpResponse | None:
        chosen = list(sources[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one source: each new secret is shown once.", messages.ERROR)
            return None
        source = chosen[0]
        try:
            secret = rotate_secret(source)
        except SourceError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        self.log_change(request, source, "Secret rotated.")
        shown = {"Webhook URL": source.webhook_url} | ({"Secret": secret} if secret else {})
        return self.shown_once(request, source, title=f"New secret of {source}", secrets=shown)

    def fits(self, button: str, obj: Source) -> bool:
        return obj.provider not in {ProviderSlug.LINKEDIN, ProviderSlug.HIGHLEVEL}

    @admin.display(description="source")
    def label(self, source: Source) -> str:
        return str(source)

    @admin.display(description="health")
    def health(self, source: Source) -> str:
        if not source.enabled:
            return badge("switched off", "quiet")
        if source.last_receipt_at is None:
            return badge("never heard of", "warn")
        return badge("delivers, with unknown fields", "warn") if source.drift else badge("delivers", "good")

    @admin.display(description="last receipt")
    def received(self, source: Source) -> str:
        return ago(source.last_receipt_at) if source.last_receipt_at else "never"

    @admin.display(description="since")
    def made(self, source: Source) -> str:
        return ago(source.created_at)

    @admin.display(description="webhook URL")
    def webhook_url_field(self, source: Source) -> str:
        return code(source.webhook_url)

    @admin.display(description="previous URL")
    def previous_url(self, source: Source) -> str:
        expires = source.previous_token_expires_at
        return ago(expires) if source.previous_token and expires and expires > timezone.now() else NOTHING

    @admin.display(description="secrets")
    def secret_list(self, source: Source) -> str:
        rows = source.secrets.defer("secret").order_by("-created_at", "-pk")
        return table(
            ("Made", "Ends"),
            ((ago(row.created_at), ago(row.expires_at) if row.expires_at else "stays valid") for row in rows),
            empty="It has none.",
        )

    @admin.display(description="API credentials")
    def api_keys(self, source: Source) -> str:
        try:
            names = sorted(source.credentials or {})
        except InvalidToken:
            return badge("none of today's encryption keys opens them", "bad")
        return f"stored: {', '.join(names)}" if names else NOTHING

    @admin.display(description="validated by LinkedIn")
    def challenged(self, source: Source) -> str:
        return ago(source.validated_at)

    @admin.display(description="fields we do not know")
    def drift_list(self, source: Source) -> str:
        rows = sorted(source.drift.items(), key=lambda row: -row[1])[:30]
        return table(("Field", "Seen"), ((code(name), count) for name, count in rows), empty="None so far.")

    @admin.display(description="more")
    def elsewhere(self, source: Source) -> str:
        return format_html(
            "{} · {} · {}",
            list_link("webhooks_receipt", "Receipts", source=source.pk),
            list_link("webhooks_rejectedrequest", "Rejected requests", source=source.pk),
            list_link("webhooks_providerrequest", "Registered requests", source=source.pk),
        )


@admin.register(SourceSecret)
class SourceSecretAdmin(HiddenFromIndex, BackOfficeAdmin):
    """That there is a secret, and since when; never which."""

    list_display = ("source", "made", "ends")
    list_filter = (BySource,)
    list_select_related = ("source",)
    fieldsets = ((None, {"fields": ("source", "made", "ends")}),)
    search_help_text = "A whole number."

    @admin.display(description="made")
    def made(self, secret: SourceSecret) -> str:
        return ago(secret.created_at)

    @admin.display(description="ends")
    def ends(self, secret: SourceSecret) -> Any:
        return ago(secret.expires_at) if secret.expires_at else "stays valid"
