"""A lead's status as a fold over its history: the same whatever the order in which reports arrive.

A status that a provider states applies where it stands in time, backwards too; one that we derive from another event
only moves forward.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from leads.enums import LeadStatus
from leads.models import LeadChange, LeadReference, Position


@dataclass(frozen=True, slots=True)
class Step:
    """One reported status at its place in time."""

    at: datetime
    sequence: int
    status: LeadStatus
    stated: bool

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.sequence


def advance(position: Position | None, step: Step) -> Position:
    """The position after one more step, which is newer than all before it."""
    if position is None:
        return Position(step.status, step.at, step.sequence)
    moves = step.status != position.status and (step.stated or step.status.rank > position.status.rank)
    return Position(step.status, step.at, step.sequence) if moves else position


def fold(steps: Iterable[Step]) -> Position:
    """The position after all of them; there is at least one."""
    first, *rest = sorted(steps, key=lambda step: step.order)
    position = advance(None, first)
    for step in rest:
        position = advance(position, step)
    return position


def steps_of(reference: LeadReference) -> list[Step]:
    """Every status that was reported for a reference; rows that are history only do not count."""
    rows = LeadChange.objects.filter(reference=reference, is_report=True)
    return [
        Step(at, sequence, LeadStatus(status), stated)
        for at, sequence, status, stated in rows.values_list("occurred_at", "sequence", "new_status", "stated")
    ]
