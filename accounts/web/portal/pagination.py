"""List rows in the portal newest first, in pages by key (`?before=`, `?after=`)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from accounts.core.keyset import Position, fetch_page, has_text_key

Row = TypeVar("Row", bound=Model)
SIZE = 50
OLDER, NEWER = "before", "after"
_KEY = re.compile(r"[0-9A-Za-z_]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, and the query strings of its neighbours (empty if there is none)."""

    rows: Sequence[Row]
    older: str
    newer: str
    first: str

    def __bool__(self) -> bool:
        return bool(self.rows)


def paginate(request: HttpRequest, rows: "QuerySet[Row]", *, size: int = SIZE) -> Page[Row]:
    """Return the page of `rows` that the query parameters ask for, or the first page if their key is malformed."""
    position = _position(request, rows.model, NEWER) or _position(request, rows.model, OLDER)
    page = fetch_page(rows, size, position)
    return Page(
        page.rows,
        older=_query(request, **{OLDER: page.rows[-1].pk}) if page.rows and page.has_after else "",
        newer=_query(request, **{NEWER: page.rows[0].pk}) if page.rows and page.has_before else "",
        first=_query(request) if position else "",
    )


def _position(request: HttpRequest, model: type[Model], name: str) -> Position | None:
    text = request.GET.get(name, "")
    number = text.isdigit() and len(text) < 19
    if not _KEY.fullmatch(text) or not (has_text_key(model) or number):
        return None
    return Position(text if has_text_key(model) else int(text), backwards=name == NEWER)


def _query(request: HttpRequest, **changes: Any) -> str:
    query = request.GET.copy()
    for name in (OLDER, NEWER):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"
