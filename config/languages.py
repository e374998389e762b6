"""Answer each request in a language. Middleware.

That is the language of the signed-in person, else of their agency; for others the browser's, as far as texts are
translated. The API, the back office and the probes are English.
"""

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from accounts.tenancy.languages import DEFAULT_LOCALES, language_code_of, language_of, locale_of
from accounts.tenancy.localtime import override_locale
from accounts.web.portal.access import current_member
from config.incoming import PROBES
from config.problems import PREFIX as API

Respond = Callable[[HttpRequest], HttpResponse]

ENGLISH = (API, "/admin/", "/static/")


def choose_language(get_response: Respond) -> Respond:
    """Activate the language of the request and its locale until it is answered."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(ENGLISH) or request.path_info in PROBES:
            return get_response(request)
        locale = _locale_of_person(request)
        by_browser = not locale
        locale = locale or DEFAULT_LOCALES[translation.get_language_from_request(request)]
        with translation.override(language_code_of(locale)), override_locale(locale):
            response = get_response(request)
        if by_browser:
            patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", locale)
        return response

    return middleware


def _locale_of_person(request: HttpRequest) -> str:
    """Return the locale of the signed-in person, or "" where the browser is to be asked."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return ""
    try:
        member = current_member(request)
        if member is not None:
            return locale_of(member.agency, member.user)
        language = language_of(request.user) if request.user.is_authenticated else ""
    except DatabaseError:  # the page itself says what is wrong
        return ""
    return DEFAULT_LOCALES.get(language, "")
