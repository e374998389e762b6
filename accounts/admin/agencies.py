"""Show agencies and their sub-accounts."""

from django.contrib import admin

from accounts.core.markup import ago, badge, code
from accounts.models import Agency, SubAccount
from accounts.tenancy.agencies import create_agency_without_key, update_agency
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.cross_links import list_links
from accounts.web.backoffice.filters import ByAgency
from accounts.web.backoffice.forms import ServiceForm


class NewAgencyForm(ServiceForm):
    taken = "Another agency has this company id."

    class Meta:
        model = Agency
        fields = ("name", "ghl_company_id", "timezone", "locale")

    def apply(self) -> Agency:
        return create_agency_without_key(
            name=self.cleaned_data["name"],
            company_id=self.cleaned_data["ghl_company_id"],
            timezone=self.cleaned_data["timezone"],
            locale=self.cleaned_data["locale"],
            by=self.by,
        )


class AgencyForm(ServiceForm):
    taken = "Another agency has this company id."

    class Meta:
        model = Agency
        fields = ("name", "ghl_company_id", "timezone", "locale", "reauth_contact")

    def apply(self) -> Agency:
        return update_agency(Agency.objects.get(pk=self.instance.pk), by=self.by, **self.changes)


@admin.register(Agency)
class AgencyAdmin(BackOfficeAdmin):
    audited = True
    form = AgencyForm
    list_display = ("name", "company_id", "timezone", "made")
    fieldsets = (
        (None, {"fields": ("name", "ghl_company_id", "id", "timezone", "locale", "reauth_contact", "made")}),
        ("What it has", {"fields": ("lists",)}),
    )
    editable = AgencyForm.Meta.fields
    add_form = NewAgencyForm
    add_fieldsets = (
        (
            None,
            {
                "fields": ("name", "ghl_company_id", "timezone", "locale"),
                "description": "The company id is HighLevel's companyId. Leave the suggestion if the agency has none. "
                "Then invite an owner: the agency makes its API keys itself.",
            },
        ),
    )
    search_fields = ("search_text",)  # for who chooses one
    search_help_text = "Part of the name, the company id or the id."

    @admin.display(description="company id")
    def company_id(self, agency: Agency) -> str:
        return code(agency.ghl_company_id)

    @admin.display(description="since")
    def made(self, agency: Agency) -> str:
        return ago(agency.created_at)

    @admin.display(description="lists")
    def lists(self, agency: Agency) -> str:
        return list_links(agency)


@admin.register(SubAccount)
class SubAccountAdmin(BackOfficeAdmin):
    list_display = ("place", "location_id", "agency", "state", "since")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "location_id", "id", "agency", "state", "installed_at", "uninstalled_at")}),
        ("Who installed the app", {"fields": ("installer_name", "installer_email", "ghl_user_id")}),
    )
    search_help_text = "Part of a name, location id, installer or id."

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
