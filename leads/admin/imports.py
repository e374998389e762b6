"""Show the files of leads that agencies import, and what became of their rows."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model

from accounts.core.markup import NOTHING, ago, link
from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency, ByParent
from leads.labels import IMPORT_STATES, ROW_OUTCOMES
from leads.models import ImportMapping, ImportRow, LeadImport


@admin.register(LeadImport)
class LeadImportAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 66
    menu_title = "Imports"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of the agency's name, or an id."
    list_display = ("name", "agency", "stands", "total", "done", "error", "uploaded")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "agency", "stands", "total", "done", "counts", "undone", "error", "uploaded")}),
        ("The file", {"fields": ("encoding", "delimiter", "has_heading", "headings", "mapping")}),
        ("Work", {"fields": ("attempts", "next_attempt_at", "rows_deleted")}),
    )
    empty_list = "No agency has imported leads yet."

    @admin.display(description="state")
    def stands(self, found: LeadImport) -> str:
        return IMPORT_STATES[found.state].badge()

    @admin.display(description="uploaded")
    def uploaded(self, found: LeadImport) -> str:
        return ago(found.created_at)


class ByImport(ByParent):
    title, parameter_name, model, field = "import", "import", LeadImport, "lead_import"

    def label_fields(self) -> tuple[str, ...]:
        return ("name",)


@admin.register(ImportRow)
class ImportRowAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("number", "lead_import", "became", "reason", "lead_link")
    list_filter = (ByImport,)
    list_select_related = ("lead_import", "lead")
    fieldsets = ((None, {"fields": ("lead_import", "number", "became", "reason", "cells", "lead_link")}),)

    @admin.display(description="outcome")
    def became(self, row: ImportRow) -> str:
        return ROW_OUTCOMES[row.outcome].badge() if row.outcome else NOTHING

    @admin.display(description="lead")
    def lead_link(self, row: ImportRow) -> str:
        return link(row.lead) if row.lead else NOTHING


@admin.register(ImportMapping)
class ImportMappingAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("digest", "agency", "mapping", "updated_at")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("digest", "agency", "mapping", "updated_at")}),)
