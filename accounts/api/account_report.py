"""Serve `/api/v1/reports/accounts`: the number of accounts, their uptime and downtime, and their outages."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
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
from accounts.linkedin.uptime import Span
from accounts.models import Account, Agency

GROUPS = ("provider", "location", "account")
MAX_SPANS = 2000  # of downtime that are listed


def account_report(agency: Agency, question: Question) -> dict[str, Any]:
    accounts = list(select_accounts(agency, question))
    window = question.window
    found = uptime.account_spans(accounts, window.begin, window.end)
    statuses = Counter(account.status for account in accounts)
    down = [span for span in found if span.is_down]
    return {
        "figures": {
            "accounts": len(accounts),
            "by_status": {status.value: statuses[status] for status in AccountStatus if status != "deleted"},
            **_measure(found, window.begin, window.end),
            "median_seconds_to_reconnect": uptime.seconds_to_reconnect(found, window.end),
        },
        "series": [
            {"start": iso_timestamp(begin), "end": iso_timestamp(end), **_measure(found, begin, end)}
            for begin, end in window.periods()
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


def _measure(found: Sequence[Span], begin: datetime, end: datetime) -> dict[str, Any]:
    active, down = uptime.active_seconds(found, begin, end), uptime.down_seconds(found, begin, end)
    return {
        "active_account_days": round(active / 86_400, 3),
        "downtime_seconds": round(down),
        "uptime": round(active / (active + down), 4) if active + down else None,
        "drops": uptime.count_outages(found, begin, end),
    }


def _groups(accounts: Sequence[Account], found: Sequence[Span], question: Question) -> list[dict[str, Any]]:
    if question.group_by not in GROUPS:
        return []
    members: dict[str, list[Account]] = {}
    for account in accounts:
        members.setdefault(group_of(account, question.group_by), []).append(account)
    window = question.window
    rows = []
    for key, group in members.items():
        ids = {account.pk for account in group}
        mine = [span for span in found if span.account_id in ids]
        rows.append(
            {
                question.group_by: key or None,
                "name": name_of(group[0], question.group_by),
                "accounts": len(group),
                **_measure(mine, window.begin, window.end),
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
