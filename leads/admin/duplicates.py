"""Show the leads that look like one person, and what their agencies decided."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.core.markup import NOTHING, ago, link
from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.filters import ByAgency
from leads.admin.filters import ByLead
from leads.labels import LIKENESS, PROPOSALS
from leads.models import DuplicateProposal, Lead


class ByEitherLead(ByLead):
    """Filter by one of the two leads."""

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        if not self.value():
            return queryset
        return queryset.filter(lead=self.value()) | queryset.filter(other=self.value())


@admin.register(DuplicateProposal)
class DuplicateProposalAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 27
    menu_title = "Duplicate leads"
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency, "lead": Lead, "other": Lead}
    search_help_text = "part of a lead's name or e-mail address, or an id."
    list_display = ("pair", "agency", "why", "decided", "proposed")
    list_display_links = ("proposed",)  # the pair has links of its own
    list_filter = (ByAgency, ByEitherLead)
    list_select_related = ("agency", "lead", "other", "decided_by")
    fieldsets = ((None, {"fields": ("pair", "agency", "why", "proposed", "decided", "decided_at", "decided_by")}),)
    empty_list = "No two leads look like one person."

    @admin.display(description="leads")
    def pair(self, proposal: DuplicateProposal) -> str:
        return format_html("{} · {}", link(proposal.lead), link(proposal.other))

    @admin.display(description="what they share")
    def why(self, proposal: DuplicateProposal) -> str:
        return ", ".join(str(LIKENESS[reason]) for reason in proposal.reasons if reason in LIKENESS) or NOTHING

    @admin.display(description="decision")
    def decided(self, proposal: DuplicateProposal) -> str:
        return PROPOSALS[proposal.decision].badge()

    @admin.display(description="proposed")
    def proposed(self, proposal: DuplicateProposal) -> str:
        return ago(proposal.created_at)
