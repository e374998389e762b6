"""Show tasks and notes of leads in the back office."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.core.markup import NOTHING, ago, link
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from accounts.web.backoffice.filters import ByAgency, WithinAgency
from leads.admin.filters import ByLead
from leads.labels import TASK_KINDS, task_state
from leads.models import Lead, MemberDigest, Note, Task


class ByTaskState(WithinAgency):
    """Filter for tasks that are open, overdue or done."""

    title, parameter_name = "state", "state"

    def agency_lookups(self, agency_id: str) -> list[tuple[str, str]]:
        return [("open", "Open"), ("overdue", "Overdue"), ("done", "Done")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        conditions: dict[str, dict[str, Any]] = {
            "open": {"done_at__isnull": True},
            "overdue": {"done_at__isnull": True, "due_at__lte": timezone.now()},
            "done": {"done_at__isnull": False},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(Task)
class TaskAdmin(BackOfficeAdmin):
    menu_group = "Campaigns and leads"
    menu_position = 26
    menu_title = "Tasks"
    list_display = ("title", "kind_label", "lead_link", "agency", "state", "due", "owned_by")
    list_filter = (ByAgency, ByTaskState, ByLead)
    list_select_related = ("lead", "agency", "assigned_to")
    fieldsets = (
        (None, {"fields": ("title", "kind_label", "lead_link", "agency", "state", "owned_by", "made_by")}),
        ("Times", {"fields": ("created_at", "due_at", "alerted_at", "done_at", "done_by", "outcome", "error")}),
    )
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}
    empty_list = "No agency has made a task yet."

    @admin.display(description="kind")
    def kind_label(self, task: Task) -> str:
        return str(TASK_KINDS[task.kind])

    @admin.display(description="lead")
    def lead_link(self, task: Task) -> str:
        return link(task.lead)

    @admin.display(description="state")
    def state(self, task: Task) -> str:
        return task_state(task, timezone.now()).badge()

    @admin.display(description="due")
    def due(self, task: Task) -> str:
        return ago(task.due_at)

    @admin.display(description="assigned to")
    def owned_by(self, task: Task) -> str:
        return (task.assigned_to.get_full_name() or str(task.assigned_to)) if task.assigned_to else NOTHING


@admin.register(Note)
class NoteAdmin(HiddenFromIndex, BackOfficeAdmin):
    list_display = ("written", "lead_link", "author", "text")
    list_filter = (ByLead,)
    list_select_related = ("lead", "author")
    fieldsets = ((None, {"fields": ("lead_link", "author", "text", "created_at", "updated_at")}),)
    search_help_text = "part of the lead's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"lead": Lead}

    @admin.display(description="lead")
    def lead_link(self, note: Note) -> str:
        return link(note.lead)

    @admin.display(description="written")
    def written(self, note: Note) -> str:
        return ago(note.created_at)


@admin.register(MemberDigest)
class MemberDigestAdmin(HiddenFromIndex, BackOfficeAdmin):
    """When members get their next daily mail, and why one was not made."""

    list_display = ("member", "next_attempt_at", "error")
    list_select_related = ("member__user",)
    fieldsets = ((None, {"fields": ("member", "next_attempt_at", "attempts", "error")}),)
    search_help_text = "an id."
    empty_list = "No member wants a daily mail."
