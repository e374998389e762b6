"""Leave a lead one open clock of each kind when another record is merged into it, and its own when they part."""

from collections.abc import Sequence

from accounts.core.unit_of_work import AT_ONCE
from leads.enums import StopReason
from leads.models import Lead, ResponseClock
from leads.pipeline.merge import on_merge
from leads.pipeline.unmerge import on_unmerge
from leads.sla.clocks import load_clocks


@on_merge
def stop_second_clocks(kept: Lead, other: Lead) -> None:
    """Stop those clocks of two records that started later than the other's of the same kind."""
    found = load_clocks([kept.pk, other.pk], AT_ONCE)
    running = {clock.kind: clock for clock in found[kept.pk].open}
    for clock in found[other.pk].open:
        if clock.kind in running:
            later = max(running[clock.kind], clock, key=lambda one: one.started_at)
            found[later.lead_id].stop([later], at=later.started_at, reason=StopReason.MERGED)
    _show_first(kept, [*found[kept.pk].open, *found[other.pk].open])
    Lead.all_records.filter(pk=other.pk).update(response_warn_at=None, response_due_at=None)


@on_unmerge
def show_own_clock(lead: Lead) -> None:
    """Set when the first of a lead's own clocks is due."""
    _show_first(lead, load_clocks([lead.pk], AT_ONCE)[lead.pk].open)


def _show_first(lead: Lead, clocks: Sequence[ResponseClock]) -> None:
    first = min(clocks, key=lambda clock: clock.due_at, default=None)
    lead.response_warn_at, lead.response_due_at = (first.warn_at, first.due_at) if first else (None, None)
