"""Show the target lists of agencies."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency
from leads.models import TargetList, TargetListEntry


@admin.register(TargetList)
class TargetListAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 65
    menu_title = "Target lists"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of the agency's name."
    list_display = ("name", "agency", "companies", "domains", "refused_count", "updated_at")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "agency", "companies", "domains", "created_at", "updated_at")}),
        ("The last file", {"fields": ("duplicates", "refused_count", "refused")}),
    )
    empty_list = "No agency has uploaded a target list yet."


class ByListsAgency(ByAgency):
    field = "target_list__agency"


@admin.register(TargetListEntry)
class TargetListEntryAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("text", "key", "target_list")
    list_filter = (ByListsAgency,)
    list_select_related = ("target_list",)
    fieldsets = ((None, {"fields": ("text", "key", "target_list")}),)
