"""Show open and closed issues of sources, and what to do about them."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.core.enums import IssueKind
from accounts.core.markup import ago, badge, link
from accounts.labels import SOURCE_ISSUES
from accounts.models import Agency, Source, SourceIssue
from accounts.sources.issues import ADVICE
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.filters import BySource


class ByOpen(SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(closed_at__isnull=True) if self.value() else queryset


@admin.register(SourceIssue)
class SourceIssueAdmin(BackOfficeAdmin):
    menu_group = "Inbound"
    menu_position = 20
    menu_title = "Source issues"
    list_display = ("what", "source_link", "agency_link", "since", "ended", "detail")
    list_filter = (ByOpen, BySource)
    list_select_related = ("source", "source__agency")
    fieldsets = ((None, {"fields": ("source", "what", "since", "ended", "detail", "advice")}),)
    search_help_text = "part of the source's or the agency's name, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"source": Source, "source__agency": Agency}
    empty_list = "No source issues."

    @admin.display(description="source")
    def source_link(self, issue: SourceIssue) -> str:
        return link(issue.source)

    @admin.display(description="agency")
    def agency_link(self, issue: SourceIssue) -> str:
        return link(issue.source.agency)

    @admin.display(description="issue")
    def what(self, issue: SourceIssue) -> str:
        label = SOURCE_ISSUES[IssueKind(issue.kind)]
        return badge(label.text, "quiet" if issue.closed_at else label.tone)

    @admin.display(description="since")
    def since(self, issue: SourceIssue) -> str:
        return ago(issue.opened_at)

    @admin.display(description="ended")
    def ended(self, issue: SourceIssue) -> str:
        return ago(issue.closed_at)

    @admin.display(description="what to do")
    def advice(self, issue: SourceIssue) -> str:
        return ADVICE[IssueKind(issue.kind)]
