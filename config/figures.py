"""Count rows for the dashboard and `/metrics`. Each figure is an index lookup, never a full count of a growing
table."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Model, QuerySet
from django.utils import timezone

from accounts.core.enums import AccountStatus, IssueKind
from accounts.models import Account, Event, SourceIssue
from notifications.models import Delivery, DeliveryStatus
from webhooks.models import Receipt, ReceiptStatus

MAX_COUNT = 10_000  # counting stops here


def accounts_by_status() -> dict[str, int]:
    """Return the number of accounts in every status, also zero."""
    found = dict(Account.objects.order_by().values_list("status").annotate(Count("pk")))
    return {status.value: found.get(status.value, 0) for status in AccountStatus}


def open_issues() -> dict[str, int]:
    """Return the number of open issues of every kind, also zero."""
    rows = SourceIssue.objects.filter(closed_at__isnull=True).order_by()
    found = dict(rows.values_list("kind").annotate(Count("pk")))
    return {kind.value: found.get(kind.value, 0) for kind in IssueKind}


def receipts_by_status() -> dict[str, int]:
    """Return exact numbers of waiting, quarantined and failed receipts (up to MAX_COUNT), and an estimate of processed
    ones."""
    counted = {
        status.value: count_up_to(Receipt.objects.filter(status=status))
        for status in (ReceiptStatus.RECEIVED, ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED)
    }
    return {**counted, ReceiptStatus.PROCESSED.value: max(0, estimate_rows(Receipt) - sum(counted.values()))}


def deliveries_by_status() -> dict[str, int]:
    """Return exact numbers of pending and failed deliveries (up to MAX_COUNT), and an estimate of `settled` (ended)
    ones."""
    counted = {
        status.value: count_up_to(Delivery.objects.filter(status=status))
        for status in (DeliveryStatus.PENDING, DeliveryStatus.FAILED)
    }
    return {**counted, "settled": max(0, estimate_rows(Delivery) - sum(counted.values()))}


def oldest_due_receipt() -> timedelta:
    """Return how long the oldest due receipt has been due, or zero if none is."""
    return _oldest_due(Receipt.objects.filter(status=ReceiptStatus.RECEIVED))


def oldest_due_delivery() -> timedelta:
    """Return how long the oldest due delivery has been due, or zero if none is."""
    return _oldest_due(Delivery.objects.filter(status=DeliveryStatus.PENDING))


def oldest_due_event() -> timedelta:
    """Return how long the oldest event due for its fan-out has been due, or zero if none is."""
    return _oldest_due(Event.objects.filter(fanned_out_at__isnull=True))


def count_up_to(rows: "QuerySet[Any, Any]", limit: int = MAX_COUNT) -> int:
    """Return the number of rows. Counting stops at `most`."""
    return rows.order_by()[:limit].count()


def estimate_rows(model: type[Model]) -> int:
    """Return the estimated size of a table: PostgreSQL's own estimate, or SQLite's distance of first and last row."""
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        else:
            quoted = connection.ops.quote_name(table)
            cursor.execute(
                f"SELECT (SELECT max(rowid) FROM {quoted}) - (SELECT min(rowid) FROM {quoted}) + 1"  # noqa: S608
            )
        return max(0, (cursor.fetchone() or [0])[0] or 0)


def _oldest_due(waiting: "QuerySet[Any]") -> timedelta:
    now = timezone.now()
    due = waiting.filter(next_attempt_at__lte=now).order_by("next_attempt_at")
    at = due.values_list("next_attempt_at", flat=True).first()
    return now - at if at else timedelta()
