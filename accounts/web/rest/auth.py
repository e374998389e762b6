"""Who asks, what their key may do, and how often."""

import time
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from accounts.core.enums import Scope
from accounts.models import ApiKey
from accounts.tenancy.api_keys import find_api_key

SCHEME = "Bearer"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
WINDOW = 60  # seconds

log = structlog.get_logger(__name__)


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`, and nowhere else: a key in a URL ends up in logs."""

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
    """The key must have the scope that the view asks for; without a key the answer is 401."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        scope = needed_scope(view, request.method or "")
        if scope in request.auth.scopes:
            return True
        self.message = f"This key lacks the scope `{scope}`."
        return False


def may_see_secrets(request: Request | None) -> bool:
    """Whether the key may administer, so that what lets somebody post or sign is shown to it unmasked."""
    key = request.auth if request is not None else None
    return isinstance(key, ApiKey) and Scope.ADMIN in key.scopes


def needed_scope(view: Any, method: str) -> Scope:
    """Reading takes `read`; a view says what changing takes (`write_scope`)."""
    return Scope.READ if method in SAFE_METHODS else view.write_scope


class KeyThrottle(BaseThrottle):
    """At most API_RATE requests per key in each minute of the clock. A courtesy: without a cache nobody is refused."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return True
        window = int(time.time()) // WINDOW
        name = f"api-rate:{request.auth.pk}:{window}"
        try:
            cache.add(name, 0, timeout=2 * WINDOW)
            used = cache.incr(name)
        except Exception as error:  # any trouble of any cache backend
            log.warning("cache unavailable", error=type(error).__name__)
            return True
        return bool(used <= settings.API_RATE)

    def wait(self) -> float:
        return WINDOW - time.time() % WINDOW
