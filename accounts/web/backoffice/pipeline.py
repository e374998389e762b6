"""Count the rows of a list by status, for the pipeline above it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from accounts.core.labels import Label
from accounts.core.markup import Tone

#: Counting one status stops here: a list of millions must not be slower than one of thousands.
MAX_STAGE_COUNT = 5_000


@dataclass(frozen=True, slots=True)
class Stage:
    """A status with the number of its rows, and the link that lists them. The chosen status links to all."""

    text: str
    tone: Tone
    count: int
    url: str
    is_chosen: bool

    @property
    def display(self) -> str:
        return f"{MAX_STAGE_COUNT:,}+" if self.count > MAX_STAGE_COUNT else f"{self.count:,}"


def count_stages(
    rows: "QuerySet[Any]", labels: Mapping[Any, Label], *, chosen: str, link: Callable[[str], str]
) -> list[Stage]:
    """Return the stages of a list, also those without rows. Each is counted in its index, up to a bound."""
    return [
        Stage(
            str(label.text),
            label.tone,
            _count(rows, str(status)),
            link("" if status == chosen else str(status)),
            is_chosen=status == chosen,
        )
        for status, label in labels.items()
    ]


def _count(rows: "QuerySet[Any]", status: str) -> int:
    return rows.filter(status=status).order_by().values("pk")[: MAX_STAGE_COUNT + 1].count()
