"""Process rows that wait: claim them under a lease, count attempts, and end each with a result.

`claim_due` leases due rows to one worker and counts the attempt before the work. So an attempt that kills its worker
counts too. The worker ends the lease of each row with `complete`, `remove`, `retry`, `put_off` or `fail`. A row whose
lease expires is due again. Others ask for the work anew with `restart`, sooner with `hasten`, or call it off with
`end`. `work_off` does all of this for work on one row at a time.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

import structlog
from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.core.connections import is_outage, undone_after_outage

log = structlog.get_logger(__name__)

#: How far apart the clocks of our hosts may be.
MAX_CLOCK_SKEW = timedelta(seconds=5)
CRASHED = gettext_noop("Every attempt ended with the worker that made it.")


class DueRow(models.Model):
    """An abstract model with what a retried job needs: attempts, due time, lease and last error.

    Each concrete model defines a partial index on `next_attempt_at` over its unfinished rows.
    """

    #: Which rows are made to be due at once. Such a row with a later time was dated by a clock that was set back since,
    #: and is due. None: rows are made for a later time.
    due_at_once: ClassVar[Q | None] = Q(attempts=0, error="")

    attempts = models.PositiveIntegerField(default=0, help_text="Counted before each attempt, so a crash counts too.")
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now, help_text="None: it has ended.")
    leased_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=500, blank=True, help_text="Why the last attempt failed, or what it waits for.")

    class Meta:
        abstract = True


R = TypeVar("R", bound=DueRow)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waits after the first failed attempt, the second, and so on. `jitter` lengthens each wait by up to that
    share.

    After the last wait comes one more attempt. With `is_endless` the last wait is repeated.
    """

    steps: Sequence[timedelta]
    is_endless: bool = False
    jitter: float = 0.0

    def allows(self, attempts: int) -> bool:
        """Return whether the attempt with this number is allowed."""
        return self.is_endless or attempts <= len(self.steps) + 1

    def wait(self, attempts: int) -> timedelta | None:
        """Return how long to wait after this number of failed attempts, or None if no more are allowed."""
        if not self.allows(attempts + 1):
            return None
        step = self.steps[min(max(attempts, 1), len(self.steps)) - 1]
        return step * (1 + random.random() * self.jitter)  # noqa: S311 (spreads load)

    def next_attempt_at(self, attempts: int, ended_at: datetime | None = None) -> datetime | None:
        """Return when to try again after this number of failed attempts, the last of which ended at `ended_at`. None:
        never."""
        wait = self.wait(attempts)
        return None if wait is None else (ended_at or timezone.now()) + wait


@contextmanager
def claim_due(queryset: QuerySet[R], *, limit: int, lease: timedelta) -> Iterator[list[R]]:
    """Lease up to `limit` due rows, longest waiting first, count the attempt, and yield the rows to work on.

    No two workers get the same row. If an outage of the database ends the block, the unfinished rows are released as
    soon as the outage is over, and the attempt does not count.
    """
    now = timezone.now()
    until = now + lease
    with undone_after_outage(partial(_release_claim, queryset.model, until)):
        yield _claim_rows(queryset.filter(is_unleased(now, lease), next_attempt_at__lte=now), limit, until)


def work_off(
    queryset: QuerySet[R], work: Callable[[R], object], *, limit: int, lease: timedelta, backoff: Backoff
) -> int:
    """Claim due rows and call `work` with each, in a transaction of its own. Return the number of claimed rows.

    `work` ends the lease. If it raises an error, the error is stored, the row is tried again by `backoff`, and the
    other rows are worked on. A row whose attempts all ended with their worker fails.
    """
    with claim_due(queryset, limit=limit, lease=lease) as rows:
        for row in rows:
            if not backoff.allows(row.attempts):
                fail(row, CRASHED)
                continue
            try:
                with transaction.atomic():
                    work(row)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("Work on a due row failed.", table=row._meta.db_table, row=row.pk)
                retry(row, f"{type(error).__name__}: {error}", backoff)
    return len(rows)


def is_unleased(now: datetime, lease: timedelta) -> Q:
    """Return the condition for rows without a valid lease.

    A lease that ends later than any given now is invalid too, because the clock was set back since.
    """
    ended = Q(leased_until__lte=now) | Q(leased_until__gt=now + lease + MAX_CLOCK_SKEW)
    return Q(leased_until__isnull=True) | ended


def leased(row: R) -> QuerySet[R]:
    """Return the query of the row under its lease. It is empty once another worker has the lease, or `restart` or `end`
    changed what is wanted of the row."""
    return _still_leased(row).filter(attempts=row.attempts, next_attempt_at__isnull=False)


def complete(row: DueRow, *, again_at: datetime | None = None, **changes: Any) -> bool:
    """Complete the leased row, with `changes` to other columns. Return False if the lease was lost.

    With `again_at` the row becomes due again at that time, with its attempts counted anew.
    """
    fresh = {"attempts": 0} if again_at else {}
    return _end_lease(row, **{"next_attempt_at": again_at, "error": "", **fresh, **changes})


def remove(row: DueRow) -> bool:
    """Delete the leased row, whose work is done. Return False if the lease was lost."""
    return bool(leased(row).delete()[0]) or _release(row)


def retry(row: DueRow, error: str, when: datetime | Backoff | None, **changes: Any) -> bool:
    """Store why the attempt failed and when the next one is due. Fail the row if `when` is None or allows no more.

    Return False if the lease was lost.
    """
    due = when.next_attempt_at(row.attempts) if isinstance(when, Backoff) else when
    return _end_lease(row, **{"next_attempt_at": due, "error": _shorten_error(row, error), **changes})


def put_off(row: DueRow, until: datetime, reason: str, /, **changes: Any) -> bool:
    """Let the leased row wait for a reason outside of it, without counting the attempt. Return False if the lease was
    lost."""
    return _end_lease(
        row,
        **{"next_attempt_at": until, "error": _shorten_error(row, reason), "attempts": F("attempts") - 1, **changes},
    )


def fail(row: DueRow, error: str, **changes: Any) -> bool:
    """Allow the leased row no more attempts, and store why. Return False if the lease was lost."""
    return _end_lease(row, **{"next_attempt_at": None, "error": _shorten_error(row, error), **changes})


def restart(rows: QuerySet[R], **changes: Any) -> int:
    """Make rows due now with no attempts counted, whatever their state. Return the number of rows.

    A row that a worker is processing is due once that worker ends its lease, and the worker's result does not count.
    """
    return rows.update(next_attempt_at=timezone.now(), attempts=0, error="", **changes)


def hasten(rows: QuerySet[R]) -> int:
    """Make rows due now that wait for a later time, without changing their attempts. Return the number of rows."""
    now = timezone.now()
    return rows.filter(next_attempt_at__gt=now).update(next_attempt_at=now)


def end(rows: QuerySet[R], reason: str = "", **changes: Any) -> int:
    """End rows whose work is not needed any more, or was done elsewhere. Return the number of rows.

    The result of a worker that is processing one of them does not count.
    """
    return rows.update(next_attempt_at=None, error=_shorten_error(rows.model, reason), **changes)


def release_future_rows(now: datetime) -> int:
    """Make due the rows that are dated ahead only because the clock was set back. Return the number of rows.

    Leases need no correction: see `is_unleased`.
    """
    return sum(_release_future(model, now) for model in apps.get_models() if issubclass(model, DueRow))


def _release_future(model: type[DueRow], now: datetime) -> int:
    was_due = Q(leased_until__gt=now)  # when it was claimed
    dated_ahead = was_due | model.due_at_once if model.due_at_once else was_due
    ahead = model._base_manager.filter(dated_ahead, next_attempt_at__gt=now + MAX_CLOCK_SKEW)
    return ahead.update(next_attempt_at=now)


def _claim_rows(due: QuerySet[R], limit: int, until: datetime) -> list[R]:
    if not due.exists():  # reading takes no lock in SQLite
        return []
    with transaction.atomic():
        oldest = due.order_by("next_attempt_at", "pk")
        rows = list(oldest.select_for_update(of=("self",), no_key=True, skip_locked=True)[:limit])
        claimed = due.model._base_manager.filter(pk__in=[row.pk for row in rows])
        claimed.update(attempts=F("attempts") + 1, leased_until=until)
    for row in rows:
        row.attempts, row.leased_until = row.attempts + 1, until
    return rows


def _release_claim(model: type[DueRow], until: datetime) -> None:
    """End the leases of one claim that are still held, without counting the attempt."""
    attempts = Greatest(F("attempts") - 1, Value(0))  # none are counted where the work was asked for anew
    model._base_manager.filter(leased_until=until).update(attempts=attempts, leased_until=None)


def _still_leased(row: R) -> QuerySet[R]:
    return type(row)._base_manager.filter(pk=row.pk, leased_until=row.leased_until, leased_until__isnull=False)


def _end_lease(row: DueRow, **values: Any) -> bool:
    return bool(leased(row).update(leased_until=None, **values)) or _release(row)


def _release(row: DueRow) -> bool:
    """End the worker's lease of a row whose result does not count. Return False."""
    _still_leased(row).update(leased_until=None)
    return False


def _shorten_error(row: DueRow | type[DueRow], text: str) -> str:
    return text[: row._meta.get_field("error").max_length]
