"""Show leads that wait for enrichment, or whose enrichment failed, in the back office."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.core.markup import ago, badge, link
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.filters import ByAgency
from leads.enrichment.service import try_again
from leads.models import Enrichment


class ByLeadsAgency(ByAgency):
    field = "lead__agency"


@admin.register(Enrichment)
class EnrichmentAdmin(BackOfficeAdmin):
    list_display = ("label", "state", "attempts", "error")
    list_filter = (ByLeadsAgency,)
    list_select_related = ("lead",)
    fieldsets = ((None, {"fields": ("lead_link", "state", "attempts", "error")}),)
    search_help_text = "A whole id of a lead."
    empty_list = "Nothing waits. What the enrichers have looked at is not listed."
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
        return ago(row.next_attempt_at) if row.next_attempt_at else badge("given up", "bad")
