"""Answer errors as RFC 9457 problem details: `application/problem+json` with type, title, status, detail,
request_id."""

import math
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error
from rest_framework.views import exception_handler

from accounts.core.connections import is_outage
from accounts.core.errors import FieldError, StateError
from accounts.tenancy.mail_limits import TooManyMails

CONTENT_TYPE = "application/problem+json"
DETAILS = {  # status --> the detail, unless the error has one
    400: "The request cannot be understood.",
    401: "Send a valid API key: `Authorization: Bearer <key>`.",
    403: "This is not allowed.",
    404: "There is nothing here.",
    405: "This resource does not have that method.",
    409: "This contradicts what is there already.",
    413: "The body is larger than 1 MiB.",
    415: "Send JSON: `Content-Type: application/json`.",
    500: "Something went wrong on our side. It is logged under this request id.",
    503: "The database cannot be reached. Try again in a moment.",
}
RETRY_SECONDS = 5

log = structlog.get_logger(__name__)


class Conflict(APIException):
    status_code = 409
    default_code = "conflict"
    default_detail = DETAILS[409]

    def __init__(self, detail: str | None = None, reasons: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.reasons = [{"code": code, "message": message} for code, message in reasons]


class TooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = DETAILS[413]


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class Unprocessable(APIException):
    status_code = 422
    default_code = "unprocessable"
    default_detail = "The request contradicts an earlier one."


class Unavailable(APIException):
    status_code = 503
    default_code = "unavailable"
    default_detail = DETAILS[503]
    wait = RETRY_SECONDS


class TooManyRequests(APIException):
    status_code = 429
    default_code = "too_many_requests"

    def __init__(self, detail: str, wait: float) -> None:
        super().__init__(detail)
        self.wait = wait


def problem(status: int, detail: str = "", *, request_id: str = "", errors: list[dict[str, str]] | None = None) -> Any:
    """Return the body of an error. `errors` names each wrong field or parameter."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail or DETAILS.get(status, HTTPStatus(status).description or HTTPStatus(status).phrase),
        "request_id": request_id,
    }
    return body | {"errors": errors} if errors else body


def request_id_of(request: HttpRequest) -> str:
    return getattr(request, "request_id", "")


def answer_problem(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return a problem for every known error, or None for an unforeseen one, which becomes a 500. DRF's exception
    handler."""
    error = _as_api_exception(error)
    response = exception_handler(error, context)
    if response is None:
        return None
    wait = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    errors = list(_flatten(as_serializer_error(error))) if isinstance(error, ValidationError) else None
    detail = _join_messages(errors) if errors else str(getattr(error, "detail", ""))
    request = context["request"]
    response.data = problem(
        response.status_code, detail, request_id=request_id_of(getattr(request, "_request", request)), errors=errors
    )
    if reasons := getattr(error, "reasons", None):
        response.data["reasons"] = reasons
    response.content_type = CONTENT_TYPE
    return response


def _as_api_exception(error: Exception) -> Exception:
    if isinstance(error, StateError):
        return Conflict(str(error), reasons=error.reasons)
    if isinstance(error, FieldError):
        return ValidationError({error.field: str(error)})
    if isinstance(error, TooManyMails):
        return TooManyRequests(str(error), error.wait)
    if isinstance(error, IntegrityError):
        log.info("refused by a constraint", error=type(error).__name__)
        return Conflict()
    if isinstance(error, (OperationalError, InterfaceError)) or is_outage(error):
        log.warning("database unavailable", error=type(error).__name__)
        return Unavailable()
    return error


def _flatten(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield DRF's nested errors as `{"field", "message"}`, where `field` is a dotted path."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, ".".join(filter(None, [path, own])))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flatten(inner, path)
    elif isinstance(detail, (ErrorDetail, str)):
        yield {"field": path, "message": str(detail)}


def _join_messages(errors: list[dict[str, str]]) -> str:
    return " ".join(f"{error['field']}: {error['message']}" if error["field"] else error["message"] for error in errors)
