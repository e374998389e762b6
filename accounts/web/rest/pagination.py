"""Pages by position, not by number: a list read to its end shows every row once, whatever is added meanwhile."""

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
BIGGEST_KEY = 2**63 - 1
_KEY = re.compile(r"[0-9A-Za-z_-]{1,40}")


@dataclass(frozen=True)
class Cursor:
    """The page on one side of a row. `column` orders the list, the key breaks ties."""

    ordering: str
    backwards: bool
    inclusive: bool
    column: Any
    key: Any

    def encode(self) -> str:
        column = self.column.isoformat() if isinstance(self.column, datetime) else self.column
        raw = json.dumps([self.ordering, self.backwards, self.inclusive, column, self.key])
        return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


class KeysetPagination(BasePagination):
    """`?limit=`, `?cursor=` and, over the view's allow-list, `?ordering=`."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.limit = read_limit(request)
        self.ordering, self.column = read_ordering(request, view.orderings)
        self.cursor = self._read_cursor(queryset)
        descending = self.ordering.startswith("-")
        backwards = bool(self.cursor and self.cursor.backwards)
        order = [name if descending == backwards else f"-{name}" for name in dict.fromkeys((self.column, "pk"))]
        if self.cursor:
            queryset = queryset.filter(self._beyond(self.cursor, up=descending == backwards))
        fetched = list(queryset.order_by(*order)[: self.limit + 1])
        rows = list(view.trim(fetched[: self.limit]))
        more = len(fetched) > len(rows)
        if backwards:
            rows.reverse()
        self._link(rows, more_before=more if backwards else bool(self.cursor), more_after=more or backwards)
        return rows

    def _beyond(self, cursor: Cursor, *, up: bool) -> Q:
        side = "gt" if up else "lt"
        key = f"pk__{side}e" if cursor.inclusive else f"pk__{side}"
        if self.column == "pk":
            return Q(**{key: cursor.key})
        # The first condition is implied by the second, and is what the index can use.
        return Q(**{f"{self.column}__{side}e": cursor.column}) & (
            Q(**{f"{self.column}__{side}": cursor.column}) | Q(**{key: cursor.key})
        )

    def _link(self, rows: Sequence[Any], *, more_before: bool, more_after: bool) -> None:
        self.next = self.previous = None
        if rows:
            self.previous = self._at(rows[0], backwards=True) if more_before else None
            self.next = self._at(rows[-1], backwards=False) if more_after else None
        elif self.cursor:  # nothing is left on that side: the way back starts at the row the cursor names
            back = not self.cursor.backwards
            cursor = Cursor(self.ordering, back, not self.cursor.inclusive, self.cursor.column, self.cursor.key)
            self.previous, self.next = (cursor, None) if back else (None, cursor)

    def _at(self, row: Any, *, backwards: bool) -> Cursor:
        column = None if self.column == "pk" else getattr(row, self.column)
        return Cursor(self.ordering, backwards, False, column, row.pk)

    def _read_cursor(self, queryset: QuerySet[Any]) -> Cursor | None:
        text = self.request.query_params.get("cursor")
        if text is None:
            return None
        number = queryset.model._meta.pk.get_internal_type() != "CharField"
        try:
            cursor = Cursor(*decode(text))
            column = _moment(cursor.column) if self.column != "pk" else None
        except (TypeError, ValueError, OverflowError):
            raise bad_cursor() from None
        flags = isinstance(cursor.backwards, bool) and isinstance(cursor.inclusive, bool)
        if not flags or cursor.ordering != self.ordering or not _is_key(cursor.key, number=number):
            raise bad_cursor()
        return Cursor(cursor.ordering, cursor.backwards, cursor.inclusive, column, cursor.key)

    def get_paginated_response(self, data: Any) -> Response:
        return Response(page(self.request, data, self.next, self.previous))

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
        return [
            {"name": "limit", "in": "query", "description": "Rows of a page.", "schema": limit},
            {
                "name": "cursor",
                "in": "query",
                "description": "From `next` or `previous` of another page.",
                "schema": {"type": "string"},
            },
            {
                "name": "ordering",
                "in": "query",
                "description": "Newest first unless said otherwise.",
                "schema": orderings,
            },
        ]


def page(request: Request, results: Any, following: Cursor | None, previous: Cursor | None) -> dict[str, Any]:
    """The envelope of every list."""
    here = request.build_absolute_uri()
    links = [cursor and replace_query_param(here, "cursor", cursor.encode()) for cursor in (following, previous)]
    return {"results": results, "next": links[0], "previous": links[1]}


def read_limit(request: Request) -> int:
    text = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or not 1 <= int(text) <= MAX_LIMIT:
        raise ValidationError({"limit": f"A whole number from 1 to {MAX_LIMIT}."})
    return int(text)


def read_ordering(request: Request, allowed: Mapping[str, str]) -> tuple[str, str]:
    """The ordering asked for and its column; the default is the first of `allowed`, newest first."""
    ordering = request.query_params.get("ordering", f"-{next(iter(allowed))}")
    name = ordering.removeprefix("-")
    if name not in allowed:
        raise ValidationError({"ordering": f"Choose one of {', '.join(allowed)}, with a leading - for newest first."})
    return ordering, allowed[name]


def decode(text: str) -> list[Any]:
    """What `Cursor.encode` was given. Raises ValueError."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        parts = json.loads(raw)
    except (binascii.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError("not a cursor") from error
    if not isinstance(parts, list):
        raise ValueError("not a cursor")
    return parts


def bad_cursor() -> ValidationError:
    return ValidationError({"cursor": "Use a cursor that `next` or `previous` of this list gave you."})


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a time")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("not a time")
    return moment.astimezone(UTC)


def _is_key(value: Any, *, number: bool) -> bool:
    if number:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= BIGGEST_KEY
    return isinstance(value, str) and _KEY.fullmatch(value) is not None
