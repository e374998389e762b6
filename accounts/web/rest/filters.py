"""Query parameters: each one declared, checked and documented; every other one is a 400 that names it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import ValidationError
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.core.derived_fields import containing

MAX_LENGTH = 200
PAGING = ("limit", "cursor", "ordering")


class Filter(ABC):
    """One query parameter of a list."""

    description = ""

    @abstractmethod
    def q(self, value: str) -> Q:
        """The condition. Raises ValueError with a sentence for people."""

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "maxLength": MAX_LENGTH}


@dataclass(frozen=True)
class Exactly(Filter):
    """A column that equals the value."""

    column: str
    description: str = ""

    def q(self, value: str) -> Q:
        return Q(**{self.column: value})


@dataclass(frozen=True)
class OneOf(Filter):
    """A column that holds one word of a closed set."""

    column: str
    words: Iterable[str]
    description: str = ""

    def q(self, value: str) -> Q:
        if value not in list(self.words):
            raise ValueError(f"Choose one of {', '.join(self.words)}.")
        return Q(**{self.column: value})

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [str(word) for word in self.words]}


@dataclass(frozen=True)
class YesNo(Filter):
    """A condition that holds (`true`) or does not (`false`)."""

    condition: Q
    description: str = ""

    def q(self, value: str) -> Q:
        match value:
            case "true":
                return self.condition
            case "false":
                return ~self.condition
        raise ValueError("Say true or false.")

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Time(Filter):
    """A time column compared with the value (`lookup` is `gt` or `lt`)."""

    column: str
    lookup: str
    description: str = ""

    def q(self, value: str) -> Q:
        return Q(**{f"{self.column}__{self.lookup}": parse_time(value)})

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Search(Filter):
    """The row's search text contains the value, whatever its case, accents and blanks; or it is found by `also`."""

    also: Callable[[str], Q] | None = None
    description: str = "Part of a name, an address or an id."

    def q(self, value: str) -> Q:
        return containing(value) | self.also(value) if self.also else containing(value)


@dataclass(frozen=True)
class By(Filter):
    """A condition that a function makes of the value."""

    condition: Callable[[str], Q]
    description: str = ""

    def q(self, value: str) -> Q:
        return self.condition(value)


@dataclass(frozen=True)
class ByTime(Filter):
    """A condition that a function makes of a time."""

    condition: Callable[[datetime], Q]
    description: str = ""

    def q(self, value: str) -> Q:
        return self.condition(parse_time(value))

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


def parse_time(value: str) -> datetime:
    """An ISO 8601 time or date, UTC unless it says otherwise. Raises ValueError with a sentence for people."""
    try:
        moment = parse_datetime(value)
        if moment is not None:
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("Give a time such as 2026-01-31T12:00:00.000Z.")


class StrictFilters(BaseFilterBackend):
    """Applies the view's `filters`."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filters: Mapping[str, Filter] = view.filters  # type: ignore[attr-defined]
        errors = {}
        for name in request.query_params:
            if name in filters:
                try:
                    queryset = queryset.filter(filters[name].q(request.query_params[name]))
                except ValueError as error:
                    errors[name] = str(error)
        if errors:
            raise ValidationError(errors)
        return queryset

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        filters: Mapping[str, Filter] = view.filters  # type: ignore[attr-defined]
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": declared.description,
                "schema": declared.schema(),
            }
            for name, declared in filters.items()
        ]


def check_parameters(request: Request, allowed: Iterable[str]) -> None:
    """Refuse every parameter that is not allowed here, given twice, empty, too long or not plain text."""
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
