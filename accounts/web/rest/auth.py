"""Authenticate API keys, check their scopes and limit their rate."""

from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from accounts.core.enums import Scope
from accounts.models import ApiKey
from accounts.tenancy.api_keys import find_api_key

SCHEME = "Bearer"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

log = structlog.get_logger(__name__)


class KeyAuthentication(BaseAuthentication):
    """Authentication by `Authorization: Bearer <key>` alone, because a key in a URL ends up in logs."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _, key = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if not scheme:
            return None
        found = find_api_key(key.strip()) if scheme.lower() == SCHEME.lower() else None
        if found is None:
            raise AuthenticationFailed("The API key is unknown, expired or revoked.")
        return AnonymousUser(), found

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = KeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key of the agency."}


class HasScope(BasePermission):
    """Permission for keys with the scope that the view requires. Without a key the response is a 401."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        scope = needed_scope(view, request.method or "")
        if scope in request.auth.scopes:
            return True
        self.message = f"This key lacks the scope `{scope}`."
        return False


def may_see_secrets(request: Request | None) -> bool:
    """Return whether the key may administer, and so sees secrets unmasked."""
    key = request.auth if request is not None else None
    return isinstance(key, ApiKey) and Scope.ADMIN in key.scopes


def needed_scope(view: Any, method: str) -> Scope:
    """Return the scope that a method requires: `read` for reading, else the view's `write_scope`."""
    return Scope.READ if method in SAFE_METHODS else view.write_scope


class KeyThrottle(SimpleRateThrottle):
    """Throttle of at most API_RATE requests per key in each minute of the clock. Without a cache nobody is refused.

    DRF's own throttle stores the time of every request of the last minute. A counter costs the same at any rate and
    loses no concurrent request.
    """

    num_requests: int
    duration: int  # in seconds
    cache_format = "api-rate:%(ident)s:%(window)s"

    def get_rate(self) -> str:
        return f"{settings.API_RATE}/minute"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if not isinstance(request.auth, ApiKey):
            return None
        return self.cache_format % {"ident": request.auth.pk, "window": int(self.timer()) // self.duration}

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = self.get_cache_key(request, view)
        if key is None:
            return True
        try:
            self.cache.add(key, 0, timeout=2 * self.duration)
            used = self.cache.incr(key)
        except Exception as error:  # any error of any cache backend
            log.warning("cache unavailable", error=type(error).__name__)
            return True
        return bool(used <= self.num_requests)

    def wait(self) -> float:
        return float(self.duration - self.timer() % self.duration)
