"""Make the series that the back office's overview draws: accounts by status, receipts, rejections, deliveries, lag.

Each reads a bounded number of rows, whatever the size of the tables, and is kept for a minute.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.db.models import Avg, Count, DurationField, F, QuerySet, Sum
from django.db.models.functions import TruncDay, TruncHour
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.core.markup import NOTHING, duration
from accounts.labels import ACCOUNT_STATUSES
from accounts.models import AccountReport
from accounts.web.portal.pictures import Bar
from config import figures
from notifications.labels import DELIVERY_LABELS
from notifications.models import Delivery, DeliveryStatus
from webhooks.models import LatencyTally, Receipt

HOURS, DAYS = 24, 14
MAX_ROWS = 20_000  # of the newest that a series is made of
KEPT_SECONDS = 60
SHOWN_STATUSES = tuple(status for status in AccountStatus if status != AccountStatus.DELETED)


@dataclass(frozen=True, slots=True)
class Picture:
    """Hold one chart of the overview: stacked bars, the names of the series, and what a bar stands for."""

    title: str
    anchor: str
    series: Sequence[str]
    bars: Sequence[Bar]
    period: str = "Hour (UTC)"

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """Return the table under the bars, the newest first."""
        cells = [[bar.text] if bar.text else [str(value) for value in bar.values] for bar in self.bars]
        return [(bar.label, row) for bar, row in zip(self.bars, cells, strict=True)][::-1]


def pictures(user: User | AnonymousUser) -> list[Picture]:
    """Return the pictures of what this staff member may view."""
    made = (
        ("accounts.view_account", accounts_by_day),
        ("webhooks.view_receipt", receipts_by_hour),
        ("notifications.view_delivery", deliveries_by_hour),
    )
    return [found for right, picture in made if user.has_perm(right) for found in picture()]


def accounts_by_day() -> list[Picture]:
    """Return how many accounts had which status at the end of each day: today's, and the changes walked back."""
    return _kept("accounts", _accounts_by_day)


def receipts_by_hour() -> list[Picture]:
    """Return the receipts and the rejected requests of each hour, and the mean time until a receipt was processed."""
    return _kept("receipts", _receipts_by_hour)


def deliveries_by_hour() -> list[Picture]:
    """Return what became of the deliveries of each hour, and the mean time until one was delivered."""
    return _kept("deliveries", _deliveries_by_hour)


def _kept(name: str, make: Callable[[], list[Picture]]) -> list[Picture]:
    return cache.get_or_set(f"backoffice-{name}", make, KEPT_SECONDS)  # type: ignore[return-value]  # never None


def _accounts_by_day() -> list[Picture]:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    days = [today - timedelta(days=back) for back in range(DAYS)]  # the newest first
    changes: dict[datetime, Counter[str]] = {day: Counter() for day in days}
    reports = _newest(AccountReport.objects.filter(applied=True, occurred_at__gte=days[-1])).exclude(
        from_status=F("to_status")
    )
    by_day = reports.annotate(day=TruncDay("occurred_at")).values_list("day", "from_status", "to_status")
    for day, before, after, number in by_day.annotate(Count("pk")).order_by():
        if day in changes:
            changes[day][after] += number
            changes[day][before] -= number
    counts, bars = Counter(figures.accounts_by_status()), []
    for day in days:
        bars.append(Bar(f"{day:%d %b}", [max(0, counts[status]) for status in SHOWN_STATUSES]))
        counts.subtract(changes[day])
    series = [str(ACCOUNT_STATUSES[status].text) for status in SHOWN_STATUSES]
    return [Picture(f"Accounts by status, {DAYS} days", "accounts-by-day", series, bars[::-1], period="Day")]


def _receipts_by_hour() -> list[Picture]:
    hours = _hours()
    received = _newest(Receipt.objects.filter(received_at__gte=hours[0]))
    by_hour = received.annotate(hour=TruncHour("received_at")).values_list("hour")
    lag = Avg(F("processed_at") - F("received_at"), output_field=DurationField())
    counted = by_hour.annotate(number=Count("pk"), lag=lag).order_by()
    numbers = {hour: (number, mean) for hour, number, mean in counted}
    tallies = LatencyTally.objects.filter(began_at__gte=hours[0]).annotate(hour=TruncHour("began_at"))
    rejected = dict(tallies.values_list("hour").annotate(Sum("rejected")).order_by())
    bars = [Bar(f"{hour:%H:00}", [numbers.get(hour, (0, None))[0], rejected.get(hour) or 0]) for hour in hours]
    lags = [_lag_bar(hour, numbers.get(hour, (0, None))[1]) for hour in hours]
    return [
        Picture(f"Receipts and rejected requests, {HOURS} hours", "receipts-by-hour", ["Receipts", "Rejected"], bars),
        Picture(f"Time to process a receipt, {HOURS} hours", "receipt-lag", ["Mean"], lags),
    ]


def _deliveries_by_hour() -> list[Picture]:
    hours = _hours()
    rows = _newest(Delivery.objects.filter(created_at__gte=hours[0])).annotate(hour=TruncHour("created_at"))
    lag = Avg(F("delivered_at") - F("created_at"), output_field=DurationField())
    counted = rows.values_list("hour", "status").annotate(number=Count("pk"), lag=lag)
    found = {(hour, status): (number, mean) for hour, status, number, mean in counted.order_by()}
    statuses = (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.PENDING)
    bars = [Bar(f"{hour:%H:00}", [found.get((hour, status), (0, None))[0] for status in statuses]) for hour in hours]
    lags = [_lag_bar(hour, found.get((hour, DeliveryStatus.DELIVERED), (0, None))[1]) for hour in hours]
    series = [str(DELIVERY_LABELS[status].text) for status in statuses]
    return [
        Picture(f"Deliveries, {HOURS} hours", "deliveries-by-hour", series, bars),
        Picture(f"Time to deliver, {HOURS} hours", "delivery-lag", ["Mean"], lags),
    ]


def _newest(rows: "QuerySet[Any]") -> "QuerySet[Any]":
    """Return the rows that are among the newest of their table, so that a series costs the same at any size."""
    keys = rows.model._default_manager.order_by("-pk").values_list("pk", flat=True)
    oldest = keys[MAX_ROWS : MAX_ROWS + 1].first()
    return rows.filter(pk__gt=oldest) if oldest is not None else rows


def _hours() -> list[datetime]:
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    return [now - timedelta(hours=back) for back in reversed(range(HOURS))]


def _lag_bar(hour: datetime, mean: timedelta | None) -> Bar:
    """Return the bar of an hour's mean duration, in milliseconds. It says the duration as people read it."""
    if mean is None:
        return Bar(f"{hour:%H:00}", [0], text=NOTHING)
    text = f"{mean.total_seconds():.1f} s" if mean < timedelta(minutes=1) else duration(mean)
    return Bar(f"{hour:%H:00}", [max(round(mean.total_seconds() * 1000), 0)], text=text)
