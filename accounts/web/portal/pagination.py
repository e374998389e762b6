"""Lists that stay fast at any size: newest first, pages by key (`?before=`, `?after=`), nothing is counted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
SIZE = 50
OLDER, NEWER = "before", "after"
_KEY = re.compile(r"[0-9A-Za-z_]{1,40}", re.ASCII)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One page; the queries lead to its neighbours and are empty where there is none."""

    rows: Sequence[Row]
    older: str
    newer: str
    first: str

    def __bool__(self) -> bool:
        return bool(self.rows)


def turn(request: HttpRequest, rows: "QuerySet[Row]", *, size: int = SIZE) -> Page[Row]:
    """The page that the request asks for; a key that cannot be one means the first."""
    before, after = (_key(request, rows, name) for name in (OLDER, NEWER))
    if after is not None:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: size + 1])
        shown, newer, older = list(reversed(found[:size])), len(found) > size, True
    else:
        chosen = rows.filter(pk__lt=before) if before is not None else rows
        found = list(chosen.order_by("-pk")[: size + 1])
        shown, newer, older = found[:size], before is not None, len(found) > size
    turned = before is not None or after is not None
    return Page(
        shown,
        older=_query(request, **{OLDER: shown[-1].pk}) if shown and older else "",
        newer=_query(request, **{NEWER: shown[0].pk}) if shown and newer else "",
        first=_query(request) if turned else "",
    )


def _key(request: HttpRequest, rows: "QuerySet[Any]", name: str) -> Any:
    text = request.GET.get(name, "")
    if not _KEY.fullmatch(text):
        return None
    if rows.model._meta.pk.get_internal_type() == "CharField":
        return text
    return int(text) if text.isdigit() and len(text) < 19 else None


def _query(request: HttpRequest, **changes: Any) -> str:
    query = request.GET.copy()
    for name in (OLDER, NEWER):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"
