"""Decide which of several reports about an account, a campaign or a sub-account counts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from accounts.models import Source

#: A report that arrives later than this after it happened is history: it changes states but alerts nobody.
MAX_ALERT_AGE = timedelta(days=1)
#: How far a provider's clock may be from ours, where its times are compared with what we did.
PROVIDER_CLOCK_SKEW = timedelta(minutes=1)
#: The time of receipt replaces a provider's time further ahead than this.
MAX_TIME_AHEAD = timedelta(minutes=5)


class Quarantine(Exception):
    """A report that cannot be assigned. `reason` is one machine-readable word; the message is a sentence for people.

    `waits_for` is the id that the report waits for (`accounts.core.known_ids`).
    """

    def __init__(self, reason: str, message: str, *, waits_for: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.waits_for = waits_for


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a report comes from and when it happened. `sequence`, the order in which receipts were stored, breaks
    ties."""

    by: str
    at: datetime
    sequence: int = 0
    receipt_id: str = ""
    source: Source | None = None
    is_test: bool = False  # a sample that somebody sent to try a source out
    received_at: datetime | None = None  # when its request reached Leadline

    @property
    def order(self) -> tuple[datetime, int]:
        return self.at, self.sequence


class ReportedState(Protocol):
    reported_at: datetime | None
    reported_sequence: int


def is_newer(origin: Origin, state: ReportedState) -> bool:
    """Return whether a report is newer than the one that set the state. A state without a report is older than all."""
    return state.reported_at is None or origin.order > (state.reported_at, state.reported_sequence)
