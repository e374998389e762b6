"""Compute from their history when accounts were active and when they were down, for reports and charts."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from statistics import median
from typing import Any, NamedTuple, Protocol

from django.db.models import F, Q, QuerySet

from accounts.core.enums import AccountStatus
from accounts.models import Account, AccountReport, Agency

MANY = 100  # accounts of which the reports are found by their agency
NOT_DOWN = (AccountStatus.ACTIVE, AccountStatus.DELETED)


class Watched(Protocol):
    """What spans are computed from: an account, or as much of it as `watched` reads."""

    @property
    def pk(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def status_since(self) -> datetime: ...
    @property
    def created_at(self) -> datetime: ...


class Span(NamedTuple):
    """One account in one status, from `begin` to before `end`. There are thousands: a tuple is made fast."""

    account_id: str
    status: str
    begin: datetime
    end: datetime

    @property
    def is_down(self) -> bool:
        return self.status not in NOT_DOWN

    def seconds(self, begin: datetime, end: datetime) -> float:
        """Return how many seconds of the span lie in a window."""
        return max((min(self.end, end) - max(self.begin, begin)).total_seconds(), 0.0)


class _Total:
    """Add up how many seconds of spans lie in each of some periods, which follow one another.

    A span costs the same however many periods it covers: whole ones are counted by where they begin and end.
    """

    def __init__(self, begins: Sequence[datetime], end: datetime) -> None:
        self._origin = begins[0]
        self._begins = [(begin - begins[0]).total_seconds() for begin in begins]
        self._end = (end - begins[0]).total_seconds()
        self._parts = [0.0] * len(begins)
        self._whole = [0] * (len(begins) + 1)

    def add(self, begin: datetime, end: datetime, number: int) -> None:
        """Add spans of the same times."""
        start = max((begin - self._origin).total_seconds(), 0.0)
        stop = min((end - self._origin).total_seconds(), self._end)
        if start >= stop:
            return
        first, last = bisect_right(self._begins, start) - 1, bisect_left(self._begins, stop) - 1
        if first == last:
            self._parts[first] += number * (stop - start)
            return
        self._parts[first] += number * (self._begins[first + 1] - start)
        self._parts[last] += number * (stop - self._begins[last])
        self._whole[first + 1] += number
        self._whole[last] -= number

    def seconds(self, lengths: Sequence[float]) -> list[float]:
        """Return the seconds of each period, of which `lengths` says how long it is."""
        whole = accumulate(self._whole)
        return [part + number * length for part, number, length in zip(self._parts, whole, lengths, strict=False)]


@dataclass(slots=True)
class Measure:
    """How many seconds accounts were active and down in a period, and how often one went down."""

    active: float = 0.0
    down: float = 0.0
    outages: int = 0

    @property
    def uptime(self) -> float | None:
        """Return the share of the time that they were active; None if there was no account."""
        known = self.active + self.down
        return self.active / known if known else None


def watched(accounts: "QuerySet[Account]", *more: str) -> Sequence[Any]:
    """Return of each account what its spans need, and `more`: a thousand whole accounts take ten times as long to
    read."""
    return list(accounts.values_list("pk", "status", "status_since", "created_at", *more, named=True))


def account_spans(
    accounts: Sequence[Watched], begin: datetime, end: datetime, *, agency: Agency | None = None
) -> list[Span]:
    """Return the spans of each account within the window. Before it was first seen an account has none.

    With the agency of many accounts the database finds their reports by it, which is faster than a thousand ids.
    """
    # In UTC: times of different zones take ten times as long to compare.
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    changes: dict[str, list[tuple[str, str, datetime]]] = {}
    ours = (
        Q(account__agency=agency)
        if agency and len(accounts) > MANY
        else Q(account__in=[account.pk for account in accounts])
    )
    rows = AccountReport.objects.filter(ours, applied=True, occurred_at__gt=begin).exclude(from_status=F("to_status"))
    for key, before, after, at in rows.order_by("id").values_list("account", "from_status", "to_status", "occurred_at"):
        changes.setdefault(key, []).append((before, after, at))
    return [span for account in accounts for span in _spans_of(account, changes.get(account.pk, []), begin, end)]


def measure(found: Sequence[Span], begin: datetime, end: datetime) -> Measure:
    """Measure the spans within a window."""
    return measure_periods(found, [(begin, end)])[0]


def measure_periods(found: Sequence[Span], periods: Sequence[tuple[datetime, datetime]]) -> list[Measure]:
    """Measure the spans within each of the periods, which follow one another.

    Spans of one status and the same times, as most accounts have, are measured together. A change from one down status
    to another is no outage, and neither is what was down already when a period began.
    """
    # In UTC: two times of one zone are subtracted as the clocks on its walls, also where those are set forward.
    periods = [(begin.astimezone(UTC), end.astimezone(UTC)) for begin, end in periods]
    begins = [begin for begin, _ in periods]
    lengths = [(end - begin).total_seconds() for begin, end in periods]
    active, down = _Total(begins, periods[-1][1]), _Total(begins, periods[-1][1])
    for (status, begin, end), number in Counter((span.status, span.begin, span.end) for span in found).items():
        if status == AccountStatus.ACTIVE:
            active.add(begin, end, number)
        elif status not in NOT_DOWN:
            down.add(begin, end, number)
    pairs = zip(active.seconds(lengths), down.seconds(lengths), strict=True)
    measures = [Measure(active_seconds, down_seconds) for active_seconds, down_seconds in pairs]
    for outage in _outages(found):
        at = bisect_right(begins, outage.begin) - 1
        if at >= 0 and begins[at] < outage.begin < periods[at][1]:
            measures[at].outages += 1
    return measures


def down_within(found: Sequence[Span], begin: datetime, end: datetime) -> list[Span]:
    """Return the spans within a window in which an account was down."""
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    return [
        Span(span.account_id, span.status, max(span.begin, begin), min(span.end, end))
        for span in found
        if span.is_down and span.begin < end and span.end > begin
    ]


def seconds_down(found: Sequence[Span], begin: datetime, end: datetime) -> float:
    """Return how many seconds of the spans within a window their account was down."""
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    return sum(span.seconds(begin, end) for span in found if span.is_down)


def seconds_to_reconnect(found: Sequence[Span], until: datetime) -> float | None:
    """Return the median length of the outages that ended before `until`, or None if none did."""
    lengths = [(span.end - span.begin).total_seconds() for span in _outages(found) if span.end < until]
    return median(lengths) if lengths else None


def _outages(found: Sequence[Span]) -> list[Span]:
    """Return the down spans of each account, adjacent ones merged."""
    outages: list[Span] = []
    for span in found:
        last = outages[-1] if outages else None
        if not span.is_down:
            continue
        if last and last.account_id == span.account_id and last.end == span.begin:
            outages[-1] = Span(last.account_id, last.status, last.begin, span.end)
        else:
            outages.append(span)
    return outages


def _spans_of(
    account: Watched, changes: Sequence[tuple[str, str, datetime]], begin: datetime, end: datetime
) -> list[Span]:
    found: list[Span] = []
    status = changes[0][0] if changes else account.status
    since = begin if changes else max(begin, min(account.created_at, account.status_since))
    for _, after, at in changes:
        found.append(Span(account.pk, status, since, min(max(at, since), end)))
        status, since = after, max(at, since)
    found.append(Span(account.pk, status, since, end))
    return [span for span in found if span.status and span.begin < span.end]
