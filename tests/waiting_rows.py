"""One row of every kind of work that waits, and the function that does it, with its effect on others replaced."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import ModuleType
from typing import Any

from accounts.core.jobs import DueRow
from accounts.models import Agency
from leads.enrichment import service as enrichment
from leads.models import Enrichment
from leads.pipeline.changes import create_lead


@dataclass(frozen=True, slots=True)
class Kind:
    """`make` makes so many due rows; `work` does what is due by calling `module.inner` for a row, or several."""

    model: type[DueRow]
    make: Callable[[Agency, int], None]
    work: Callable[[], object]
    lease: timedelta
    module: ModuleType
    inner: str
    result: Callable[..., Any]

    def __str__(self) -> str:
        return self.model.__name__


def _make_enrichments(agency: Agency, count: int) -> None:
    for number in range(count):
        Enrichment.objects.create(lead=create_lead(agency, email=f"lead{number}@example.com"))


KINDS = [
    Kind(
        model=Enrichment,
        make=_make_enrichments,
        work=lambda: enrichment.enrich_due(limit=1),
        lease=enrichment.LEASE,
        module=enrichment,
        inner="_ask_enrichers",
        result=lambda lead: "",
    ),
]
