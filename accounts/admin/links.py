"""Let staff decide whether accounts that share only a name belong to one person."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join

from accounts.core.enums import provider_name
from accounts.core.labels import Label
from accounts.core.markup import ago, link
from accounts.labels import ACCOUNT_LINKS, status_badge
from accounts.linkedin.links import decide_link
from accounts.models import Account, AccountLink
from accounts.models.link import LinkState
from accounts.web.backoffice.base import BackOfficeAdmin
from accounts.web.backoffice.filters import ByAgency, ByStatus


class ByLinkState(ByStatus):
    """A filter by decision. It shows the undecided links first, and the others on request."""

    labels: ClassVar[dict[LinkState, Label]] = {
        state: label for state, label in ACCOUNT_LINKS.items() if state != LinkState.PROPOSED
    }

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "Undecided"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(state=self.value() or LinkState.PROPOSED)


@admin.register(AccountLink)
class AccountLinkAdmin(BackOfficeAdmin):
    menu_position = 40
    menu_title = "Possible duplicates"
    list_display = ("pair", "agency", "where", "standing", "proposed")
    list_filter = (ByLinkState, ByAgency)
    list_select_related = ("agency", "first", "second", "decided_by")
    fieldsets = (
        (None, {"fields": ("one", "other", "standing", "proposed")}),
        ("Decided", {"fields": ("decided_by", "decided")}),
    )
    search_help_text = "part of an account's name or e-mail address, or an id."
    search_through: ClassVar[dict[str, type[Model]]] = {"first": Account, "second": Account}
    empty_list = "No possible duplicates: no two accounts share only their name."
    actions = ("accept", "decline")
    buttons = ("accept", "decline")

    def is_button_applicable(self, button: str, obj: AccountLink) -> bool:
        return obj.state != (LinkState.ACCEPTED if button == "accept" else LinkState.DECLINED)

    @admin.action(description="The same person", permissions=["operate"])
    def accept(self, request: HttpRequest, links: "QuerySet[AccountLink]") -> None:
        self._decide(request, links, same=True)

    @admin.action(description="Not the same person", permissions=["operate"])
    def decline(self, request: HttpRequest, links: "QuerySet[AccountLink]") -> None:
        self._decide(request, links, same=False)

    def _decide(self, request: HttpRequest, links: "QuerySet[AccountLink]", *, same: bool) -> None:
        chosen = list(links)
        for link_ in chosen:
            decide_link(link_, same=same, by=request.user.pk)
            self.log_change(request, link_, "The same person." if same else "Not the same person.")
        self.message_result(request, len(chosen), "Linked" if same else "Kept apart")

    @admin.display(description="accounts")
    def pair(self, row: AccountLink) -> str:
        return str(row)

    @admin.display(description="at")
    def where(self, row: AccountLink) -> str:
        return f"{provider_name(row.first.provider)}, {provider_name(row.second.provider)}"

    @admin.display(description="decision")
    def standing(self, row: AccountLink) -> str:
        return ACCOUNT_LINKS[LinkState(row.state)].badge()

    @admin.display(description="proposed")
    def proposed(self, row: AccountLink) -> str:
        return ago(row.created_at)

    @admin.display(description="decided")
    def decided(self, row: AccountLink) -> str:
        return ago(row.decided_at)

    @admin.display(description="one")
    def one(self, row: AccountLink) -> str:
        return _account(row.first)

    @admin.display(description="the other")
    def other(self, row: AccountLink) -> str:
        return _account(row.second)


def _account(account: Any) -> str:
    words = (
        link(account),
        provider_name(account.provider),
        status_badge(account.status),
        account.email,
        account.occupation,
    )
    return format_html_join(" · ", "{}", ([word] for word in words if word))
