"""Reports: what somebody says about an account, a campaign or a sub-account, and the rule of which one counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from accounts.models import Source

#: What happened longer ago than this before it was reported is history: it changes states and alarms nobody.
OLD = timedelta(days=1)


class Quarantine(Exception):
    """A report that we cannot place. `reason` is one machine-readable word, the message a sentence for people.

    `waits_for` is the id that would place it, once it is known (`accounts.core.known_ids`).
    """

    def __init__(self, reason: str, message: str, *, waits_for: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.waits_for = waits_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a report comes from and when it counts. `sequence` breaks ties: the order in which receipts were kept."""

    by: str
    at: datetime
    sequence: int = 0
    receipt_id: str = ""
    source: Source | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.sequence


class Reported(Protocol):
    reported_at: datetime | None
    reported_sequence: int


def is_newer(origin: Origin, state: Reported) -> bool:
    """Whether a report is newer than the one the state rests on; a state that rests on none is older than all."""
    return state.reported_at is None or origin.order > (state.reported_at, state.reported_sequence)
