"""Read lists in pages by key instead of by number, so that a reader sees every row once, whatever is added meanwhile.

A page starts at a position: one row's key and, where a column orders the list, that row's value. The key breaks ties.
No rows are counted or skipped by OFFSET, so a page costs the same at any depth.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet

Row = TypeVar("Row", bound=Model)
KEY_PATTERN = re.compile(r"[0-9A-Za-z_-]{1,40}")
MAX_NUMBER = 2**63 - 1


@dataclass(frozen=True)
class Position:
    """Where a page starts: after the row with this key, or before it if `backwards`; with that row if `inclusive`."""

    key: Any
    value: Any = None
    backwards: bool = False
    inclusive: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page in the list's order, and whether there are rows before and after them."""

    rows: list[Row]
    has_before: bool
    has_after: bool


def fetch_page(
    rows: "QuerySet[Row]",
    size: int,
    position: Position | None = None,
    *,
    column: str = "pk",
    descending: bool = True,
    trim: Callable[[Sequence[Row]], Sequence[Row]] | None = None,
) -> Page[Row]:
    """Fetch the page of `rows` at `position`, or the first page. `trim` may cut rows off the end of a page."""
    backwards = position is not None and position.backwards
    up = descending == backwards
    if position is not None:
        rows = rows.filter(_is_beyond(position, column, up=up))
    order = [name if up else f"-{name}" for name in dict.fromkeys((column, "pk"))]
    fetched = list(rows.order_by(*order)[: size + 1])
    page_rows = list(trim(fetched[:size]) if trim else fetched[:size])
    more = len(fetched) > len(page_rows)
    if backwards:
        return Page(page_rows[::-1], has_before=more, has_after=True)
    return Page(page_rows, has_before=position is not None, has_after=more)


def is_key(model: type[Model], value: Any) -> bool:
    """Return whether `value` could be a primary key of `model`."""
    if has_text_key(model):
        return isinstance(value, str) and KEY_PATTERN.fullmatch(value) is not None
    return type(value) is int and 0 <= value <= MAX_NUMBER


def has_text_key(model: type[Model]) -> bool:
    """Return whether the primary keys of `model` are texts, not numbers."""
    key: Any = model._meta.pk
    while key.remote_field is not None:  # the key of another table
        key = key.target_field
    return bool(key.get_internal_type() == "CharField")


def _is_beyond(position: Position, column: str, *, up: bool) -> Q:
    side = "gt" if up else "lt"
    key = Q(**{f"pk__{side}e" if position.inclusive else f"pk__{side}": position.key})
    if column == "pk":
        return key
    # The first condition follows from the second, and lets the database use the index.
    return Q(**{f"{column}__{side}e": position.value}) & (Q(**{f"{column}__{side}": position.value}) | key)
