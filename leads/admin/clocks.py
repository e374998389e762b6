"""Show response clocks in the back office: what waits for an answer, how long answers took, and where the time went."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.core.markup import NOTHING, ago, link, table
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency, WithinAgency
from leads.admin.filters import ByLead
from leads.conditions.target_lists import sentence_for
from leads.labels import CLOCK_KINDS, SEGMENT_KINDS, STOP_REASONS, clock_state, duration_text
from leads.models import ClockSegment, Lead, ResponseClock, TargetRule
from leads.sla.figures import figures_of


class ByClockState(WithinAgency):
    """Filter for clocks that are open, due soon, overdue, or that stopped."""

    title, parameter_name = "state", "state"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        return [("open", "Open"), ("due_soon", "Due soon"), ("overdue", "Overdue"), ("late", "Answered late")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        now = timezone.now()
        conditions: dict[str, dict[str, Any]] = {
            "open": {"stopped_at__isnull": True},
            "due_soon": {"stopped_at__isnull": True, "warn_at__lte": now, "due_at__gt": now},
            "overdue": {"stopped_at__isnull": True, "due_at__lte": now},
            "late": {"stopped_at__isnull": False, "breached": True},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(ResponseClock)
class ResponseClockAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 25
    menu_title = "Response clocks"
    list_display = ("kind_label", "lead_link", "agency", "state", "started", "due", "owned_by", "stopped", "took")
    list_filter = (ByAgency, ByClockState, ByLead)
    list_select_related = ("lead", "agency", "owner")
    fieldsets = (
        (None, {"fields": ("kind_label", "lead_link", "agency", "state", "owned_by")}),
        ("Times", {"fields": ("started_at", "received_at", "known_at", "warn_at", "due_at", "stopped", "reason")}),
        ("Plan", {"fields": ("target_seconds", "calendar", "calendar_version", "warned_at", "alerted_at", "error")}),
        ("Where the time went", {"fields": ("took", "worked", "parts_table")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    empty_list = "No lead has waited for an answer yet."

    @admin.display(description="measures")
    def kind_label(self, clock: ResponseClock) -> str:
        return str(CLOCK_KINDS[clock.kind])

    @admin.display(description="lead")
    def lead_link(self, clock: ResponseClock) -> str:
        return link(clock.lead)

    @admin.display(description="state")
    def state(self, clock: ResponseClock) -> str:
        return clock_state(clock, timezone.now()).badge()

    @admin.display(description="since")
    def started(self, clock: ResponseClock) -> str:
        return ago(clock.started_at)

    @admin.display(description="due")
    def due(self, clock: ResponseClock) -> str:
        return ago(clock.due_at)

    @admin.display(description="owner")
    def owned_by(self, clock: ResponseClock) -> str:
        return (clock.owner.get_full_name() or str(clock.owner)) if clock.owner else NOTHING

    @admin.display(description="stopped")
    def stopped(self, clock: ResponseClock) -> str:
        return ago(clock.stopped_at) if clock.stopped_at else NOTHING

    @admin.display(description="stopped by")
    def reason(self, clock: ResponseClock) -> str:
        return str(STOP_REASONS[clock.stop_reason]) if clock.stop_reason else NOTHING

    @admin.display(description="time")
    def took(self, clock: ResponseClock) -> str:
        return duration_text(((clock.stopped_at or timezone.now()) - clock.started_at).total_seconds())

    @admin.display(description="working time")
    def worked(self, clock: ResponseClock) -> str:
        return duration_text(figures_of(clock, timezone.now()).working)

    @admin.display(description="parts")
    def parts_table(self, clock: ResponseClock) -> str:
        rows = clock.segments.select_related("owner").order_by("started_at", "pk")
        return table(
            ("Where", "Owner", "From", "Until", "Time"),
            (
                (
                    str(SEGMENT_KINDS[row.kind]),
                    (row.owner.get_full_name() or str(row.owner)) if row.owner else NOTHING,
                    ago(row.started_at),
                    ago(row.ended_at),
                    duration_text(row.seconds),
                )
                for row in rows
            ),
            empty="The clock still runs, and has had one owner.",
        )


@admin.register(TargetRule)
class TargetRuleAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("name", "agency", "position", "active", "minutes", "escalate_to")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "escalate_to__user")
    fieldsets = (
        (None, {"fields": ("name", "agency", "position", "active", "sentence", "disabled_reason")}),
        ("Target", {"fields": ("minutes", "warn_minutes", "escalate_to", "version")}),
        ("Conditions", {"fields": ("conditions",), "classes": ("collapse",)}),
    )
    search_help_text = "an id."

    @admin.display(description="matches")
    def sentence(self, rule: TargetRule) -> str:
        return sentence_for(rule.agency, rule.conditions)


@admin.register(ClockSegment)
class ClockSegmentAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("clock", "kind", "owner", "started_at", "ended_at", "seconds")
    list_select_related = ("clock", "owner")
    fieldsets = ((None, {"fields": ("clock", "kind", "owner", "started_at", "ended_at", "seconds")}),)
