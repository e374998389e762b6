"""Check requests before any page sees them, and accept health probes under any host name. Middleware.

No path, parameter, form field or cookie with a NUL passes, because PostgreSQL's text type cannot store one and SQLite's
can. The API checks its parameters and bodies itself and names what is wrong.
"""

import codecs
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import BadRequest
from django.core.handlers.wsgi import WSGIRequest
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.views.defaults import bad_request, page_not_found

from config.problems import PREFIX as API

Respond = Callable[[HttpRequest], HttpResponse]

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
MAX_PATH = 4096
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ReadableRequest(WSGIRequest):
    """Accept a request with any `Content-Type`. One that cannot be parsed counts as missing."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]  # Django's own, which its stubs leave out
        except ValueError:
            self.content_type, self.content_params = "", {}


def allow_probe_hosts(get_response: Respond) -> Respond:
    """Accept health probes under every host name, because load balancers and orchestrators use addresses."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info in PROBES:
            request.get_host = lambda: urlsplit(settings.PUBLIC_URL).netloc  # type: ignore[method-assign]
        return get_response(request)

    return middleware


def refuse_unstorable_text(get_response: Respond) -> Respond:
    """Answer 404 to a path that no page can have, and 400 to parameters and form fields that no database can store."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if len(request.path_info) > MAX_PATH or _CONTROL.search(request.path_info):
            return page_not_found(request, Http404())
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if "\x00" not in value}
        readable = _is_read_as_utf8(request)
        if not request.path_info.startswith(API) and not (readable and _is_storable(request)):
            return bad_request(request, BadRequest())
        return get_response(request)

    return middleware


def _is_storable(request: HttpRequest) -> bool:
    try:
        return not any("\x00" in text for text in _texts(request.GET, request.POST))
    except ValueError:  # a part of a form names an unknown encoding
        return False


def _is_read_as_utf8(request: HttpRequest) -> bool:
    """Return whether a form is in UTF-8. Anything but a form is read as UTF-8, whatever charset it declares."""
    charset = (request.content_params or {}).get("charset", "utf-8")
    try:
        if codecs.lookup(charset).name == "utf-8":
            return True
    except (LookupError, ValueError):
        pass
    request.encoding = "utf-8"
    return request.content_type not in FORMS


def _texts(*dictionaries: QueryDict) -> Iterable[str]:
    for dictionary in dictionaries:
        for name, values in dictionary.lists():
            yield name
            yield from values
