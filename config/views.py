"""Serve the pages that belong to no app: home, the probes and the metrics."""

import secrets

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from accounts.core.enums import PROVIDERS
from accounts.portal import current_member
from config import __version__, health
from config.backoffice.overview import overview
from config.metrics import CONTENT_TYPE, exposition


@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Show a member the agency's overview, and other visitors what Leadline is and where to go."""
    if current_member(request):
        return overview(request)
    return render(request, "home.html", {"version": __version__, "providers": list(PROVIDERS.values())})


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as soon as the process serves, without asking any other part."""
    return JsonResponse({"status": "ok", "version": __version__})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if every part that the product needs works, else 503. Either way name the state of each part."""
    problems = health.find_problems()
    wrong = any(problems.values())
    return JsonResponse(
        {
            "status": "not ready" if wrong else "ready",
            "checks": {name: {"ok": not problem, "detail": problem} for name, problem in problems.items()},
        },
        status=503 if wrong else 200,
    )


@require_GET
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return metrics in Prometheus' text format, for holders of `METRICS_TOKEN`. Answer 404 where none is set."""
    if not settings.METRICS_TOKEN:
        return HttpResponse("METRICS_TOKEN is not set.\n", status=404, content_type="text/plain; charset=utf-8")
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if not secrets.compare_digest(given, expected):
        response = HttpResponse("A bearer token is needed.\n", status=401, content_type="text/plain; charset=utf-8")
        response["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(exposition(), content_type=CONTENT_TYPE)


@login_required
@require_safe
@never_cache
def second_factor_needed(request: HttpRequest) -> HttpResponse:
    """Tell staff that the back office requires a second factor, and how to set one up."""
    return render(request, "account/second_factor_needed.html")
