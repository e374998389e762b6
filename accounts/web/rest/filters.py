"""Declare, check and document query parameters. Any undeclared parameter is a 400 that names it.

A resource declares its parameters in a `StrictFilterSet`, which is django-filter's with fields that accept one
spelling.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from django_filters import filters
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from drf_spectacular.contrib.django_filters import DjangoFilterExtension
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.core.search import matching

MAX_LENGTH = 200


class StrictFilterSet(FilterSet):  # type: ignore[misc]
    """The filters of one list; the base class has none.

    Only filters that the request names are instantiated, because django-filter copies every filter for every request.
    """

    base_filters: dict[str, Any]

    def __init__(self, data: Mapping[str, str], *args: Any, **options: Any) -> None:
        declared = self.base_filters
        self.base_filters = {name: declared[name] for name in data if name in declared}
        super().__init__(data, *args, **options)


class StrictFilter(filters.Filter):  # type: ignore[misc]
    """One query parameter, with its OpenAPI schema."""

    schema: dict[str, Any] = {"type": "string", "maxLength": MAX_LENGTH}

    def __init__(self, field_name: str | None = None, *, label: str = "", **options: Any) -> None:
        super().__init__(field_name, label=label, **options)


class TextFilter(StrictFilter, filters.CharFilter):  # type: ignore[misc]
    """A filter by a text, which is not stripped."""

    def __init__(self, field_name: str | None = None, **options: Any) -> None:
        super().__init__(field_name, strip=False, **options)


class StrictChoiceFilter(StrictFilter, filters.ChoiceFilter):  # type: ignore[misc]
    """A filter by one of a closed set of words."""

    def __init__(self, words: Iterable[str], field_name: str | None = None, **options: Any) -> None:
        choices = [str(word) for word in words]
        self.schema = {"type": "string", "enum": choices}
        refusal = {"invalid_choice": f"Choose one of {', '.join(choices)}."}
        super().__init__(field_name, choices=[(word, word) for word in choices], error_messages=refusal, **options)


class ConditionFilter(StrictFilter, filters.ChoiceFilter):  # type: ignore[misc]
    """A filter for rows that meet a condition (`true`) or do not (`false`)."""

    schema = {"type": "boolean"}

    def __init__(self, condition: Q, **options: Any) -> None:
        self.condition = condition
        super().__init__(
            choices=[("true", "true"), ("false", "false")],
            error_messages={"invalid_choice": "Say true or false."},
            **options,
        )

    def filter(self, qs: "QuerySet[Any]", value: str) -> "QuerySet[Any]":
        return qs.filter(self.condition if value == "true" else ~self.condition) if value else qs


class TimeField(forms.Field):
    """A form field for a time or a date."""

    def to_python(self, value: str | None) -> datetime | None:
        return parse_time(value) if value else None


class TimeFilter(StrictFilter):
    """A filter by a time column, compared by `lookup_expr`."""

    field_class = TimeField
    schema = {"type": "string", "format": "date-time"}


class WholeNumberField(forms.Field):
    """A form field for a whole number of at most nine digits."""

    def to_python(self, value: str | None) -> int | None:
        if not value:
            return None
        if not re.fullmatch(r"-?[0-9]{1,9}", value, re.ASCII):
            raise forms.ValidationError("Give a whole number.")
        return int(value)


class NumberFilter(StrictFilter):
    """A filter by a column of whole numbers, compared by `lookup_expr`."""

    field_class = WholeNumberField
    schema = {"type": "integer"}


class SearchFilter(TextFilter):
    """A filter by the row's search text, regardless of case, accents and blanks."""

    def __init__(self, *, label: str = "Part of a name, an address or an id.", **options: Any) -> None:
        super().__init__(label=label, **options)

    def filter(self, qs: "QuerySet[Any]", value: str) -> "QuerySet[Any]":
        return qs.filter(matching(qs.model, value)) if value else qs


def parse_time(value: str) -> datetime:
    """Return an ISO 8601 time or date, in UTC unless it has an offset. Raises forms.ValidationError."""
    try:
        time = parse_datetime(value)
        if time is not None:
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise forms.ValidationError("Give a time such as 2026-01-31T12:00:00.000Z.")


class FilterSchema(DjangoFilterExtension):  # type: ignore[no-untyped-call]
    """Describe the filters to OpenAPI."""

    target_class = DjangoFilterBackend
    priority = 1

    def resolve_filter_field(self, *args: Any) -> list[dict[str, Any]]:
        name, declared = args[-2:]
        description = declared.label or ""
        return [{"name": name, "in": "query", "required": False, "description": description, "schema": declared.schema}]


def check_parameters(request: Request, allowed: Iterable[str]) -> None:
    """Refuse every parameter that is not allowed, repeated, empty, too long or not plain text."""
    known = set(allowed)
    errors = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name[:100]] = "There is no such parameter."
        elif len(values) > 1:
            errors[name] = "Give this parameter once."
        elif not values[0] or "\x00" in values[0]:
            errors[name] = "Give a value."
        elif len(values[0]) > MAX_LENGTH and name != "cursor":
            errors[name] = f"At most {MAX_LENGTH} characters."
    if errors:
        raise ValidationError(dict(list(errors.items())[:10]))
