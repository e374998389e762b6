"""Define the list filters of accounts in the back office."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.labels import ACCOUNT_STATUSES
from accounts.linkedin.attention import NEEDS_ATTENTION
from accounts.models import Account, ReauthPrompt
from accounts.web.backoffice.filters import ByStatus


class ByAccountStatus(ByStatus):
    """A filter by status. Deleted accounts are listed only if the status or a search asks for them."""

    labels = ACCOUNT_STATUSES

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "All but deleted"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        rows = super().queryset(request, queryset)
        return rows if self.value() or request.GET.get("q") else rows.exclude(status=AccountStatus.DELETED)


class ByOwnerAsked(SimpleListFilter):
    """A filter by what the owner of an account that does not work was asked."""

    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("asked", "Asked to reconnect"), ("not_asked", "Not asked yet")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        now = timezone.now()
        asked = Exists(ReauthPrompt.objects.filter(account=OuterRef("pk"), closed_at=None, expires_at__gt=now))
        if self.value() == "asked":
            return queryset.filter(asked)
        if self.value() == "not_asked":
            return queryset.filter(~asked, status__in=NEEDS_ATTENTION)
        return queryset


class ByLimit(SimpleListFilter):
    """A filter for accounts at a LinkedIn limit."""

    title, parameter_name = "rate limit", "limited"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Rate limited")]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Account]") -> "QuerySet[Account]":
        return queryset.filter(rate_limited_until__gt=timezone.now()) if self.value() else queryset
