"""The REST API put together: routes, OpenAPI, the page for people, and DRF's settings."""

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_safe
from django.views.generic import TemplateView
from drf_spectacular.generators import SchemaGenerator
from rest_framework.routers import SimpleRouter

from accounts.api.account_report import AccountReportView
from accounts.api.accounts import AccountView
from accounts.api.views import CampaignView, EventView, SubAccountView
from config.security import csp_override
from leads.analytics.api import LeadReportView
from leads.api import LeadView
from notifications.api import ChannelView, DeliveryView, EventTypeView
from webhooks.api import ReceiptView, RejectedRequestView, SourceWithRequestsView

RESOURCES = {
    "accounts": AccountView,
    "leads": LeadView,
    "sub-accounts": SubAccountView,
    "campaigns": CampaignView,
    "sources": SourceWithRequestsView,
    "receipts": ReceiptView,
    "rejected-requests": RejectedRequestView,
    "events": EventView,
    "event-types": EventTypeView,
    "channels": ChannelView,
    "deliveries": DeliveryView,
}


def _router() -> SimpleRouter:
    router = SimpleRouter(trailing_slash=False, use_regex_path=False)
    for name, view in RESOURCES.items():
        router.register(name, view, basename=name)
    return router


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """OpenAPI 3, as JSON."""
    return HttpResponse(_schema(), content_type="application/json")


@lru_cache(maxsize=1)
def _schema() -> bytes:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.dumps(document, ensure_ascii=False).encode()


docs = csp_override(TemplateView.as_view(template_name="api/docs.html"), img_src=["'self'", "data:"])

urlpatterns = [
    path("schema", schema, name="api-schema"),
    path("docs", docs, name="api-docs"),
    path("reports/accounts", AccountReportView.as_view({"get": "report"}), name="report-accounts"),
    path("reports/leads", LeadReportView.as_view({"get": "report"}), name="report-leads"),
    path("", include(_router().urls)),
]
