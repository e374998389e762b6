"""Show the audit logs and the brands of agencies."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.core.markup import NOTHING, ago
from accounts.models import Agency, AuditEntry, Brand, BrandLogo
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency


@admin.register(AuditEntry)
class AuditEntryAdmin(BackOfficeAdmin):
    menu_group = "Agencies"
    menu_position = 60
    menu_title = "Audit log"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of the agency's name, or an id."
    list_display = ("action", "detail", "object_type", "object_label", "who", "agency", "when")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "user", "api_key")
    fieldsets = (
        (
            None,
            {"fields": ("agency", "when", "who", "action", "detail", "object_type", "object_id", "object_label")},
        ),
    )
    empty_list = "Nobody has changed anything yet."

    @admin.display(description="Who")
    def who(self, entry: AuditEntry) -> str:
        return f"{entry.api_key or entry.user or NOTHING} ({entry.get_actor_kind_display()})"

    @admin.display(description="When")
    def when(self, entry: AuditEntry) -> SafeString | str:
        return ago(entry.at)


@admin.register(Brand)
class BrandAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("agency", "sender_name", "colour", "changed")
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("agency", "sender_name", "colour", "changed")}),)

    @admin.display(description="Changed")
    def changed(self, brand: Brand) -> SafeString | str:
        return ago(brand.updated_at)


@admin.register(BrandLogo)
class BrandLogoAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("digest", "content_type", "size")
    fieldsets = ((None, {"fields": ("digest", "content_type", "size")}),)

    @admin.display(description="Size")
    def size(self, logo: BrandLogo) -> str:
        return format_html("{} bytes", len(logo.content))
