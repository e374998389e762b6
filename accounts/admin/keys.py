"""Show API keys and idempotency records."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.core.enums import Scope
from accounts.core.markup import ago, badge
from accounts.models import Agency, ApiKey, IdempotencyRecord
from accounts.tenancy.api_keys import create_api_key, revoke_api_key
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex, acting_user
from accounts.web.backoffice.filters import ByAgency
from accounts.web.backoffice.forms import ServiceForm


class NewKeyForm(ServiceForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.READ.value],
    )

    class Meta:
        model = ApiKey
        fields = ("agency", "name", "scopes", "expires_at")

    def apply(self) -> ApiKey:
        row, key = create_api_key(
            self.cleaned_data["agency"],
            name=self.cleaned_data["name"],
            scopes=[Scope(scope) for scope in self.cleaned_data["scopes"]],
            expires_at=self.cleaned_data["expires_at"],
            by=self.by,
        )
        row._new_secrets = {"title": "The new API key", "secrets": {f"Key for {row.agency}": key}}  # type: ignore[attr-defined]
        return row


@admin.register(ApiKey)
class ApiKeyAdmin(BackOfficeAdmin):
    menu_group = "Agencies"
    menu_position = 40
    menu_title = "API keys"
    text_search = ("name", "start")
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    audited = True
    list_display = ("label", "agency", "scope_list", "state", "used", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    autocomplete_fields = ("agency",)
    fieldsets = (
        (
            None,
            {"fields": ("label", "id", "agency", "scope_list", "state", "made", "expires_at", "revoked_at", "used")},
        ),
    )
    add_form = NewKeyForm
    add_fieldsets = ((None, {"fields": ("agency", "name", "scopes", "expires_at")}),)
    search_help_text = "part of its name, its first characters, or part of the agency's name."
    actions = ("revoke",)
    buttons = ("revoke",)
    confirm: ClassVar[dict[str, str]] = {"revoke": "Every program that uses this key stops at once, for good."}

    def is_button_applicable(self, button: str, obj: ApiKey) -> bool:
        return obj.revoked_at is None

    @admin.action(description="Revoke", permissions=["operate"])
    def revoke(self, request: HttpRequest, keys: "QuerySet[ApiKey]") -> HttpResponse | None:
        self.apply_to_each(
            request, keys.filter(revoked_at__isnull=True), partial(revoke_api_key, by=acting_user(request)), "Revoked"
        )
        return None

    @admin.display(description="key")
    def label(self, key: ApiKey) -> str:
        return str(key)

    @admin.display(description="scopes")
    def scope_list(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return badge("Revoked", "bad")
        if key.expires_at and key.expires_at <= timezone.now():
            return badge("Expired", "warn")
        return badge("Active", "good")

    @admin.display(description="last used")
    def used(self, key: ApiKey) -> str:
        return ago(key.last_used_at) if key.last_used_at else "never"

    @admin.display(description="created")
    def made(self, key: ApiKey) -> str:
        return ago(key.created_at)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Idempotency records without their responses, because the response to a POST may hold a secret."""

    list_display = ("key", "agency", "status_code", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("key", "agency", "fingerprint", "status_code", "made")}),)
    search_help_text = "an id."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).defer("body")

    @admin.display(description="when")
    def made(self, record: IdempotencyRecord) -> str:
        return ago(record.created_at)
