"""Show agencies and their sub-accounts."""

from typing import ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.core.markup import ago, badge, code
from accounts.models import Agency, SubAccount
from accounts.tenancy.agencies import update_agency
from accounts.tenancy.onboarding import set_up_agency
from accounts.web.backoffice.agency_health import agency_health
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAgency
from accounts.web.backoffice.forms import ServiceForm
from accounts.web.portal.forms import LOCALES, timezone_choices
from accounts.web.portal.viewing import PERMISSION as VIEW_PORTAL
from accounts.web.portal.viewing import begin_viewing


class NewAgencyForm(ServiceForm):
    taken = "Another agency has this company id."
    owner_email = forms.EmailField(
        label="Owner's e-mail address", max_length=254, help_text="Gets the invitation, and chooses a password there."
    )
    timezone = forms.ChoiceField(choices=timezone_choices, label="Time zone", initial="UTC")
    locale = forms.ChoiceField(choices=LOCALES, label="Language and formats", initial="en-US")

    class Meta:
        model = Agency
        fields = ("name", "owner_email", "timezone", "locale", "ghl_company_id")
        help_texts: ClassVar[dict[str, str]] = {
            "ghl_company_id": "HighLevel's companyId. Keep the suggestion if the agency has none."
        }

    def apply(self) -> Agency:
        agency, _ = set_up_agency(
            name=self.cleaned_data["name"],
            owner_email=self.cleaned_data["owner_email"],
            company_id=self.cleaned_data["ghl_company_id"],
            timezone=self.cleaned_data["timezone"],
            locale=self.cleaned_data["locale"],
            by=self.by,
        )
        return agency


class AgencyForm(ServiceForm):
    taken = "Another agency has this company id."

    class Meta:
        model = Agency
        fields = ("name", "ghl_company_id", "timezone", "locale", "reauth_contact")
        labels: ClassVar[dict[str, str]] = {"reauth_contact": "Fallback contact"}

    def apply(self) -> Agency:
        return update_agency(Agency.objects.get(pk=self.instance.pk), by=self.by, **self.changes)


@admin.register(Agency)
class AgencyAdmin(BackOfficeAdmin):
    menu_group = "Agencies"
    menu_position = 10
    audited = True
    form = AgencyForm
    list_display = ("name", "company_id", "timezone", "made")
    fieldsets = (
        (None, {"fields": ("name", "ghl_company_id", "id", "timezone", "locale", "reauth_contact", "made")}),
        ("Health", {"fields": ("health",)}),
        ("Lists", {"fields": ("lists",)}),
    )
    editable = AgencyForm.Meta.fields
    add_form = NewAgencyForm
    add_fieldsets = (
        (
            None,
            {
                "fields": NewAgencyForm.Meta.fields,
                "description": "The agency is created and its owner invited. The owner makes the API keys: "
                "no key is shown to staff.",
            },
        ),
    )
    actions = ("view_portal",)
    buttons = ("view_portal",)
    search_fields = ("search_text",)  # for who chooses one
    search_help_text = "part of the name, company id or id."

    def has_view_portal_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(VIEW_PORTAL)

    @admin.action(description="View portal as this agency", permissions=["view_portal"])
    def view_portal(self, request: HttpRequest, agencies: "QuerySet[Agency]") -> HttpResponse | None:
        chosen = list(agencies[:2])
        if len(chosen) != 1:
            self.message_user(request, "Choose one agency.", messages.ERROR)
            return None
        begin_viewing(request, chosen[0])
        return redirect("home")

    def response_add(self, request: HttpRequest, obj: Agency, post_url_continue: str | None = None) -> HttpResponse:
        invited = obj.invitations.order_by("pk").values_list("email", flat=True).first()
        self.message_user(request, f"{obj} created. Invitation sent to {invited}.", messages.SUCCESS)
        return redirect(self.change_url(obj))

    @admin.display(description="needs attention")
    def health(self, agency: Agency) -> str:
        return agency_health(agency)

    @admin.display(description="company id")
    def company_id(self, agency: Agency) -> str:
        return code(agency.ghl_company_id)

    @admin.display(description="created")
    def made(self, agency: Agency) -> str:
        return ago(agency.created_at)

    @admin.display(description="lists")
    def lists(self, agency: Agency) -> str:
        return list_links(agency)


@admin.register(SubAccount)
class SubAccountAdmin(BackOfficeAdmin):
    menu_group = "Agencies"
    menu_position = 50
    menu_title = "Sub-accounts"
    list_display = ("place", "location_id", "agency", "state", "since")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "location_id", "id", "agency", "state", "installed_at", "uninstalled_at")}),
        ("Who installed the app", {"fields": ("installer_name", "installer_email", "ghl_user_id")}),
    )
    search_help_text = "part of a name, location id, installer's name or e-mail address, or id."

    @admin.display(description="name")
    def place(self, place: SubAccount) -> str:
        return str(place)

    @admin.display(description="app")
    def state(self, place: SubAccount) -> str:
        if place.installed:
            return badge("Installed", "good")
        return badge("Uninstalled", "bad") if place.uninstalled_at else badge("Not installed", "quiet")

    @admin.display(description="since")
    def since(self, place: SubAccount) -> str:
        return ago(place.installed_at if place.installed else place.uninstalled_at or place.created_at)
