"""Leave a lead one open clock of each kind when another record is merged into it, and each its own when they part."""

from collections.abc import Sequence

from accounts.core.unit_of_work import AT_ONCE
from leads.enums import ENDED, LeadStatus, StopReason
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
            earlier, later = sorted((running[clock.kind], clock), key=lambda one: one.started_at)
            later.goes_on_in = earlier.pk
            later.save(update_fields=["goes_on_in"])
            found[later.lead_id].stop([later], at=later.started_at, reason=StopReason.MERGED)
    _show_first(kept, [*found[kept.pk].open, *found[other.pk].open])
    Lead.all_records.filter(pk=other.pk).update(response_warn_at=None, response_due_at=None)


@on_unmerge
def run_own_clocks(lead: Lead) -> None:
    """Let clocks of a lead run again that the parted record's clock went on for, and set when the first is due.

    A clock that was stopped by an answer before the records parted was answered for both.
    """
    found = load_clocks([lead.pk], AT_ONCE)[lead.pk]
    found.lead.assigned_to_id = lead.assigned_to_id
    running = {clock.kind: clock for clock in found.open}
    for clock in sorted(found.clocks, key=lambda one: one.started_at):
        if LeadStatus(lead.status) in ENDED or not _goes_on_elsewhere(clock):
            continue
        if clock.kind in running:
            clock.goes_on_in = running[clock.kind].pk
            clock.save(update_fields=["goes_on_in"])
        else:
            found.reopen(clock)
            running[clock.kind] = clock
    _show_first(lead, found.open)


def _goes_on_elsewhere(clock: ResponseClock) -> bool:
    """Return whether a merge stopped a clock, and the one that went on for it still runs, for another lead."""
    following: ResponseClock | None = clock
    while following is not None and following.stop_reason == StopReason.MERGED:
        following = ResponseClock.objects.filter(pk=following.goes_on_in or 0).first()
    return following is not None and following.is_open and following.lead_id != clock.lead_id


def _show_first(lead: Lead, clocks: Sequence[ResponseClock]) -> None:
    first = min(clocks, key=lambda clock: clock.due_at, default=None)
    lead.response_warn_at, lead.response_due_at = (first.warn_at, first.due_at) if first else (None, None)
