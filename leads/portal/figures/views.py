"""Serve the pages of reports, and their tables as files."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.api.report import Question, file_response
from accounts.core import csv_export
from accounts.portal import MemberRequest, readers, render_page
from accounts.tenancy.localtime import get_zone
from accounts.web.portal.widgets import LongSelect
from leads.analytics.coverage import coverage_of
from leads.analytics.periods import DEFAULT, PERIODS, comparison
from leads.portal.figures.labels import DIMENSIONS
from leads.portal.figures.spec import PAGES
from leads.portal.figures.steps import funnel_steps
from leads.portal.figures.table import MAX_BARS, Report

TIME = "time"


class ReportForm(forms.Form):
    """What a report is asked. A value that is none of the choices is the first one."""

    period = forms.CharField(required=False, widget=forms.HiddenInput)
    by = forms.ChoiceField(required=False, label=gettext_lazy("Group by"), widget=LongSelect)
    inactive = forms.BooleanField(required=False, label=gettext_lazy("Include accounts that are down"))

    def __init__(self, query: Any, name: str) -> None:
        page = PAGES[name]
        super().__init__({"by": page.by or TIME, **query.dict()})
        by = self.fields["by"]
        assert isinstance(by, forms.ChoiceField)  # noqa: S101 (declared above)
        by.choices = [(TIME, _("Time")), *((key, title) for key, title in DIMENSIONS.items() if key in page.groups)]
        self.is_valid()
        chosen = self.cleaned_data.get("period", "")
        self.asked_period: str = chosen if chosen in PERIODS else DEFAULT
        self.group_by: str = self.cleaned_data.get("by") or page.by or TIME
        self.include_inactive: bool = self.cleaned_data.get("inactive", False)

    def address(self, **changed: str) -> str:
        """Return the query of the same question, some of it changed."""
        asked = {
            "period": self.asked_period,
            "by": self.group_by,
            "inactive": "on" if self.include_inactive else "",
            **changed,
        }
        return urlencode({name: value for name, value in asked.items() if value})


@require_safe
@readers
def figures_page(request: MemberRequest, name: str) -> HttpResponse:
    form, report = _report(request, name)
    rows = report.rows()
    columns = report.columns(rows)
    before_title = PERIODS[form.asked_period][1]
    parts = report.page.parts
    line = [row.before or 0 for row in rows] if report.page.time else []
    bars = report.bars(rows)
    return render_page(
        request,
        "portal/figures.html",
        "reports",
        name=name,
        report=report.page,
        form=form,
        filtered=form.include_inactive or form.group_by != (report.page.by or TIME),
        query=form.address(),
        reports=report_tabs(name, f"?{urlencode({'period': form.asked_period})}"),
        periods=[
            {"title": title, "url": f"?{form.address(period=key)}", "current": key == form.asked_period}
            for key, (title, _before) in PERIODS.items()
        ],
        period_title=PERIODS[form.asked_period][0],
        before_title=before_title,
        tiles=report.tiles(),
        steps=funnel_steps(report) if name == "funnel" else [],
        coverage=coverage_of(request.agency, report.question) if name == "response-times" else None,
        head=DIMENSIONS[report.group_by] if report.group_by else _("Week of") if _is_weekly(report) else _("Day"),
        columns=[str(column.title) for column in columns],
        rows=rows,
        more=report.left_out,
        totals=[report.total(columns), report.before(str(before_title), columns)],
        bars=bars,
        more_bars=len(bars) == MAX_BARS < len(rows) and bool(report.group_by),
        series=[str(part.title) for part in parts],
        line=line[: len(bars)],
        is_empty=not any(bar.total for bar in bars) and not any(line),
    )


@require_safe
@readers
def figures_file(request: MemberRequest, name: str, form: str) -> HttpResponse:
    """Download a report's table, with the columns of the API."""
    _asked, report = _report(request, name)
    rows = report.found["groups" if report.group_by else "series"]
    day = timezone.localtime(report.question.window.end, report.question.window.zone).date()
    return file_response(rows, f"{name}-{day}", form, csv_export.delimiter_for(request.agency.locale))


def report_tabs(current: str, query: str) -> list[Mapping[str, Any]]:
    """Return the links between the pages of reports. The overview is ""."""
    pages = [("", _("Overview"), reverse("portal_reports"))]
    pages += [(key, str(page.title), reverse("portal_figures", args=[key])) for key, page in PAGES.items()]
    return [{"title": title, "url": f"{url}{query}", "current": key == current} for key, title, url in pages]


def _report(request: MemberRequest, name: str) -> tuple[ReportForm, Report]:
    if name not in PAGES:
        raise Http404
    form = ReportForm(request.GET, name)
    compared = comparison(form.asked_period, timezone.now(), get_zone(request.agency.timezone))
    question = Question(
        compared.now,
        compared.now.period if form.group_by == TIME else form.group_by,
        "",
        "",
        include_inactive=form.include_inactive,
        include_test=False,
        earlier=compared.before,
    )
    page = PAGES[name]
    return form, Report(name, page, question, request.agency, page.build(request.agency, question))


def _is_weekly(report: Report) -> bool:
    return report.question.window.period == "week"
