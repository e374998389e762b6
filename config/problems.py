"""Middleware of the REST API: one slash at a path's end is tolerated, and every error is a problem document."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse

from accounts.web.rest.problems import CONTENT_TYPE, problem, request_id_of

PREFIX = "/api/"

Respond = Callable[[HttpRequest], HttpResponse]


def api_answers(get_response: Respond) -> Respond:
    """For paths under `/api/`: errors that no view of the API made (unknown paths, refused hosts, a 500) become
    problems, their headers kept."""

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
