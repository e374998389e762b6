"""Show pools with the fairness of their turns, assignments, and leads that wait for an owner in the back office."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.core.jobs import restart
from accounts.core.markup import NOTHING, ago, badge, link, table
from accounts.models import Agency
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency
from leads.admin.filters import ByLead
from leads.conditions.target_lists import sentence_for
from leads.models import Assignment, Credit, Lead, Pool, PoolMember, RoutingRule, RoutingSettings, WaitingLead
from leads.routing.explanations import why_assigned, why_nobody_else

LEAD = 1_000_000  # millionths


def leads_of(millionths: int) -> str:
    """Return millionths of a lead as leads: “+0.4”."""
    return f"{millionths / LEAD:+.1f}"


@admin.register(Pool)
class PoolAdmin(BackOfficeAdmin):
    menu_position = 42
    menu_title = "Pools"
    text_search = ("name",)
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of its name, or of the agency's name."
    list_display = ("name", "agency", "kind", "is_catch_all", "respects_hours", "hold")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = (
        (None, {"fields": ("name", "agency", "kind", "is_catch_all", "respects_hours", "hold", "calendar")}),
        ("Overflow", {"fields": ("overflow_pool", "overflow_minutes")}),
    )
    empty_list = "No agency has a pool yet."


class ByPool(ByAgency):
    field = "pool__agency"


@admin.register(PoolMember)
class PoolMemberAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("pool", "member", "weight", "received", "is_behind", "daily_cap", "open_cap", "pause")
    list_filter = (ByPool,)
    list_select_related = ("pool", "member__user")
    fieldsets = (
        (None, {"fields": ("pool", "member", "weight", "received", "is_behind", "daily_cap", "open_cap", "pause")}),
    )

    @admin.display(description="behind")
    def is_behind(self, place: PoolMember) -> str:
        return leads_of(place.behind)

    @admin.display(description="paused until")
    def pause(self, place: PoolMember) -> str:
        return ago(place.paused_until) if place.paused_until else NOTHING


@admin.register(Credit)
class CreditAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "pool", "member", "leads", "reason")
    list_filter = (ByPool,)
    list_select_related = ("pool", "member__user")
    fieldsets = ((None, {"fields": ("pool", "member", "leads", "reason", "by", "when")}),)

    @admin.display(description="leads")
    def leads(self, credit: Credit) -> str:
        return leads_of(credit.amount)

    @admin.display(description="when")
    def when(self, credit: Credit) -> str:
        return ago(credit.at)


@admin.register(Assignment)
class AssignmentAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("when", "lead_link", "user", "why", "end")
    list_filter = (ByLead,)
    list_select_related = ("lead", "user", "pool", "by")
    fieldsets = (
        (None, {"fields": ("lead_link", "user", "why", "pool", "rule_name", "version", "when", "end", "by")}),
        ("Passed over", {"fields": ("others", "is_returned")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}

    @admin.display(description="lead")
    def lead_link(self, row: Assignment) -> str:
        return link(row.lead)

    @admin.display(description="why")
    def why(self, row: Assignment) -> str:
        return why_assigned(row, by=str(row.by.get_full_name() or row.by.get_username()) if row.by else "")

    @admin.display(description="why nobody else")
    def others(self, row: Assignment) -> str:
        return table(("Member", "Why"), why_nobody_else(row), empty="Nobody was passed over.")

    @admin.display(description="from")
    def when(self, row: Assignment) -> str:
        return ago(row.at)

    @admin.display(description="until")
    def end(self, row: Assignment) -> str:
        return ago(row.ended_at) if row.ended_at else badge("Now", "good")


@admin.register(RoutingRule)
class RoutingRuleAdmin(BackOfficeAdmin):
    menu_position = 43
    menu_title = "Routing rules"
    text_search = ("name",)
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}
    search_help_text = "part of its name, or of the agency's name."
    list_display = ("name", "agency", "position", "active", "pool", "member", "keeps", "version")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "pool", "member__user")
    fieldsets = (
        (None, {"fields": ("name", "agency", "position", "active", "disabled_reason", "sentence", "version")}),
        ("Effect", {"fields": ("member", "pool", "keeps", "tags", "target_minutes", "channels")}),
        ("Conditions", {"fields": ("conditions",), "classes": ("collapse",)}),
    )
    empty_list = "No agency has a routing rule yet."

    @admin.display(description="matches")
    def sentence(self, rule: RoutingRule) -> str:
        return sentence_for(rule.agency, rule.conditions)


@admin.register(RoutingSettings)
class RoutingSettingsAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("agency", "same_company", "company_days")
    list_filter = (ByAgency,)
    list_select_related = ("agency",)
    fieldsets = ((None, {"fields": ("agency", "same_company", "company_days")}),)


@admin.register(WaitingLead)
class WaitingLeadAdmin(BackOfficeAdmin):
    menu_position = 41
    menu_title = "Leads without an owner"
    list_display = ("label", "agency", "place", "waiting", "state", "error")
    list_filter = (ByAgency,)
    list_select_related = ("lead", "agency", "pool")
    fieldsets = ((None, {"fields": ("lead_link", "agency", "place", "waiting", "state", "attempts", "error")}),)
    search_help_text = "part of the lead's name, e-mail address or company."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    empty_list = "Every lead that was routed has an owner."
    actions = ("again",)
    buttons = ("again",)

    @admin.action(description="Route again", permissions=["operate"])
    def again(self, request: HttpRequest, rows: "QuerySet[WaitingLead]") -> None:
        self.apply_to_each(request, rows, lambda row: restart(WaitingLead.objects.filter(pk=row.pk)), "Under way")

    @admin.display(description="lead")
    def label(self, row: WaitingLead) -> str:
        return str(row.lead)

    @admin.display(description="lead")
    def lead_link(self, row: WaitingLead) -> str:
        return link(row.lead)

    @admin.display(description="waits in")
    def place(self, row: WaitingLead) -> str:
        return link(row.pool) if row.pool else badge("Unrouted", "warn")

    @admin.display(description="since")
    def waiting(self, row: WaitingLead) -> str:
        return ago(row.since)

    @admin.display(description="next attempt")
    def state(self, row: WaitingLead) -> str:
        return ago(row.next_attempt_at) if row.next_attempt_at else badge("Ended", "quiet")
