"""Agencies, their people, places and keys."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html_join

from accounts.admin.base import BackOfficeAdmin, HiddenFromIndex
from accounts.admin.filters import ByAgency
from accounts.admin.forms import ServiceForm
from accounts.agencies import create_agency
from accounts.display import ago, badge, code, list_link
from accounts.keys import create_api_key
from accounts.models import Agency, ApiKey, IdempotencyRecord, Member, SubAccount
from accounts.models.agency import Invitation
from accounts.team import invite
from accounts.vocabulary import Role, Scope

LISTS = [
    ("accounts_account", "Accounts"),
    ("leads_lead", "Leads"),
    ("accounts_campaign", "Campaigns"),
    ("accounts_source", "Sources"),
    ("webhooks_receipt", "Receipts"),
    ("accounts_event", "Events"),
    ("notifications_channel", "Channels"),
    ("notifications_delivery", "Deliveries"),
    ("accounts_subaccount", "Sub-accounts"),
    ("accounts_member", "Members"),
    ("accounts_invitation", "Invitations"),
    ("accounts_apikey", "API keys"),
]


class NewAgencyForm(ServiceForm):
    taken = "Another agency has this company id."

    class Meta:
        model = Agency
        fields = ("name", "ghl_company_id", "timezone", "locale")

    def apply(self) -> Agency:
        agency, key = create_agency(
            name=self.cleaned_data["name"],
            company_id=self.cleaned_data["ghl_company_id"],
            timezone=self.cleaned_data["timezone"],
            locale=self.cleaned_data["locale"],
        )
        agency._shown_once = {"title": f"{agency} is ready", "secrets": {"First API key (all scopes)": key}}  # type: ignore[attr-defined]
        return agency


@admin.register(Agency)
class AgencyAdmin(BackOfficeAdmin):
    list_display = ("name", "company_id", "timezone", "made")
    fieldsets = (
        (None, {"fields": ("name", "ghl_company_id", "id", "timezone", "locale", "reauth_contact", "made")}),
        ("What it has", {"fields": ("lists",)}),
    )
    editable = ("name", "timezone", "locale", "reauth_contact")
    add_form = NewAgencyForm
    add_fieldsets = (
        (
            None,
            {
                "fields": ("name", "ghl_company_id", "timezone", "locale"),
                "description": "The company id is HighLevel's companyId. Leave the suggestion if the agency has none.",
            },
        ),
    )
    search_fields = ("name", "ghl_company_id")
    search_help_text = "A part of the name, or a whole company id or id."

    def find(self, word: str, agency_id: str) -> Q:
        """Agencies are few: a part of the name will do."""
        return Q(name__icontains=word) | Q(pk=word) | Q(ghl_company_id=word)

    @admin.display(description="company id")
    def company_id(self, agency: Agency) -> str:
        return code(agency.ghl_company_id)

    @admin.display(description="since")
    def made(self, agency: Agency) -> str:
        return ago(agency.created_at)

    @admin.display(description="lists")
    def lists(self, agency: Agency) -> str:
        return format_html_join(" · ", "{}", ([list_link(view, text, agency=agency.pk)] for view, text in LISTS))


@admin.register(SubAccount)
class SubAccountAdmin(BackOfficeAdmin):
    list_display = ("place", "location_id", "agency", "state", "since")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "location_id", "id", "agency", "state", "installed_at", "uninstalled_at")}),
        ("Who installed the app", {"fields": ("installer_name", "installer_email", "ghl_user_id")}),
    )
    exact_search = ("pk", "location_id")
    search_help_text = "A whole id or location id."

    @admin.display(description="name")
    def place(self, place: SubAccount) -> str:
        return str(place)

    @admin.display(description="app")
    def state(self, place: SubAccount) -> str:
        if place.installed:
            return badge("installed", "good")
        return badge("uninstalled", "bad") if place.uninstalled_at else badge("not installed", "quiet")

    @admin.display(description="since")
    def since(self, place: SubAccount) -> str:
        return ago(place.installed_at if place.installed else place.uninstalled_at or place.created_at)


@admin.register(Member)
class MemberAdmin(BackOfficeAdmin):
    list_display = ("user", "agency", "role", "since")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "user")
    autocomplete_fields = ("agency",)
    raw_id_fields = ("user",)
    fieldsets = ((None, {"fields": ("agency", "user", "role", "since")}),)
    editable = ("role",)
    add_form = forms.ModelForm
    add_fieldsets = ((None, {"fields": ("agency", "user", "role")}),)
    search_help_text = "A whole id."

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    @admin.display(description="since")
    def since(self, member: Member) -> str:
        return ago(member.created_at)


class NewInvitationForm(ServiceForm):
    class Meta:
        model = Invitation
        fields = ("agency", "email", "role")

    def apply(self) -> Invitation:
        data = self.cleaned_data
        return invite(data["agency"], email=data["email"], role=Role(data["role"]))


@admin.register(Invitation)
class InvitationAdmin(BackOfficeAdmin):
    """How an agency's first person gets in: staff invite an owner, who invites the others."""

    list_display = ("email", "agency", "role", "state", "sent")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "invited_by")
    autocomplete_fields = ("agency",)
    fieldsets = ((None, {"fields": ("email", "agency", "role", "state", "invited_by", "sent", "ends", "accepted")}),)
    add_form = NewInvitationForm
    add_fieldsets = (
        (
            None,
            {
                "fields": ("agency", "email", "role"),
                "description": "They get a link by mail and choose a password there. An agency needs an owner first.",
            },
        ),
    )
    search_help_text = "A whole id."

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at:
            return badge("accepted", "good")
        return badge("open", "busy") if invitation.is_open else badge("expired", "warn")

    @admin.display(description="sent")
    def sent(self, invitation: Invitation) -> str:
        return ago(invitation.sent_at)

    @admin.display(description="ends")
    def ends(self, invitation: Invitation) -> str:
        return ago(invitation.expires_at)

    @admin.display(description="accepted")
    def accepted(self, invitation: Invitation) -> str:
        return ago(invitation.accepted_at)


class NewKeyForm(ServiceForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope.value, scope.value) for scope in Scope],
        widget=forms.CheckboxSelectMultiple,
        initial=[scope.value for scope in Scope],
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
        )
        row._shown_once = {"title": "The new API key", "secrets": {f"Key for {row.agency}": key}}  # type: ignore[attr-defined]
        return row


@admin.register(ApiKey)
class ApiKeyAdmin(BackOfficeAdmin):
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
    search_help_text = "A whole id."
    actions = ("revoke",)
    buttons = ("revoke",)
    confirm: ClassVar[dict[str, str]] = {"revoke": "Every program that uses this key stops at once, for good."}

    def fits(self, button: str, obj: ApiKey) -> bool:
        return obj.revoked_at is None

    @admin.action(description="Revoke", permissions=["operate"])
    def revoke(self, request: HttpRequest, keys: "QuerySet[ApiKey]") -> HttpResponse | None:
        living = list(keys.filter(revoked_at__isnull=True))
        keys.filter(pk__in=[key.pk for key in living]).update(revoked_at=timezone.now())
        for key in living:
            self.log_change(request, key, "Revoked.")
        self.tell(request, len(living), "Revoked")
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
            return badge("revoked", "bad")
        if key.expires_at and key.expires_at <= timezone.now():
            return badge("expired", "warn")
        return badge("valid", "good")

    @admin.display(description="last used")
    def used(self, key: ApiKey) -> str:
        return ago(key.last_used_at) if key.last_used_at else "never"

    @admin.display(description="made")
    def made(self, key: ApiKey) -> str:
        return ago(key.created_at)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(HiddenFromIndex, BackOfficeAdmin):
    """Without the kept answers: the first answer to a POST may hold a secret."""

    list_display = ("key", "agency", "status_code", "made")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("key", "agency", "fingerprint", "status_code", "made")}),)
    search_help_text = "A whole id."

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).defer("body")

    @admin.display(description="when")
    def made(self, record: IdempotencyRecord) -> str:
        return ago(record.created_at)
