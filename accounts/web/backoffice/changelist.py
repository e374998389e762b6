"""Lists that stay fast at any size: pages by key instead of OFFSET, and nothing is ever counted."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

OLDER, NEWER = "before", "after"


class KeysetChangeList(ChangeList):
    """Newest first by primary key; `?before=<id>` and `?after=<id>` name the page."""

    older_url = newer_url = ""
    result_list: Any

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not self.is_popup:
            plural = str(self.opts.verbose_name_plural)
            self.title = plural[:1].upper() + plural[1:]

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (OLDER, NEWER)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Every link leads to the first page of what it shows, except the two that `get_results` makes."""
        turning = new_params is not None and (OLDER in new_params or NEWER in new_params)
        kept = {name: value for name, value in self.filter_params.items() if name not in (OLDER, NEWER)}
        whole, self.filter_params = self.filter_params, kept
        try:
            return super().get_query_string(new_params, [] if turning else remove)
        finally:
            self.filter_params = whole

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        try:
            rows, has_newer, has_older = self._page(request.GET.get(OLDER), request.GET.get(NEWER))
        except (ValueError, ValidationError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error
        if rows and has_older:
            self.older_url = self.get_query_string({OLDER: rows[-1].pk})
        if rows and has_newer:
            self.newer_url = self.get_query_string({NEWER: rows[0].pk})
        self.first_url = self.get_query_string() if has_newer else ""
        self.result_list = rows
        self.result_count = len(rows)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def _page(self, older_than: str | None, newer_than: str | None) -> tuple[list[Model], bool, bool]:
        """The rows of the page, and whether there are newer and older ones."""
        size = self.list_per_page
        if "\x00" in f"{older_than}{newer_than}":
            raise ValueError("no key holds a NUL")
        if newer_than:
            found = list(self.queryset.filter(pk__gt=newer_than).order_by("pk")[: size + 1])
            return list(reversed(found[:size])), len(found) > size, True
        rows = self.queryset.filter(pk__lt=older_than) if older_than else self.queryset
        found = list(rows[: size + 1])
        return found[:size], bool(older_than), len(found) > size


class OnePage(Paginator):  # type: ignore[type-arg]
    """The first page and no other, for pop-up choices and object histories: who needs more searches more precisely."""

    @cached_property
    def count(self) -> int:
        return len(self.object_list[: self.per_page])
