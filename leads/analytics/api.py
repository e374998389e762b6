"""Serve the reports on leads: `/api/v1/reports/leads`, `response-times`, `funnel`, `losses`, `engagement`,
`workload`."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.report import ReportViewSet, describe_parameters, describe_responses
from leads.analytics.counting import GROUPS
from leads.analytics.funnel_report import funnel_report
from leads.analytics.lead_report import lead_report
from leads.analytics.loss_report import loss_report
from leads.analytics.response_report import response_report
from leads.analytics.work_report import engagement_report, workload_report

F = TypeVar("F", bound=Callable[..., Any])


def _described(name: str) -> Callable[[F], F]:
    """Describe a report on leads to OpenAPI."""
    described: Callable[[F], F] = extend_schema(
        tags=["reports"],
        operation_id=f"reports_{name.replace('-', '_')}",
        parameters=describe_parameters(tuple(GROUPS)),
        responses=describe_responses(f"{name.title().replace('-', '')}ReportAnswer"),
    )
    return described


class LeadReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @extend_schema(
        tags=["reports"],
        operation_id="reports_leads",
        parameters=describe_parameters(tuple(GROUPS)),
        responses=describe_responses("LeadReportAnswer"),
    )
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report on leads: how many came, which statuses they reached, and conversions per active account-day.

        Only leads of accounts that are active now and leads without an account count, or all with `include_inactive`.
        `changes` counts the leads that first had a status within the window. A lead converts once: when it first has
        one of the statuses that the agency counts as a conversion (`OPPORTUNITY`, `MEETING_BOOKED` and `DONE`, unless
        it chose).
        """
        question = self.question(request)
        return self.answer(question, lead_report(self.agency, question), "leads")


class ResponseReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @_described("response-times")
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report how long leads waited for a person's first answer, in seconds on the wall and of working time.

        Leads count by when they first had to wait: when they came by themselves, or first replied. Medians and 90th
        percentiles are of answered ones; `never` are those that nobody answered, of which `waiting` are still open.
        """
        question = self.question(request)
        return self.answer(question, response_report(self.agency, question), "response-times")


class FunnelReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @_described("funnel")
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report how far leads came, and how long they took from step to step.

        Leads count by when they were received. `before` has the period before.
        """
        question = self.question(request)
        return self.answer(question, funnel_report(self.agency, question), "funnel")


class LossReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @_described("losses")
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report the leads that were lost, by the cause that history proves.

        Leads count by since when they are `NOT_INTERESTED`.
        The first that holds counts: `account_down` (2 days in all while the lead was open), `no_owner`,
        `never_answered`, `late` (3 hours or more after the answer was due). `other` is what nothing here explains.
        """
        question = self.question(request)
        return self.answer(question, loss_report(self.agency, question), "losses")


class EngagementReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @_described("engagement")
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report how many leads accepted and replied, by campaign.

        Leads count by when they were received. `groups` has campaigns unless another group is asked for.
        """
        question = self.question(request)
        return self.answer(question, engagement_report(self.agency, question), "engagement")


class WorkloadReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @_described("workload")
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report who has the leads, and what became of them.

        Leads count by when they were received. `groups` has members unless another group is asked for; `behind` is how
        many leads the pools owe a member.
        """
        question = self.question(request)
        return self.answer(question, workload_report(self.agency, question), "workload")
