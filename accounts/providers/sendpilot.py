"""Pause and resume campaigns, and send messages, by SendPilot's API: https://docs.sendpilot.ai

A campaign is changed by `PATCH /campaigns/{id}`. Actions in progress may still complete. How SendPilot refuses a pause
of a paused campaign is not documented, so after a refusal `GET /campaigns/{id}` says whether the campaign is in the
wanted state. Its documentation writes statuses in both cases.

A message is sent by `POST /inbox/send` in its current form, to a connection of first degree (others: 400). SendPilot
reports it back by the webhook `message.sent`. The recipient is named by the profile's address, which has to be the one
with a name in it.
"""

import json
from typing import Any
from urllib.parse import quote

from django.conf import settings

from accounts.providers.client import ApiResponse, ProviderError, post_json, send_request

NAME = "SendPilot"
REFUSED_STATUSES = {400, 409, 422}
STATUSES_AFTER = {"pause": {"paused", "draft", "finished"}, "resume": {"started"}}  # our action --> their statuses


def can_control(credentials: dict[str, str]) -> bool:
    return bool(credentials.get("api_key"))


def set_campaign(credentials: dict[str, str], *, external_id: str, action: str) -> None:
    """Pause or resume a campaign. Raises ProviderError, whose `status` says whether a later attempt may succeed."""
    url = f"{settings.SENDPILOT_API_BASE.rstrip('/')}/campaigns/{quote(external_id, safe='')}"
    headers = {"X-API-Key": credentials["api_key"], "Accept": "application/json"}
    sends_json = {**headers, "Content-Type": "application/json"}
    answer = send_request(NAME, "PATCH", url, headers=sends_json, body=json.dumps({"action": action}).encode())
    if 200 <= answer.status < 300:
        return
    if (
        answer.status in REFUSED_STATUSES
        and _status_of(send_request(NAME, "GET", url, headers=headers)) in STATUSES_AFTER[action]
    ):
        return
    raise ProviderError(_message(answer.status), status=answer.status)


def send_message(
    credentials: dict[str, str],
    *,
    sender_id: str,
    recipient_url: str,
    text: str,
    campaign_id: str = "",
    lead_id: str = "",
) -> str:
    """Send a message and return SendPilot's id of it, or "". Raises ProviderError."""
    body = {"senderId": sender_id, "recipientLinkedinUrl": recipient_url, "message": text}
    body |= {name: value for name, value in {"campaignId": campaign_id, "leadId": lead_id}.items() if value}
    return _sent_id(_post("/inbox/send", credentials, body))


def send_invitation(credentials: dict[str, str], *, sender_id: str, recipient_url: str, note: str = "") -> str:
    """Have a sender invite a person, with a note or bare. Return SendPilot's id of it, or "". Raises ProviderError.

    The path is known from programs that use it; SendPilot's documentation does not show it.
    """
    body = {"senderId": sender_id, "recipientLinkedinUrl": recipient_url, **({"message": note} if note else {})}
    return _sent_id(_post("/inbox/connect", credentials, body))


def _post(path: str, credentials: dict[str, str], body: dict[str, str]) -> Any:
    url = f"{settings.SENDPILOT_API_BASE.rstrip('/')}{path}"
    return post_json(NAME, url, headers={"X-API-Key": credentials["api_key"]}, body=body)


def _sent_id(answer: Any) -> str:
    """Return the id in an answer, or "". Raises ProviderError if the answer says that nothing was sent."""
    if isinstance(answer, dict) and answer.get("success") is False:
        raise ProviderError(f"{NAME} did not accept the message.", status=422)
    message_id = answer.get("messageId") if isinstance(answer, dict) else None
    return message_id[:200] if isinstance(message_id, str) else ""


def _status_of(answer: ApiResponse) -> str:
    body = answer.json if answer.status == 200 else None
    return str(body.get("status", "")).casefold() if isinstance(body, dict) else ""


def _message(status: int) -> str:
    if status in {401, 403}:
        return f"{NAME} did not accept the API key that is stored for its source."
    if status == 404:
        return f"{NAME} knows no such campaign."
    if status == 429:
        return f"{NAME} wants a pause after so many requests."
    return f"{NAME} answered {status}."
