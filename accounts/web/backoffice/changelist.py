"""List rows of any number fast: in pages by key instead of OFFSET, without counting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import IGNORED_PARAMS, ChangeList
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.core.keyset import Position, fetch_page
from accounts.web.backoffice.pipeline import Stage, count_stages

OLDER, NEWER = "before", "after"


@dataclass(frozen=True, slots=True)
class FilterField:
    """A filter as a field of the form above the list: the parameter, its label, its options, and the chosen value."""

    name: str
    title: str
    options: Sequence[tuple[str, str]]
    value: str


class KeysetChangeList(ChangeList):
    """A list in the order of the primary key, newest first. `?before=<id>` and `?after=<id>` name the page."""

    older_url = newer_url = ""
    result_list: Any

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        if not self.is_popup:
            plural = str(self.opts.verbose_name_plural)
            self.title = getattr(self.model_admin, "menu_title", "") or plural[:1].upper() + plural[1:]
        self.stages = self._stages(request)

    @property
    def filter_fields(self) -> list[FilterField]:
        """Return the fields of the form above the list."""
        return [_field_of(spec, self) for spec in self.filter_specs]

    @property
    def kept_params(self) -> dict[str, str]:
        """Return the parameters of the address that the form has no field for, such as those of a pop-up choice."""
        return {name: value for name, value in self.params.items() if name in IGNORED_PARAMS and name != "q"}

    def get_filters_params(self, params: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (OLDER, NEWER)}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Make every link lead to the first page of its list, except the two that `get_results` makes."""
        turns_page = new_params is not None and (OLDER in new_params or NEWER in new_params)
        params = {name: value for name, value in self.filter_params.items() if name not in (OLDER, NEWER)}
        saved_params, self.filter_params = self.filter_params, params
        try:
            return super().get_query_string(new_params, [] if turns_page else remove)
        finally:
            self.filter_params = saved_params

    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Any]") -> list[Any]:
        return ["-pk"]

    def get_results(self, request: HttpRequest) -> None:
        older_than, newer_than = request.GET.get(OLDER), request.GET.get(NEWER)
        key = newer_than or older_than
        try:
            if "\x00" in f"{older_than}{newer_than}":
                raise ValueError("no key holds a NUL")
            position = Position(key, backwards=bool(newer_than)) if key else None
            page = fetch_page(self.queryset, self.list_per_page, position)
        except (ValueError, ValidationError, OverflowError) as error:
            raise IncorrectLookupParameters(error) from error
        if page.rows and page.has_after:
            self.older_url = self.get_query_string({OLDER: page.rows[-1].pk})
        if page.rows and page.has_before:
            self.newer_url = self.get_query_string({NEWER: page.rows[0].pk})
        self.first_url = self.get_query_string() if page.has_before else ""
        self.result_list = page.rows
        self.result_count = len(page.rows)
        self.full_result_count = None
        self.show_full_result_count = False
        self.show_admin_actions = True
        self.can_show_all = self.multi_page = False
        self.paginator = self.model_admin.get_paginator(request, self.queryset, self.list_per_page)

    def _stages(self, request: HttpRequest) -> list[Stage]:
        """Return the counts of the list's pipeline: each status, within the other filters."""
        page: Any = self.model_admin
        if page.pipeline is None or self.is_popup or not page.counts_stages(request):
            return []
        name = page.pipeline.parameter_name
        specs: list[Any] = self.filter_specs
        chosen = next((spec.value() for spec in specs if spec.parameter_name == name), None)
        return count_stages(
            page.pipeline.served_by_index(request, self.get_queryset(request, exclude_parameters=[name])),
            page.pipeline.labels,
            chosen=chosen or "",
            link=lambda status: self.get_query_string({name: status or None}),
        )


def _field_of(spec: Any, changelist: KeysetChangeList) -> FilterField:
    """Return a filter as a field. Its first option says what a list shows without it, such as `All`."""
    first = next(iter(spec.choices(changelist)))["display"]
    options = [("", str(first)), *((str(value), str(text)) for value, text in spec.lookup_choices)]
    return FilterField(spec.parameter_name, str(spec.title), options, spec.value() or "")


class OnePage(Paginator):  # type: ignore[type-arg]
    """A paginator with only a first page, for pop-up choices and object histories. A precise search finds other
    rows."""

    @cached_property
    def count(self) -> int:
        return len(self.object_list[: self.per_page])
