"""End sessions, and keep caches from storing what signed-in users and API keys are shown. Middleware."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers

from accounts.web.recent_sign_in import LAST_SEEN_AT, SIGNED_IN_AT
from config.problems import PREFIX as API

Respond = Callable[[HttpRequest], HttpResponse]

SAVE_INTERVAL = 300  # seconds, so that not every request writes its session


def expire_sessions(get_response: Respond) -> Respond:
    """Sign a user out after SESSION_IDLE_HOURS without a request, and after SESSION_COOKIE_AGE at the latest."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            now = int(time.time())
            began, seen = request.session.get(SIGNED_IN_AT, now), request.session.get(LAST_SEEN_AT, now)
            if now - seen > settings.SESSION_IDLE_HOURS * 3600 or now - began > settings.SESSION_COOKIE_AGE:
                logout(request)
            elif LAST_SEEN_AT not in request.session or now - seen >= SAVE_INTERVAL:
                request.session[SIGNED_IN_AT], request.session[LAST_SEEN_AT] = began, now
        return get_response(request)

    return middleware


def private_responses(get_response: Respond) -> Respond:
    """Let no cache store a response of the API or a page of a signed-in user."""

    def middleware(request: HttpRequest) -> HttpResponse:
        private = request.path_info.startswith(API)  # decided before the response, because the API has users of its own
        if not private and settings.SESSION_COOKIE_NAME in request.COOKIES:
            private = request.user.is_authenticated
        response = get_response(request)
        if private and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response

    return middleware
