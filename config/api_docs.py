"""Serve the documentation of the API to people: first call, conventions, webhooks, and the reference by Swagger UI."""

import json
from datetime import timedelta
from typing import Any

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_POST, require_safe

from accounts.core.encrypted_fields import fernet
from accounts.core.enums import EventType, Role, Scope
from accounts.models.source import secret_overlap
from accounts.portal import MemberRequest, current_member, owners
from accounts.tenancy.api_keys import create_api_key
from accounts.web.recent_sign_in import with_recent_sign_in
from accounts.web.rest.idempotency import HEADER
from accounts.web.rest.problems import problem
from config.security import csp_override
from notifications.content.catalogue import CATALOGUE

SESSION_KEY = "api_docs_key"
KEY_NAME = "First call"
KEY_DAYS = 30
SHOWN_FOR = 600  # seconds
PLACEHOLDER = "YOUR_API_KEY"


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """Show the page. The key that its button made stands in the first call, once."""
    member = current_member(request)
    key = _pop_key(request)
    context = {
        "host": request.build_absolute_uri("/").rstrip("/"),
        "key": key,
        "shown_key": key or PLACEHOLDER,
        "placeholder": PLACEHOLDER,
        "rate": settings.API_RATE,
        "is_owner": member is not None and member.role == Role.OWNER,
        "key_days": KEY_DAYS,
        "idempotency_header": HEADER,
        "problem": _as_json(_example_problem()),
        "event": _as_json(CATALOGUE[EventType.LEAD_REPLIED].example),
        "event_kinds": [CATALOGUE[name] for name in EVENTS_SHOWN],
        "overlap_hours": int(secret_overlap().total_seconds() // 3600),
    }
    response = render(request, "api/docs.html", context)
    add_never_cache_headers(response)
    return response


@require_POST
@owners
@with_recent_sign_in
def create_first_key(request: MemberRequest) -> HttpResponse:
    """Make a key that reads for a month, and lead back to the first call with the key in it."""
    expires_at = timezone.now() + timedelta(days=KEY_DAYS)
    _, key = create_api_key(
        request.agency, name=KEY_NAME, scopes=[Scope.READ], expires_at=expires_at, by=request.member.user
    )
    request.session[SESSION_KEY] = fernet().encrypt(key.encode()).decode()
    return redirect(reverse("api-docs") + "#first-call")


EVENTS_SHOWN = (
    EventType.LEAD_CREATED,
    EventType.LEAD_REPLIED,
    EventType.LEAD_OPPORTUNITY,
    EventType.LINKEDIN_DISCONNECTED,
    EventType.CAMPAIGN_PAUSED,
)
#: Swagger UI has images inside its style.
docs_view = csp_override(docs, img_src=["'self'", "data:"])


def _pop_key(request: HttpRequest) -> str:
    """Return the key that the page's button made, and forget it. "" without one."""
    sealed = request.session.pop(SESSION_KEY, None)
    try:
        return fernet().decrypt(sealed.encode(), ttl=SHOWN_FOR).decode() if sealed else ""
    except InvalidToken:
        return ""


def _example_problem() -> Any:
    wrong = [{"field": "statsu", "message": "There is no such parameter."}]
    return problem(400, "statsu: There is no such parameter.", request_id="5f0c7a1be2d14d0c", errors=wrong)


def _as_json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
