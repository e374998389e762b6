"""Give back the content of a form whose sender is signed out or whose CSRF token has expired.

The content is returned only to the page where it was typed. A form from another site is not repeated, because a press
of its button would then send it in the reader's name.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.csrf import csrf_failure

from accounts.core.redaction import is_secret_name

CSRF_FIELD = "csrfmiddlewaretoken"
MAX_SHOWN_LENGTH = 2_000  # characters of a field that are shown; the whole field is sent again


def answer_signed_out(request: HttpRequest) -> HttpResponseBase:
    """Answer a signed-out user: htmx gets a 401 that changes nothing on the page, a form gets its content back, any
    other request the sign-in page."""
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=401)
        response["HX-Reswap"] = "none"
        add_never_cache_headers(response)
        return response
    if request.method == "POST" and _is_from_our_pages(request):
        return _render_unsent_form(request, status=401, signed_out=True)
    return _redirect_to_sign_in(request)


def answer_expired_form(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form whose CSRF token is missing, wrong or too old. Django calls this view."""
    if request.headers.get("HX-Request") == "true" or not _is_from_our_pages(request):
        return csrf_failure(request, reason=reason)
    return _render_unsent_form(request, status=403, signed_out=False)


def _render_unsent_form(request: HttpRequest, *, status: int, signed_out: bool) -> HttpResponse:
    fields = [(name, value) for name, values in request.POST.lists() if name != CSRF_FIELD for value in values]
    shown = [
        (name.replace("_", " "), value[:MAX_SHOWN_LENGTH])
        for name, value in fields
        if value.strip() and not is_secret_name(name) and name != "next"
    ]
    context = {
        "path": request.get_full_path(),
        "fields": fields,
        "shown": shown,
        "page": _page_of(request),
        "signed_out": signed_out,
        "sign_in": settings.LOGIN_URL,
    }
    response = render(request, "portal/unsent_form.html", context, status=status)
    add_never_cache_headers(response)
    return response


def _page_of(request: HttpRequest) -> str:
    """Return the path of the page that the form stood on, as the browser says; empty: it does not."""
    referer = urlsplit(request.headers.get("Referer", ""))
    ours = url_has_allowed_host_and_scheme(referer.geturl(), {request.get_host()}, require_https=request.is_secure())
    return referer._replace(scheme="", netloc="", fragment="").geturl() if ours else ""


def _is_from_our_pages(request: HttpRequest) -> bool:
    """Return whether the browser says that one of Leadline's own pages sent the request. No other site can fake
    that."""
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None:
        return fetched == "same-origin"
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def _redirect_to_sign_in(request: HttpRequest) -> HttpResponseRedirect:
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")
