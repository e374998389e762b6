"""Paginate the API: a cursor names a position of `accounts.core.keyset` and the ordering that it belongs to."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from django.db.models import IntegerField, Model, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from accounts.core.keyset import MAX_NUMBER, Page, Position, fetch_page, is_key

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
NEWEST_FIRST = "Newest first unless said otherwise."
PAGING_PARAMETERS = ("limit", "cursor", "ordering")


@dataclass(frozen=True)
class Cursor:
    """A position in a list, and the ordering of the list."""

    ordering: str
    position: Position

    def encode(self) -> str:
        at = self.position
        value = at.value.isoformat() if isinstance(at.value, datetime) else at.value
        raw = json.dumps([self.ordering, at.backwards, at.inclusive, value, at.key])
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Return the cursor that `encode` wrote; a time in it is still a text. Raises ValueError."""
        try:
            raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            ordering, backwards, inclusive, value, key = json.loads(raw)
        except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError, TypeError) as error:
            raise ValueError("not a cursor") from error
        if not isinstance(backwards, bool) or not isinstance(inclusive, bool):
            raise ValueError("not a cursor")
        return cls(ordering, Position(key, value, backwards, inclusive))


class KeysetPagination(BasePagination):
    """Pagination by `?limit=`, `?cursor=` and `?ordering=`, which names one of the view's `orderings`."""

    next: Cursor | None = None
    previous: Cursor | None = None

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        limit = read_limit(request)
        self.ordering, self.column = read_ordering(request, view.orderings, view.default_ordering)
        position = self._read_position(queryset)
        descending = self.ordering.startswith("-")
        page = fetch_page(queryset, limit, position, column=self.column, descending=descending, trim=self.trim)
        self._set_links(page, position)
        return page.rows

    def trim(self, rows: Sequence[Any]) -> Sequence[Any]:
        """Return the rows of a page to show: all, or fewer from its beginning."""
        return rows

    def _set_links(self, page: Page[Any], position: Position | None) -> None:
        if page.rows:
            self.previous = self._cursor_at(page.rows[0], backwards=True) if page.has_before else None
            self.next = self._cursor_at(page.rows[-1], backwards=False) if page.has_after else None
        elif position:  # no row is left on that side, so the way back starts at the row that the cursor names
            back = replace(position, backwards=not position.backwards, inclusive=not position.inclusive)
            cursor = Cursor(self.ordering, back)
            self.previous, self.next = (cursor, None) if back.backwards else (None, cursor)

    def _cursor_at(self, row: Any, *, backwards: bool) -> Cursor:
        value = None if self.column == "pk" else getattr(row, self.column)
        return Cursor(self.ordering, Position(row.pk, value, backwards))

    def _read_position(self, queryset: QuerySet[Any]) -> Position | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        try:
            cursor = Cursor.decode(text)
            value = _parse_value(queryset.model, self.column, cursor.position.value)
        except (ValueError, OverflowError):
            raise invalid_cursor() from None
        if cursor.ordering != self.ordering or not is_key(queryset.model, cursor.position.key):
            raise invalid_cursor()
        return replace(cursor.position, value=value)

    def get_paginated_response(self, data: Any) -> Response:
        url = self.request.build_absolute_uri()
        links = {"next": self.next, "previous": self.previous}
        urls = {name: at and replace_query_param(url, "cursor", at.encode()) for name, at in links.items()}
        return Response({"results": data, **urls})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": link, "previous": link},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        orderings = {"type": "string", "enum": [sign + name for name in view.orderings for sign in ("-", "")]}
        described = (
            ("limit", "Rows of a page.", limit),
            ("cursor", "From `next` or `previous` of another page.", {"type": "string"}),
            ("ordering", self._describe_default(view), orderings),
        )
        return [
            {"name": name, "in": "query", "description": description, "schema": schema}
            for name, description, schema in described
        ]

    def _describe_default(self, view: Any) -> str:
        return f"By `{view.default_ordering}` unless said otherwise." if view.default_ordering else NEWEST_FIRST


def read_limit(request: Request) -> int:
    """Return the maximum number of rows of a page. Raises ValidationError."""
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValidationError({"limit": f"A whole number from 1 to {MAX_LIMIT}."})
    return int(text)


def read_ordering(request: Request, allowed: Mapping[str, str], default: str = "") -> tuple[str, str]:
    """Return the requested ordering and its column. Without a default it is the first of `allowed`, newest first.
    Raises ValidationError."""
    ordering = request.query_params.get("ordering", default or f"-{next(iter(allowed))}")
    name = ordering.removeprefix("-")
    if name not in allowed:
        raise ValidationError({"ordering": f"Choose one of {', '.join(allowed)}, with a leading - for newest first."})
    return ordering, allowed[name]


def invalid_cursor() -> ValidationError:
    return ValidationError({"cursor": "Use a cursor that `next` or `previous` of this list gave you."})


def _parse_value(model: type[Model], column: str, value: Any) -> Any:
    """Return a cursor's value of the column: a number, or a time. Raises ValueError."""
    if column == "pk":
        return None
    if isinstance(model._meta.get_field(column), IntegerField):
        if type(value) is not int or not 0 <= value <= MAX_NUMBER:
            raise ValueError("not a number")
        return value
    return _parse_time(value)


def _parse_time(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a time")
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("not a time")
    return time.astimezone(UTC)
