"""List rows in the portal in pages by key (`?before=`, `?after=`): newest first, or as a list is sorted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.core.keyset import Position, fetch_page
from accounts.web.portal.sorting import BY_KEY, Order

Row = TypeVar("Row", bound=Model)
SIZE = 36  # rows of a page: what a person looks through; a full one stays below 60 KB
OLDER, NEWER, NUMBER = "before", "after", "page"
_KEY = re.compile(r"([0-9A-Za-z_]{1,40})(?:\.([0-9]{1,17}))?", re.ASCII)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, and the query strings of its neighbours (empty if there is none).

    `by_age`: the rows are sorted newest first.
    """

    rows: Sequence[Row]
    older: str
    newer: str
    first: str
    by_age: bool = True

    def __bool__(self) -> bool:
        return bool(self.rows)


def paginate(request: HttpRequest, rows: "QuerySet[Row]", *, size: int = SIZE, order: Order = BY_KEY) -> Page[Row]:
    """Return the page of `rows` that the query parameters ask for, or the first page if their key is malformed."""
    position = _position(request, rows.model, NEWER, order) or _position(request, rows.model, OLDER, order)
    page = fetch_page(rows, size, position, column=order.column, descending=order.descending)
    return Page(
        page.rows,
        older=_query(request, **{OLDER: order.key_of(page.rows[-1])}) if page.rows and page.has_after else "",
        newer=_query(request, **{NEWER: order.key_of(page.rows[0])}) if page.rows and page.has_before else "",
        first=_query(request) if position else "",
        by_age=order == BY_KEY,
    )


def page_by_number(request: HttpRequest, rows: "QuerySet[Row]", keys: Sequence[Any], *, size: int = SIZE) -> Page[Row]:
    """Return a page of a list whose keys are all known in their order, such as one that figures rank."""
    text = request.GET.get(NUMBER, "")
    last = max(0, (len(keys) - 1) // size)
    number = min(int(text), last) if re.fullmatch("[0-9]{1,6}", text, re.ASCII) else 0
    shown = keys[number * size : (number + 1) * size]
    found = {row.pk: row for row in rows.filter(pk__in=shown)}
    return Page(
        [found[key] for key in shown if key in found],
        older=_query(request, **{NUMBER: number + 1}) if number < last else "",
        newer=_query(request, **{NUMBER: number - 1}) if number else "",
        first=_query(request) if number else "",
        by_age=False,
    )


def neighbours(rows: "QuerySet[Row]", key: str, order: Order) -> tuple[Row | None, Row | None]:
    """Return the rows before and after the place in a list that `key` says (`Order.key_of`)."""
    before, after = (_fetch_one(rows, key, order, backwards=backwards) for backwards in (True, False))
    return before, after


def _fetch_one(rows: "QuerySet[Row]", key: str, order: Order, *, backwards: bool) -> Row | None:
    position = _read_key(rows.model, key, order, backwards=backwards)
    if position is None:
        return None
    found = fetch_page(rows, 1, position, column=order.column, descending=order.descending).rows
    return found[0] if found else None


def _position(request: HttpRequest, model: type[Model], name: str, order: Order) -> Position | None:
    return _read_key(model, request.GET.get(name, ""), order, backwards=name == NEWER)


def _read_key(model: type[Model], text: str, order: Order, *, backwards: bool) -> Position | None:
    match = _KEY.fullmatch(text)
    return order.position(model, match[1], match[2] or "", backwards=backwards) if match else None


def _query(request: HttpRequest, **changes: Any) -> str:
    query = request.GET.copy()
    for name in (OLDER, NEWER, NUMBER):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"
