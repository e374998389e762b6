"""Report on an agency's leads in a window: leads received, statuses reached, conversions per active account-day."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate, TruncDay, TruncMonth, TruncWeek

from accounts.api.report import Question, Window, select_accounts
from accounts.events.outbox import iso_timestamp
from accounts.linkedin import uptime
from accounts.models import Agency
from leads.analytics.counting import GROUPS, Facts, by_day, by_group, facts_in, first_day, named_groups, within
from leads.enums import LeadStatus
from leads.models import LeadStep

TRUNCATIONS = {"day": TruncDay, "week": TruncWeek, "month": TruncMonth}
N = {"n": Count("*")}


def lead_report(agency: Agency, question: Question) -> dict[str, Any]:
    """Return the report's figures, series and groups.

    Count leads of accounts that are active now and leads without an account, or all leads with `include_inactive`.
    """
    facts, window, before = facts_in(agency, question), question.window, question.before.window
    accounts = uptime.watched(select_accounts(agency, question))
    spans = uptime.account_spans(accounts, before.begin, window.end, agency=agency)
    steps = _steps(agency, facts, window)
    return {
        "figures": _figures(facts, window, spans, steps),
        "series": _series(agency, facts, spans, window, steps),
        "groups": _groups(agency, facts, question),
        "before": _figures(facts, before, spans, _steps(agency, facts, before)),
    }


def _figures(
    facts: Facts, window: Window, spans: list[uptime.Span], steps: Mapping[tuple[str, str], int]
) -> dict[str, Any]:
    active = uptime.measure(spans, window.begin, window.end).active
    counts = {key: row["n"] for key, row in by_group(within(facts, "received", window), "status", **N).items()}
    converted = within(facts, "converted", window).count()
    return {
        "leads": sum(counts.values()),
        "by_status": {status.value: counts.get(status.value, 0) for status in LeadStatus},
        "changes": {
            status.value: sum(n for (_day, name), n in steps.items() if name == status.value) for status in LeadStatus
        },
        "conversions": converted,
        "active_account_days": round(active / 86_400, 3),
        "conversions_per_active_account_day": _per_day(converted, active),
    }


def _steps(agency: Agency, facts: Facts, window: Window) -> dict[tuple[str, str], int]:
    """Return how many leads first had a status within the window, by period and status."""
    steps = LeadStep.objects.filter(agency=agency, reached_at__gte=window.begin, reached_at__lt=window.end)
    rows = steps.filter(lead__in=facts.values("lead")).order_by()
    found: dict[tuple[str, str], int] = {}
    days: Any = rows.values("status", day=TruncDate("reached_at", tzinfo=window.zone)).annotate(**N)
    for row in days:
        key = (first_day(row["day"], window), row["status"])
        found[key] = found.get(key, 0) + row["n"]
    return found


def _series(
    agency: Agency, facts: Facts, spans: list[uptime.Span], window: Window, steps: Mapping[tuple[str, str], int]
) -> list[dict[str, Any]]:
    new = by_day(agency, facts, "received", window)
    converted = by_day(agency, facts, "converted", window)
    periods = window.periods()
    rows = []
    for (begin, end), measured in zip(periods, uptime.measure_periods(spans, periods), strict=True):
        key = label_of(begin, window)
        conversions = converted.get(key, {}).get("n", 0)
        rows.append(
            {
                "start": iso_timestamp(begin),
                "end": iso_timestamp(end),
                "leads": new.get(key, {}).get("n", 0),
                "conversions": conversions,
                "conversions_per_active_account_day": _per_day(conversions, measured.active),
                "changes": {status.value: steps.get((key, status.value), 0) for status in LeadStatus},
                "active_account_days": round(measured.active / 86_400, 3),
                "downtime_seconds": round(measured.down),
            }
        )
    return rows


def _groups(agency: Agency, facts: Facts, question: Question) -> list[dict[str, Any]]:
    if question.group_by not in GROUPS:
        return []
    leads = by_group(within(facts, "received", question.window), question.group_by, **N)
    conversions = by_group(within(facts, "converted", question.window), question.group_by, **N)
    none = {"n": 0}
    found = {
        key: {"leads": leads.get(key, none)["n"], "conversions": conversions.get(key, none)["n"]}
        for key in leads.keys() | conversions.keys()
    }
    return named_groups(agency, question.group_by, found)


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
    return first_day(begin.astimezone(window.zone).date(), window)


def _per_day(conversions: int, active_seconds: float) -> float | None:
    return round(conversions / (active_seconds / 86_400), 4) if active_seconds else None
