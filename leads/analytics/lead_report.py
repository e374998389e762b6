"""Report on an agency's leads in a window: leads received, status changes, and conversions per active account-day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncDay, TruncMonth, TruncWeek

from accounts.api.report import Question, Window, select_accounts
from accounts.core.enums import AccountStatus
from accounts.events.outbox import iso_timestamp
from accounts.linkedin import uptime
from accounts.models import Agency
from leads.enums import CONVERTED, LeadStatus
from leads.models import Lead, LeadChange, LeadReference

TRUNCATIONS = {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}
GROUPS = {  # group_by --> the lead's column, and the column of the group's name
    "provider": ("account__provider", "account__provider"),
    "location": ("account__sub_account__location_id", "account__sub_account__name"),
    "account": ("account", "account__name"),
    "campaign": ("campaign", "campaign__name"),
    "status": ("status", "status"),
}


def lead_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Return the report's figures, series and groups.

    Count leads of accounts that are active now and leads without an account, or all leads with `include_inactive`.
    """
    window = question.window
    leads = leads_in(agency, question)
    received = leads.filter(received_at__gte=window.begin, received_at__lt=window.end)
    changes = _status_changes(leads, window)
    accounts = list(select_accounts(agency, question))
    spans = uptime.account_spans(accounts, window.begin, window.end)
    conversions = changes.filter(new_status__in=CONVERTED)
    converted = conversions.aggregate(n=Count("lead", distinct=True))["n"]
    active = uptime.measure(spans, window.begin, window.end).active
    counts = dict(received.order_by().values_list("status").annotate(Count("pk")))
    return {
        "figures": {
            "leads": sum(counts.values()),
            "by_status": {status.value: counts.get(status.value, 0) for status in LeadStatus},
            "changes": _count_by_status(changes),
            "conversions": converted,
            "active_account_days": round(active / 86_400, 3),
            "conversions_per_active_account_day": _per_day(converted, active),
        },
        "series": _series(received, changes, conversions, spans, window),
        "groups": _groups(received, conversions, question.group_by),
    }


def leads_in(agency: Agency, question: Question) -> QuerySet[Lead]:
    leads = agency.leads.all()
    if not question.include_test:
        leads = leads.without_tests()
    if not question.include_inactive:
        leads = leads.filter(Q(account__isnull=True) | Q(account__status=AccountStatus.ACTIVE))
    if question.provider:
        known = LeadReference.objects.filter(lead=OuterRef("pk"), provider=question.provider)
        leads = leads.filter(Exists(known))
    if question.location_id:
        place = question.location_id
        leads = leads.filter(
            Q(account__sub_account__location_id=place) | Q(source__sub_account__location_id=place, account=None)
        )
    return leads


def _status_changes(leads: QuerySet[Lead], window: Window) -> QuerySet[LeadChange]:
    """Return the status changes within the window.

    A lead that changed in the window was updated since its beginning: the index on `updated_at` narrows the query.
    """
    moved = leads.filter(updated_at__gte=window.begin).order_by().values("pk")
    changes = LeadChange.objects.filter(lead__in=moved, applied=True, is_report=True)
    changes = changes.filter(occurred_at__gte=window.begin, occurred_at__lt=window.end)
    return changes.exclude(previous_status=F("new_status")).order_by()


def _series(
    received: QuerySet[Lead],
    changes: QuerySet[LeadChange],
    conversions: QuerySet[LeadChange],
    spans: list[uptime.Span],
    window: Window,
) -> list[dict[str, Any]]:
    new = _count_by_period(received, "received_at", window)
    converted = _count_by_period(conversions, "occurred_at", window, what="lead")
    moved = _changes_by_period(changes, window)
    periods = window.periods()
    rows = []
    for (begin, end), measured in zip(periods, uptime.measure_periods(spans, periods), strict=True):
        key = label_of(begin, window)
        rows.append(
            {
                "start": iso_timestamp(begin),
                "end": iso_timestamp(end),
                "leads": new.get(key, 0),
                "conversions": converted.get(key, 0),
                "conversions_per_active_account_day": _per_day(converted.get(key, 0), measured.active),
                "changes": {status.value: moved.get((key, status.value), 0) for status in LeadStatus},
                "active_account_days": round(measured.active / 86_400, 3),
                "downtime_seconds": round(measured.down),
            }
        )
    return rows


def _count_by_status(changes: QuerySet[LeadChange]) -> dict[str, int]:
    found = dict(changes.values_list("new_status").annotate(Count("lead", distinct=True)))
    return {status.value: found.get(status.value, 0) for status in LeadStatus}


def _count_by_period(rows: QuerySet[Any], column: str, window: Window, *, what: str = "pk") -> dict[str, int]:
    """Return the number of rows, or of distinct values of `what`, by period."""
    found = by_period(rows, column, window).values("period").annotate(n=Count(what, distinct=what != "pk"))
    return {period_key(row["period"], window): row["n"] for row in found}


def _changes_by_period(changes: QuerySet[LeadChange], window: Window) -> dict[tuple[str, str], int]:
    """Return the number of changes by period and new status."""
    found = by_period(changes, "occurred_at", window).values("period", "new_status").annotate(n=Count("pk"))
    return {(period_key(row["period"], window), row["new_status"]): row["n"] for row in found}


def by_period(rows: QuerySet[Any], column: str, window: Window) -> QuerySet[Any]:
    """Return the rows with the `period` that each lies in, without an order."""
    truncated = TRUNCATIONS[window.period](column, tzinfo=window.zone)
    found: QuerySet[Any] = rows.order_by().annotate(period=truncated)
    return found


def period_key(period: datetime, window: Window) -> str:
    """Return the first day of a whole period, as `label_of` writes it."""
    return f"{period.astimezone(window.zone):%Y-%m-%d}"


def label_of(begin: Any, window: Window) -> str:
    """Return the first day of the whole period, of which the window may contain only a part."""
    day = begin.astimezone(window.zone).date()
    if window.period == "month":
        day = day.replace(day=1)
    elif window.period == "week":
        day = day.fromordinal(day.toordinal() - day.weekday())
    return f"{day:%Y-%m-%d}"


def _groups(received: QuerySet[Lead], conversions: QuerySet[LeadChange], group_by: str) -> list[dict[str, Any]]:
    if group_by not in GROUPS:
        return []
    column, name = GROUPS[group_by]
    converted: Mapping[Any, int] = dict(
        conversions.values_list(f"lead__{column}").annotate(Count("lead", distinct=True))
    )
    rows = received.order_by().values(column, name).annotate(n=Count("pk"))
    found = {row[column]: {"name": row[name] or "", "leads": row["n"]} for row in rows}
    for key in converted.keys() - found.keys():
        found[key] = {"name": "", "leads": 0}
    ordered = sorted(found.items(), key=lambda item: (-item[1]["leads"], str(item[0])))
    return [{group_by: key, **values, "conversions": converted.get(key, 0)} for key, values in ordered]


def _per_day(conversions: int, active_seconds: float) -> float | None:
    return round(conversions / (active_seconds / 86_400), 4) if active_seconds else None
