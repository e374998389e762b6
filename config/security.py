"""Apply request ids, the content security policy, trusted proxy headers and the staff's second factor. Middleware."""

import re
import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

import structlog
from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from accounts.core.networks import is_in_networks, parse_address
from config.ops.logs import name_route
from webhooks.ingest.client_ip import client_address, trusted_proxies

log = structlog.get_logger("leadline.requests")

Respond = Callable[[HttpRequest], HttpResponse]
Policy = dict[str, list[str]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z")
_QUIET = ("/static/", "/healthz", "/readyz", "/metrics")
PERMISSIONS_POLICY = (
    ", ".join(
        f"{feature}=()"
        for feature in ("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "microphone", "midi")
    )
    + ", payment=(), usb=(), publickey-credentials-get=(self), publickey-credentials-create=(self)"
)


def request_id(get_response: Respond) -> Respond:
    """Give every request an id (`request.request_id`, `X-Request-ID`), bind it to the log, and log the response.

    A caller's own id is used if it is 1–64 harmless characters. The logged route holds no token of the path.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        name = given if _REQUEST_ID.match(given) else uuid.uuid4().hex
        request.request_id = name  # type: ignore[attr-defined]
        started = time.perf_counter()
        with structlog.contextvars.bound_contextvars(request_id=name):
            response = get_response(request)
            if not request.path_info.startswith(_QUIET):
                log.info(
                    "answered",
                    method=request.method,
                    route=name_route(request),
                    status=response.status_code,
                    ms=round((time.perf_counter() - started) * 1000),
                )
        response["X-Request-ID"] = name
        return response

    return middleware


def proxy_headers(get_response: Respond) -> Respond:
    """Trust `X-Forwarded-*` only from `TRUSTED_PROXIES`. Behind a proxy, set `REMOTE_ADDR` to the client's address."""

    def middleware(request: HttpRequest) -> HttpResponse:
        peer = request.META.get("REMOTE_ADDR", "")
        if is_in_networks(parse_address(peer), trusted_proxies()):
            forwarded = {"x-forwarded-for": request.META.get("HTTP_X_FORWARDED_FOR", "")}
            request.META["REMOTE_ADDR"] = str(client_address(peer, forwarded) or peer)
        else:
            for name in ("FOR", "PROTO", "HOST", "PORT"):
                request.META.pop(f"HTTP_X_FORWARDED_{name}", None)
        return get_response(request)

    return middleware


def content_security(get_response: Respond) -> Respond:
    """Send `settings.SECURE_CSP` (Django 6's name and form) and a `Permissions-Policy` with every response.

    A view under `csp_override` has a policy of its own.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        policy: Policy = getattr(response, "_csp_config", settings.SECURE_CSP)
        response.headers.setdefault("Content-Security-Policy", build_policy(policy))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def csp_override(view: Callable[..., Any], **directives: list[str]) -> Callable[..., Any]:
    """Return `view` with some directives of the policy replaced, such as `img_src=["'self'", "data:"]`."""

    @wraps(view)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        response = view(*args, **kwargs)
        response._csp_config = settings.SECURE_CSP | {
            name.replace("_", "-"): sources for name, sources in directives.items()
        }
        return response

    return wrapped


def build_policy(policy: Policy) -> str:
    """Return the header's value."""
    return "; ".join(" ".join([name, *sources]) for name, sources in policy.items())


def staff_second_factor(get_response: Respond) -> Respond:
    """Require a second factor of staff in the back office, if `STAFF_TWO_FACTOR` is on."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.STAFF_TWO_FACTOR and request.path_info.startswith("/admin/") and request.user.is_authenticated:
            next_page = _way_to_second_factor(request)
            if next_page:
                response = HttpResponseRedirect(next_page)
                add_never_cache_headers(response)
                return response
        return get_response(request)

    return middleware


def _way_to_second_factor(request: HttpRequest) -> str:
    """Return where to send a signed-in visitor of the back office first, or an empty text."""
    if not request.user.is_staff:
        return ""
    if not is_mfa_enabled(request.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
        return reverse("second_factor_needed")
    if any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user)):
        return ""
    here = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    return f"{reverse('mfa_reauthenticate')}?{urlencode({'next': here})}"
