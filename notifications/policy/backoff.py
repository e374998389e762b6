"""Define the back-off of deliveries (contract: ten attempts, each wait counted from the end of the attempt before)."""

from datetime import datetime, timedelta

from accounts.core.jobs import Backoff

BACKOFF = Backoff(
    [
        timedelta(seconds=seconds)
        for seconds in (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
    ],
    jitter=0.10,
)
MAX_RETRY_AFTER = timedelta(hours=24)


def next_attempt_at(attempts: int, ended_at: datetime, retry_after: float | None = None) -> datetime | None:
    """Return when to try again after so many failed attempts. None: never. A later `retry_after` (seconds) counts."""
    due = BACKOFF.next_attempt_at(attempts, ended_at)
    if due is None or retry_after is None:
        return due
    return max(due, ended_at + min(timedelta(seconds=retry_after), MAX_RETRY_AFTER))
