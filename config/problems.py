"""Answer errors of the API as problem documents and of pages with a sentence about mail limits. Middleware.

The API also accepts one slash at the end of a path.
"""

import math
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from accounts.tenancy.mail_limits import TooManyMails
from accounts.web.rest.problems import CONTENT_TYPE, problem, request_id_of

PREFIX = "/api/"

Respond = Callable[[HttpRequest], HttpResponse]


def api_problems(get_response: Respond) -> Respond:
    """Turn errors under `/api/` that no view of the API made into problem documents, with their headers kept.

    Such errors are unknown paths, refused hosts and a 500.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        request.path_info = request.path_info.removesuffix("/")
        response = get_response(request)
        if response.status_code < 400 or response.get("Content-Type", "").startswith(CONTENT_TYPE):
            return response
        answer = JsonResponse(
            problem(response.status_code, request_id=request_id_of(request)),
            status=response.status_code,
            content_type=CONTENT_TYPE,
        )
        for name, value in response.items():
            if name.lower() not in ("content-type", "content-length"):
                answer[name] = value
        return answer

    return middleware


def mail_limit_page(get_response: Respond) -> Respond:
    """Answer TooManyMails of a page's view with a 429 and its message."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TooManyMails):
            return None
        response = render(request, "429.html", {"reason": str(error)}, status=429)
        response["Retry-After"] = str(math.ceil(error.wait))
        return response

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware
