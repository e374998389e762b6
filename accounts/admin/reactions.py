"""Show reactions that wait or failed."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import SimpleListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html

from accounts.core.markup import NOTHING, ago, badge, link
from accounts.events import reactions
from accounts.models import Account, Reaction
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.cross_links import subject_link
from accounts.web.backoffice.filters import BySubject


class ByFailed(SimpleListFilter):
    title, parameter_name = "state", "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "Failed")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(next_attempt_at__isnull=True) if self.value() else queryset


@admin.register(Reaction)
class ReactionAdmin(BackOfficeAdmin):
    menu_group = "System"
    menu_position = 30
    menu_title = "Event reactions"
    list_display = ("subscriber", "subject_link", "event_link", "state", "attempts", "made", "error")
    list_filter = (ByFailed, BySubject)
    list_select_related = ("event",)
    fieldsets = (
        (None, {"fields": ("subscriber", "subject_link", "event_link", "state", "attempts", "made", "error", "facts")}),
    )
    search_help_text = "part of the account's name or e-mail address, or a whole id of what it is about."
    search_through: ClassVar[dict[str, type[Model]]] = {"subject": Account}
    exact_search = ("pk", "subject")
    actions = ("try_again",)
    buttons = ("try_again",)

    def is_button_applicable(self, button: str, obj: Reaction) -> bool:
        return bool(obj.error)

    @admin.action(description="Try again", permissions=["operate"])
    def try_again(self, request: HttpRequest, chosen: "QuerySet[Reaction]") -> None:
        self.apply_to_each(request, chosen, reactions.retry_reaction, "Tried again")

    @admin.display(description="about")
    def subject_link(self, reaction: Reaction) -> str:
        return subject_link(reaction.subject)

    @admin.display(description="event")
    def event_link(self, reaction: Reaction) -> str:
        return link(reaction.event) if reaction.event else NOTHING

    @admin.display(description="state")
    def state(self, reaction: Reaction) -> str:
        if reaction.next_attempt_at is None:
            return badge("Failed", "bad")
        if reaction.error:
            return format_html("{} {}", badge("Retrying", "busy"), ago(reaction.next_attempt_at))
        return badge("Pending", "busy")

    @admin.display(description="created")
    def made(self, reaction: Reaction) -> str:
        return ago(reaction.created_at)
