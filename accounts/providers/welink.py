"""Sign in to LinkedIn and send messages through We-Link: https://apidocs.we-link.ai

Every call is asynchronous: the response is a request id, the result comes by webhook. The person's password and code
pass through to We-Link and are neither stored nor logged. Neither the path that takes the code nor its body is
documented: the path is a field of the source (`pin_endpoint`), the body has the request id of the sign-in and the code.

Messages name the account by `accountId`, which no webhook has: `/get_all_ln_accounts` lists it beside the e-mail
address. The path `/send_message_to_profile_id` is known from programs that use it; the documentation shows only its
body.
"""

from typing import Any

from django.conf import settings

from accounts.core.email_addresses import email_key
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


def find_account_id(credentials: dict[str, str], email: str) -> str:
    """Return We-Link's `accountId` of the account with this e-mail address, or "". Raises ProviderError."""
    answer = _post("/api/v1/get_all_ln_accounts", credentials, {})
    rows = answer if isinstance(answer, list) else []
    found = (row for row in rows if isinstance(row, dict) and email_key(str(row.get("email", ""))) == email_key(email))
    account_id = next((row.get("accountId") for row in found), None)
    return str(account_id)[:200] if isinstance(account_id, str | int) else ""


def send_message(
    credentials: dict[str, str], *, account_id: str, text: str, thread_id: str = "", profile_id: str = ""
) -> str:
    """Start sending a message in a thread, or else to a profile, and have replies reported. Return the request id.

    Raises ProviderError.
    """
    path = "send_message_to_thread" if thread_id else "send_message_to_profile_id"
    recipient = {"thread_id": thread_id} if thread_id else {"profile_id": profile_id}
    body = {"accountId": account_id, **recipient, "message": text, "track_reply": True}
    return _request_id(_post(f"/api/v1/{path}", credentials, body))


def send_invitation(credentials: dict[str, str], *, account_id: str, profile_id: str, note: str = "") -> str:
    """Start inviting a profile, with a note or bare. Return the request id. Raises ProviderError."""
    body = {"accountId": account_id, "profile_id": profile_id, **({"message": note} if note else {})}
    return _request_id(_post("/api/v1/connect", credentials, body))


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
