"""Serve `/api/v1/reports/leads`."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.report import ReportViewSet, describe_parameters, describe_responses
from leads.analytics.lead_report import GROUPS, lead_report


class LeadReportViewSet(ReportViewSet):
    groups = tuple(GROUPS)

    @extend_schema(
        tags=["reports"],
        operation_id="reports_leads",
        parameters=describe_parameters(tuple(GROUPS)),
        responses=describe_responses("LeadReportAnswer"),
    )
    def report(self, request: Request, **_: Any) -> Response | HttpResponse:
        """Report on leads: how many came, how they moved, and conversions per active account-day.

        Only leads of accounts that are active now and leads without an account count, or all with `include_inactive`. A
        conversion is a lead that reached `OPPORTUNITY` or `MEETING_BOOKED`.
        """
        question = self.question(request)
        return self.answer(question, lead_report(self.agency, question), "leads")
