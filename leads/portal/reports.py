"""Serve the page of reports: a period beside the one before it, as pictures, as tables and as CSV."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import formats, timezone
from django.views.decorators.http import require_safe

from accounts.api.report import file_response
from accounts.core import csv_export
from accounts.portal import MemberRequest, readers, render_page
from accounts.tenancy.localtime import get_zone
from accounts.web.portal.pictures import Bar
from leads.analytics import summary
from leads.analytics.periods import DEFAULT, PERIODS, Comparison, comparison
from leads.analytics.summary import LeadSummary
from leads.portal.figures.views import report_tabs

Rows = Sequence[Mapping[str, Any]]


@require_safe
@readers
def report_page(request: MemberRequest) -> HttpResponse:
    period, compared = _period(request)
    leads = summary.lead_summary(request.agency, compared)
    accounts = summary.account_summary(request.agency, compared)
    campaigns = summary.campaign_summary(request.agency, compared)
    bars = [_bar(leads, number) for number in range(len(leads.periods))]
    return render_page(
        request,
        "portal/reports.html",
        "reports",
        reports=report_tabs("", f"?period={period}"),
        period=period,
        period_title=PERIODS[period][0],
        before_title=PERIODS[period][1],
        by_week=compared.now.period == "week",
        tabs=[
            {"title": title, "url": f"?period={name}", "current": name == period}
            for name, (title, _before) in PERIODS.items()
        ],
        leads=leads,
        bars=bars,
        rows=list(zip(bars, leads.before_values, strict=True)),
        accounts=accounts,
        campaigns=campaigns,
    )


@require_safe
@readers
def report_csv(request: MemberRequest, name: str) -> HttpResponse:
    """Download one of the page's tables."""
    _name, compared = _period(request)
    if name not in TABLES:
        raise Http404
    day = timezone.localtime(compared.now.end, compared.now.zone).date()
    rows = TABLES[name](request, compared)
    return file_response(rows, f"{name}-{day}", "csv", csv_export.delimiter_for(request.agency.locale))


def _period(request: MemberRequest) -> tuple[str, Comparison]:
    name = request.GET.get("period", "")
    period = name if name in PERIODS else DEFAULT
    return period, comparison(period, timezone.now(), get_zone(request.agency.timezone))


def _bar(leads: LeadSummary, number: int) -> Bar:
    begin, end = leads.periods[number]
    asked = {"received_after": f"{begin:%Y-%m-%d}", "received_before": f"{end:%Y-%m-%d}"}
    label = formats.date_format(begin, "D j M" if len(leads.periods) <= 7 else "j M")
    values = [row[number] for row in leads.values]
    return Bar(label, values, f"{reverse('portal_leads')}?{urlencode(asked)}" if sum(values) else "")


def _lead_rows(request: MemberRequest, compared: Comparison) -> Rows:
    leads = summary.lead_summary(request.agency, compared)
    return [
        {
            "date": f"{begin:%Y-%m-%d}",
            **{str(name): row[number] for name, row in zip(leads.sources, leads.values, strict=True)},
            "leads": sum(row[number] for row in leads.values),
            "leads_before": leads.before_values[number],
        }
        for number, (begin, _end) in enumerate(leads.periods)
    ]


def _campaign_rows(request: MemberRequest, compared: Comparison) -> Rows:
    return [
        {
            "campaign": str(row.campaign),
            "id": row.campaign.pk,
            "leads": row.outcomes.leads,
            "accepted": row.outcomes.accepted,
            "replied": row.outcomes.replied,
            "converted": row.outcomes.converted,
            "conversion_rate": None if row.outcomes.conversion is None else round(row.outcomes.conversion, 4),
        }
        for row in summary.campaign_summary(request.agency, compared).rows
    ]


def _account_rows(request: MemberRequest, compared: Comparison) -> Rows:
    return [
        {
            "account": str(row.account),
            "id": row.account.pk,
            "uptime": None if row.measured.uptime is None else round(row.measured.uptime, 4),
            "downtime_seconds": round(row.measured.down),
            "outages": row.measured.outages,
        }
        for row in summary.account_summary(request.agency, compared, most=None).rows
    ]


TABLES: Mapping[str, Callable[[MemberRequest, Comparison], Rows]] = {
    "leads": _lead_rows,
    "campaigns": _campaign_rows,
    "accounts": _account_rows,
}
