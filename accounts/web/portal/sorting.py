"""Sort lists of the portal: by the key, or by a column of times that an index orders; the address has the order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Model
from django.http import HttpRequest

from accounts.core.keyset import Position, has_text_key

SORT = "sort"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MICROSECONDS = 10**17  # the year 5138


@dataclass(frozen=True, slots=True)
class Order:
    """One order of a list. `column` is `pk` or a column of times that is never empty."""

    column: str = "pk"
    descending: bool = True

    def key_of(self, row: Model) -> str:
        """Return where a row stands in the list, as the address says it."""
        return str(row.pk) if self.column == "pk" else f"{row.pk}.{_microseconds(getattr(row, self.column))}"

    def own_key_of(self, row: Model) -> str:
        """Return the key of a row for the address of its own page, which has the id already: `.` and the rest."""
        return f".{self.key_of(row).removeprefix(f'{row.pk}').removeprefix('.')}"

    def position(self, model: type[Model], key: str, time: str, *, backwards: bool) -> Position | None:
        """Return the position that an address says. None if there cannot be such a one."""
        if not has_text_key(model) and not (key.isdigit() and len(key) < 19):
            return None
        primary_key = key if has_text_key(model) else int(key)
        if self.column == "pk":
            return Position(primary_key, backwards=backwards)
        if not time or int(time) > _MAX_MICROSECONDS:
            return None
        return Position(primary_key, _EPOCH + timedelta(microseconds=int(time)), backwards=backwards)


BY_KEY = Order()


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column that sorts the list: where it leads, and how the list is sorted by it now."""

    title: str
    url: str
    direction: str


@dataclass(frozen=True, slots=True)
class Sorting:
    """The columns that sort a list: their names in the address, and the database's. Without a choice: by `default`."""

    columns: Mapping[str, str]
    default: Order = BY_KEY

    def order(self, request: HttpRequest) -> Order:
        """Return the order that the address asks for: `?sort=received`, or backwards `?sort=-received`."""
        chosen = request.GET.get(SORT, "")
        column = self.columns.get(chosen.removeprefix("-"))
        return Order(column, chosen.startswith("-")) if column else self.default

    def heads(self, request: HttpRequest, titles: Mapping[str, str]) -> dict[str, Head]:
        """Return the heads of the columns that sort. Each leads to the list sorted by it, the greatest first, or turns
        it round."""
        order = self.order(request)
        return {name: self._head(request, order, name, title) for name, title in titles.items()}

    def _head(self, request: HttpRequest, order: Order, name: str, title: str) -> Head:
        is_sorted = order.column == self.columns[name]
        query = request.GET.copy()
        for page in ("before", "after", "page"):
            query.pop(page, None)
        query[SORT] = name if is_sorted and order.descending else f"-{name}"
        direction = ("descending" if order.descending else "ascending") if is_sorted else ""
        return Head(title, f"?{query.urlencode()}", direction)


def _microseconds(when: datetime) -> int:
    return (when - _EPOCH) // timedelta(microseconds=1)
