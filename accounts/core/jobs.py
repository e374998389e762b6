"""Work that waits in rows: when it is due, whose it is, how often it was attempted, and why it failed last.

`claim_due` leases due rows to one worker and counts the attempt before the work, so that work that kills its worker is
counted too. The worker settles each row under its lease, with `complete`, `retry`, `put_off` or `fail`. A row whose
lease ends unsettled is due again.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar

from django.apps import apps
from django.db import models, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.core.connections import undone_after_outage

MAX_CLOCK_SKEW = timedelta(seconds=5)  # between hosts
CRASHED = "Every attempt ended with the worker that made it."


class DueRow(models.Model):
    """Add to a model what a retried job needs: attempts, due time, lease and last error.

    Each such model defines a partial index on `next_attempt_at` over its unfinished rows.
    """

    #: Whether rows are made for a later time. Otherwise one that lies ahead unattempted was dated by a clock that was
    #: set back since, and is due.
    is_planned_ahead: ClassVar[bool] = False

    attempts = models.PositiveIntegerField(default=0, help_text="Counted before each attempt, so a crash counts too.")
    next_attempt_at = models.DateTimeField(null=True, default=timezone.now, help_text="None: it has ended.")
    leased_until = models.DateTimeField(null=True, editable=False)
    error = models.CharField(max_length=500, blank=True, help_text="Why the last attempt failed, or what it waits for.")

    class Meta:
        abstract = True


R = TypeVar("R", bound=DueRow)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The waits after the first attempt that failed, the second, …; `jitter` lengthens each by up to that share.

    After the last wait comes one more attempt; with `is_endless` the last wait is repeated.
    """

    steps: Sequence[timedelta]
    is_endless: bool = False
    jitter: float = 0.0

    def allows(self, attempts: int) -> bool:
        """Return whether an attempt of this number is made."""
        return self.is_endless or attempts <= len(self.steps) + 1

    def wait(self, attempts: int) -> timedelta | None:
        """Return how long to wait after so many failed attempts. None: no more are made."""
        if not self.allows(attempts + 1):
            return None
        step = self.steps[min(max(attempts, 1), len(self.steps)) - 1]
        return step * (1 + random.random() * self.jitter)  # noqa: S311 (spreads load)

    def next_attempt_at(self, attempts: int, ended_at: datetime | None = None) -> datetime | None:
        """Return when to try again after so many failed attempts, the last of which ended then. None: never."""
        wait = self.wait(attempts)
        return None if wait is None else (ended_at or timezone.now()) + wait


@contextmanager
def claim_due(queryset: QuerySet[R], *, limit: int, lease: timedelta) -> Iterator[list[R]]:
    """Lease up to `limit` due rows, those first that wait longest, and count the attempt. Work on them in the block.

    No two workers get the same row. If an outage of the database ends the block, the rows not settled are given back
    as soon as it is over, and the attempt does not count.
    """
    now = timezone.now()
    until = now + lease
    with undone_after_outage(partial(_give_back, queryset.model, until)):
        yield _claim(queryset.filter(is_unleased(now, lease), next_attempt_at__lte=now), limit, until)


def is_unleased(now: datetime, lease: timedelta) -> Q:
    """Return the condition for rows without a lease. One that ends later than any that is given now has ended, too:
    the clock was set back."""
    ended = Q(leased_until__lte=now) | Q(leased_until__gt=now + lease + MAX_CLOCK_SKEW)
    return Q(leased_until__isnull=True) | ended


def leased(row: R) -> QuerySet[R]:
    """Return the row's query under its lease: empty once the lease is another worker's, or was ended (`restart`)."""
    return type(row)._base_manager.filter(pk=row.pk, leased_until=row.leased_until, leased_until__isnull=False)


def complete(row: DueRow, *, again_at: datetime | None = None, **changes: Any) -> bool:
    """Note that the leased row's work is done, with `changes` to other columns. Return False if the lease was lost.

    With `again_at` the row is due again at that time, its attempts counted from the beginning.
    """
    fresh = {"attempts": 0} if again_at else {}
    return _settle(row, **{"next_attempt_at": again_at, "error": "", **fresh, **changes})


def retry(row: DueRow, error: str, when: datetime | Backoff, **changes: Any) -> bool:
    """Note why the attempt failed and when the next one is due; fail the row if its back-off allows no more.

    Return False if the lease was lost.
    """
    due = when.next_attempt_at(row.attempts) if isinstance(when, Backoff) else when
    return _settle(row, **{"next_attempt_at": due, "error": _cut(row, error), **changes})


def put_off(row: DueRow, until: datetime, reason: str, **changes: Any) -> bool:
    """Let the leased row wait for something else than its own success: no attempt counts. Return False if the lease
    was lost."""
    return _settle(
        row, **{"next_attempt_at": until, "error": _cut(row, reason), "attempts": F("attempts") - 1, **changes}
    )


def fail(row: DueRow, error: str, **changes: Any) -> bool:
    """Note that no more attempts are made, and why. Return False if the lease was lost."""
    return _settle(row, **{"next_attempt_at": None, "error": _cut(row, error), **changes})


def restart(rows: QuerySet[R], **changes: Any) -> int:
    """Make rows due now, from the first attempt on, whatever became of them. Return how many.

    A worker that is at one of them does not settle it any more.
    """
    return rows.update(next_attempt_at=timezone.now(), attempts=0, error="", leased_until=None, **changes)


def release_future_rows(now: datetime) -> int:
    """Make due what lies ahead though it was never attempted: the clock was set back. Return how many rows.

    Leases need no mending: see `is_unleased`.
    """
    tables = [model for model in apps.get_models() if issubclass(model, DueRow) and not model.is_planned_ahead]
    return sum(
        model._base_manager.filter(attempts=0, error="", next_attempt_at__gt=now + MAX_CLOCK_SKEW).update(
            next_attempt_at=now
        )
        for model in tables
    )


def _claim(due: QuerySet[R], limit: int, until: datetime) -> list[R]:
    if not due.exists():  # looking takes no lock of SQLite's
        return []
    with transaction.atomic():
        oldest = due.order_by("next_attempt_at", "pk")
        rows = list(oldest.select_for_update(of=("self",), no_key=True, skip_locked=True)[:limit])
        claimed = due.model._base_manager.filter(pk__in=[row.pk for row in rows])
        claimed.update(attempts=F("attempts") + 1, leased_until=until)
    for row in rows:
        row.attempts, row.leased_until = row.attempts + 1, until
    return rows


def _give_back(model: type[DueRow], until: datetime) -> None:
    """End the leases of one claim that are not settled. The attempt does not count."""
    model._base_manager.filter(leased_until=until).update(attempts=F("attempts") - 1, leased_until=None)


def _settle(row: DueRow, **values: Any) -> bool:
    return bool(leased(row).update(leased_until=None, **values))


def _cut(row: DueRow, text: str) -> str:
    return text[: row._meta.get_field("error").max_length]
