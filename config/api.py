"""Compose the REST API: routes, OpenAPI and the documentation page."""

import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.utils.module_loading import autodiscover_modules
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from accounts.web.rest.router import router
from config.api_docs import docs_view

autodiscover_modules("api.routes")  # each app adds its resources to the router there


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI 3 document as JSON."""
    return HttpResponse(_schema(), content_type="application/json")


@lru_cache(maxsize=1)
def _schema() -> bytes:
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return json.dumps(document, ensure_ascii=False).encode()


urlpatterns = [
    path("schema", schema, name="api-schema"),
    path("docs", docs_view, name="api-docs"),
    path("", include(router.urls)),
]
