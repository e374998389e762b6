"""Serve `/api/v1/reports/accounts`: the number of accounts, their uptime and downtime, and their outages."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
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
#: What groups are found by, beside what spans need.
NAMED = ("provider", "sub_account__location_id", "sub_account__name")
MAX_SPANS = 2000  # of downtime that are listed


def account_report(agency: Agency, question: Question) -> dict[str, Any]:
    window, before = question.window, question.before.window
    accounts = uptime.watched(_accounts_asked_about(agency, question), *NAMED)
    found = uptime.account_spans(accounts, before.begin, window.end, agency=agency)
    down = uptime.down_within(found, window.begin, window.end)
    statuses = Counter(account.status for account in accounts)
    periods = window.periods()
    return {
        "before": _figures(uptime.measure(found, before.begin, before.end)),
        "figures": {
            "accounts": len(accounts),
            "by_status": {status.value: statuses[status] for status in AccountStatus if status != "deleted"},
            **_figures(uptime.measure(found, window.begin, window.end)),
            "median_seconds_to_reconnect": uptime.seconds_to_reconnect(down, window.end),
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


def _accounts_asked_about(agency: Agency, question: Question) -> "QuerySet[Account]":
    """Return the accounts to count: perhaps only those that a campaign runs on, or whose leads a member has."""
    accounts = select_accounts(agency, question)
    if question.campaign:
        accounts = accounts.filter(pk__in=agency.campaigns.filter(pk=question.campaign).values("account"))
    if question.member:
        users = agency.members.filter(pk=question.member).values("user")
        accounts = accounts.filter(pk__in=agency.accounts.filter(leads__assigned_to__in=users).values("pk"))
    return accounts


def _figures(measured: Measure) -> dict[str, Any]:
    return {
        "active_account_days": round(measured.active / 86_400, 3),
        "downtime_seconds": round(measured.down),
        "uptime": None if measured.uptime is None else round(measured.uptime, 4),
        "drops": measured.outages,
    }


def _groups(accounts: Sequence[Any], found: Sequence[Span], question: Question) -> list[dict[str, Any]]:
    if question.group_by not in GROUPS:
        return []
    members: dict[str, list[Any]] = {}
    for account in accounts:
        members.setdefault(_group_of(account, question.group_by), []).append(account)
    window = question.window
    spans: dict[str, list[Span]] = {}
    for span in found:
        spans.setdefault(span.account_id, []).append(span)
    names = Account.objects.in_bulk(members) if question.group_by == "account" else {}
    rows = []
    for key, group in members.items():
        mine = [span for account in group for span in spans.get(account.pk, ())]
        rows.append(
            {
                question.group_by: key or None,
                "name": str(names.get(key, "")) or _name_of(group[0], question.group_by),
                "accounts": len(group),
                **_figures(uptime.measure(mine, window.begin, window.end)),
            }
        )
    return rows


def _group_of(account: Any, group_by: str) -> str:
    key: str = {"provider": account.provider, "location": account.sub_account__location_id or ""}.get(
        group_by, account.pk
    )
    return key


def _name_of(account: Any, group_by: str) -> str:
    """Return the name of the account's provider or sub-account."""
    if group_by == "provider":
        return str(account.provider)
    return account.sub_account__name or account.sub_account__location_id or ""


class AccountReportViewSet(ReportViewSet):
    groups = GROUPS

    @extend_schema(
        tags=["reports"],
        operation_id="reports_accounts",
        parameters=describe_parameters(GROUPS, of="accounts"),
        responses=describe_responses(
            "AccountReportAnswer", downtime=serializers.ListField(child=serializers.DictField())
        ),
    )
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report active accounts, or all with `include_inactive`: their uptime and downtime by period. `downtime` lists
        each span in which one was down, for the shading of a chart."""
        question = self.question(request)
        return self.answer(question, account_report(self.agency, question), "accounts")
