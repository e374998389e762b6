"""Serve `/api/v1/reports/accounts`: the number of accounts, their uptime and downtime, and their outages."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.report import Question, ReportViewSet, describe_parameters, describe_responses, select_accounts
from accounts.core.enums import AccountStatus
from accounts.events.outbox import iso_timestamp
from accounts.linkedin import uptime
from accounts.linkedin.uptime import Measure, Span
from accounts.models import Account, Agency

GROUPS = ("provider", "location", "account")
MAX_SPANS = 2000  # of downtime that are listed


def account_report(agency: Agency, question: Question) -> dict[str, Any]:
    accounts = list(select_accounts(agency, question))
    window = question.window
    found = uptime.account_spans(accounts, window.begin, window.end)
    statuses = Counter(account.status for account in accounts)
    down = [span for span in found if span.is_down]
    periods = window.periods()
    before = question.before.window
    earlier = uptime.account_spans(accounts, before.begin, before.end)
    return {
        "before": _figures(uptime.measure(earlier, before.begin, before.end)),
        "figures": {
            "accounts": len(accounts),
            "by_status": {status.value: statuses[status] for status in AccountStatus if status != "deleted"},
            **_figures(uptime.measure(found, window.begin, window.end)),
            "median_seconds_to_reconnect": uptime.seconds_to_reconnect(found, window.end),
        },
        "series": [
            {"start": iso_timestamp(begin), "end": iso_timestamp(end), **_figures(measured)}
            for (begin, end), measured in zip(periods, uptime.measure_periods(found, periods), strict=True)
        ],
        "groups": _groups(accounts, found, question),
        "downtime": [
            {
                "account": span.account_id,
                "status": span.status,
                "from": iso_timestamp(span.begin),
                "to": iso_timestamp(span.end),
            }
            for span in sorted(down, key=lambda span: span.begin, reverse=True)[:MAX_SPANS]
        ],
    }


def _figures(measured: Measure) -> dict[str, Any]:
    return {
        "active_account_days": round(measured.active / 86_400, 3),
        "downtime_seconds": round(measured.down),
        "uptime": None if measured.uptime is None else round(measured.uptime, 4),
        "drops": measured.outages,
    }


def _groups(accounts: Sequence[Account], found: Sequence[Span], question: Question) -> list[dict[str, Any]]:
    if question.group_by not in GROUPS:
        return []
    members: dict[str, list[Account]] = {}
    for account in accounts:
        members.setdefault(group_of(account, question.group_by), []).append(account)
    window = question.window
    spans: dict[str, list[Span]] = {}
    for span in found:
        spans.setdefault(span.account_id, []).append(span)
    rows = []
    for key, group in members.items():
        mine = [span for account in group for span in spans.get(account.pk, ())]
        rows.append(
            {
                question.group_by: key or None,
                "name": name_of(group[0], question.group_by),
                "accounts": len(group),
                **_figures(uptime.measure(mine, window.begin, window.end)),
            }
        )
    return rows


def group_of(account: Account, group_by: str) -> str:
    match group_by:
        case "provider":
            return account.provider
        case "location":
            return account.sub_account.location_id if account.sub_account else ""
        case _:
            return account.pk


def name_of(account: Account, group_by: str) -> str:
    match group_by:
        case "provider":
            return account.provider
        case "location":
            return str(account.sub_account or "")
        case _:
            return str(account)


class AccountReportViewSet(ReportViewSet):
    groups = GROUPS

    @extend_schema(
        tags=["reports"],
        operation_id="reports_accounts",
        parameters=describe_parameters(GROUPS),
        responses=describe_responses(
            "AccountReportAnswer", downtime=serializers.ListField(child=serializers.DictField())
        ),
    )
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report active accounts, or all with `include_inactive`: their uptime and downtime by period. `downtime` lists
        each span in which one was down, for the shading of a chart."""
        question = self.question(request)
        return self.answer(question, account_report(self.agency, question), "accounts")
