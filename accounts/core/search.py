"""Search: one way to find rows by a part of what people know of them, and the registry of what an agency searches.

An app says in its `ready` what is searched: `add_searchable`. What a row's text holds is folded as a word is
(`accounts.core.derived_fields`), so that both back ends find the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet, Value
from django.db.models.functions import StrIndex
from django.db.models.lookups import GreaterThan

from accounts.core.derived_fields import fold, search_text, search_text_contains
from accounts.core.enums import Role
from accounts.core.text_index import candidates

#: What is searched has at least so many characters.
MIN_LENGTH, MAX_LENGTH = 2, 200
#: So many of the newest hits of a kind are compared for the best.
MAX_COMPARED = 40
#: A word that more rows may contain is looked for row by row, newest first: a page of them is soon found.
MAX_CANDIDATES = 2000
#: How many characters of an e-mail address or URL the index is asked for.
INDEXED_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Hit:
    """A row that was found: how people call it, what tells it from others, and the path of its page."""

    id: str
    title: str
    subtitle: str
    path: str


@dataclass(frozen=True, slots=True)
class Searchable:
    """Rows of one kind that an agency finds.

    `name` is the kind's in the API, `title` its heading, `icon` one of Tabler's. `find` returns the agency's rows that
    match a word, `show` how one is shown. `list_view` names the URL of a list that takes the word as `q`, if there is
    one. `roles` find it; `in_api`: API clients do too.
    """

    name: str
    title: str
    icon: str
    position: int
    find: Callable[[str, str], "QuerySet[Any]"]
    show: Callable[[Any], Hit]
    list_view: str = ""
    roles: frozenset[Role] = frozenset(Role)
    in_api: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind, best first, and whether there is more."""

    kind: Searchable
    hits: Sequence[Hit]
    has_more: bool


_kinds: dict[str, Searchable] = {}


def add_searchable(kind: Searchable) -> None:
    """Let agencies find rows of a kind."""
    _kinds[kind.name] = kind


def matching(model: type[Model], word: str) -> Q:
    """Return the condition that a row's `search_text` contains a word; nothing contains a blank one."""
    condition, folded = search_text_contains(word), fold(word)
    part = _distinguishing_part(folded)
    if part != folded:
        whole = GreaterThan(StrIndex("search_text", Value(folded)), 0)  # no index is asked for it
        condition = search_text_contains(part) & Q(whole)
    keys = candidates(model, folded, MAX_CANDIDATES)
    return condition if keys is None else Q(pk__in=keys) & condition


def _distinguishing_part(folded: str) -> str:
    """Return the part of an e-mail address or URL that tells it from others: its beginning or its end.

    The rest is in very many texts, and an index takes long to find all of them.
    """
    if "@" in folded:
        return folded[:INDEXED_LENGTH].rstrip()
    return folded[-INDEXED_LENGTH:].lstrip() if "/" in folded else folded


def is_searched(model: type[Model]) -> bool:
    """Return whether the rows of a model have a `search_text`."""
    return any(field.name == "search_text" for field in model._meta.concrete_fields)


def is_long_enough(word: str) -> bool:
    """Return whether a word is one that `search` takes."""
    return len(fold(word)) >= MIN_LENGTH


def search(agency_id: str, word: str, *, role: Role, size: int) -> list[Group]:
    """Return what a member of an agency finds of each kind that has any, at most `size` of a kind."""
    groups = (_group(kind, agency_id, word, size) for kind in _ordered() if role in kind.roles)
    return [group for group in groups if group.hits]


def search_in_api(agency_id: str, word: str, *, size: int) -> list[tuple[Searchable, Hit]]:
    """Return the best of what an API client of an agency finds."""
    found = [
        (_rank(hit, word), kind.position, number, kind, hit)
        for kind in _ordered()
        if kind.in_api
        for number, hit in enumerate(_group(kind, agency_id, word, size).hits)
    ]
    return [(kind, hit) for *_, kind, hit in sorted(found, key=lambda row: row[:3])[:size]]


def _ordered() -> Iterator[Searchable]:
    yield from sorted(_kinds.values(), key=lambda kind: kind.position)


def _group(kind: Searchable, agency_id: str, word: str, size: int) -> Group:
    rows = list(kind.find(agency_id, word).order_by("-pk")[:MAX_COMPARED]) if is_long_enough(word) else []
    hits = sorted(map(kind.show, rows), key=lambda hit: _rank(hit, word))
    return Group(kind, hits[:size], has_more=len(hits) > size)


def _rank(hit: Hit, word: str) -> int:
    """Return how well a hit fits: what is the word itself first, then what begins with it, then any word of it."""
    folded = fold(word)
    titles = search_text([hit.title]).split("\n")
    if folded in (*titles, fold(hit.id), *map(fold, hit.subtitle.split(" · "))):
        return 0
    if any(title.startswith(folded) for title in titles):
        return 1
    return 2 if any(f" {folded}" in title for title in titles) else 3
