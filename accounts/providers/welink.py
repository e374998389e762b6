"""Sign in to LinkedIn through We-Link: https://apidocs.we-link.ai

Every call is asynchronous: the response is a request id, the result comes by webhook. The person's password and code
pass through to We-Link and are neither stored nor logged. Neither the path that takes the code nor its body is
documented: the path is a field of the source (`pin_endpoint`), the body has the request id of the sign-in and the code.
"""

from typing import Any

from django.conf import settings

from accounts.models import Source
from accounts.providers.client import ProviderError, post_json

NAME = "We-Link"
ID_FIELDS = ("request_id", "requestId", "requestID")
WRONG_PASSWORD = "WRONG_PASSWORD"  # noqa: S105 (their code for it)


def can_sign_in(credentials: dict[str, str]) -> bool:
    return bool(credentials.get("api_key") and credentials.get("api_secret"))


def sign_in(source: Source, credentials: dict[str, str], *, email: str, password: str) -> str:
    """Start a sign-in and return its request id. Raises ProviderError."""
    body = {"email": email, "password": password, "proxy": {"location": source.proxy_location}}
    return _request_id(_post("/api/v1/login_v2", credentials, body))


def enter_pin(source: Source, credentials: dict[str, str], *, request_id: str, pin: str) -> str:
    """Submit the code that LinkedIn sent. Return the request id of the response, or that of the sign-in if it has
    none."""
    answer = _post(source.pin_endpoint, credentials, {"request_id": request_id, "pin": pin})
    try:
        return _request_id(answer)
    except ProviderError:
        return request_id


def _post(path: str, credentials: dict[str, str], body: dict[str, Any]) -> Any:
    keys = {"x-api-key": credentials["api_key"], "x-api-secret": credentials["api_secret"]}
    try:
        return post_json(NAME, f"{settings.WELINK_API_BASE.rstrip('/')}{path}", headers=keys, body=body)
    except ProviderError as error:
        if error.code == WRONG_PASSWORD:
            raise ProviderError(
                "LinkedIn did not accept this password.", status=error.status, code=error.code
            ) from None
        raise


def _request_id(answer: Any) -> str:
    found = next((answer[name] for name in ID_FIELDS if answer.get(name)), "") if isinstance(answer, dict) else ""
    if not isinstance(found, str | int) or not 0 < len(str(found)) <= 200:
        raise ProviderError(f"{NAME} answered without a request id. Please tell the agency that sent you here.")
    return str(found)
