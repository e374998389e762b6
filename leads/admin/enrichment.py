"""Show leads that wait for enrichment, or whose enrichment failed, in the back office."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.core.markup import ago, badge, link
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.filters import ByAgency
from leads.enrichment.service import try_again
from leads.models import Enrichment, Lead


class ByLeadsAgency(ByAgency):
    field = "lead__agency"


@admin.register(Enrichment)
class EnrichmentAdmin(BackOfficeAdmin):
    menu_position = 40
    menu_title = "Lead enrichment"
    list_display = ("label", "state", "attempts", "error")
    list_filter = (ByLeadsAgency,)
    list_select_related = ("lead",)
    fieldsets = ((None, {"fields": ("lead_link", "state", "attempts", "error")}),)
    search_help_text = "part of the lead's name, e-mail address or company."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    empty_list = "No leads wait for enrichment."
    actions = ("again",)
    buttons = ("again",)

    @admin.action(description="Try again", permissions=["operate"])
    def again(self, request: HttpRequest, rows: "QuerySet[Enrichment]") -> None:
        self.apply_to_each(request, rows, try_again, "Under way")

    @admin.display(description="lead")
    def label(self, row: Enrichment) -> str:
        return str(row.lead)

    @admin.display(description="lead")
    def lead_link(self, row: Enrichment) -> str:
        return link(row.lead)

    @admin.display(description="state")
    def state(self, row: Enrichment) -> str:
        return ago(row.next_attempt_at) if row.next_attempt_at else badge("Failed", "bad")
