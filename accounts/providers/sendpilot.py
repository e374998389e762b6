"""Pause and resume campaigns by SendPilot's API, `PATCH /campaigns/{id}`: https://docs.sendpilot.ai

Actions in progress may still complete. How SendPilot refuses a pause of a paused campaign is not documented, so after a
refusal `GET /campaigns/{id}` says whether the campaign is in the wanted state. Its documentation writes statuses in
both cases.
"""

import json
from urllib.parse import quote

from django.conf import settings

from accounts.providers.client import Answer, ProviderError, call

NAME = "SendPilot"
REFUSED = {400, 409, 422}
AFTER = {"pause": {"paused", "draft", "finished"}, "resume": {"started"}}  # our action --> their statuses


def can_act(credentials: dict[str, str]) -> bool:
    return bool(credentials.get("api_key"))


def set_campaign(credentials: dict[str, str], *, external_id: str, action: str) -> None:
    """Pause or resume a campaign. Raises ProviderError, whose `status` says whether a later attempt may succeed."""
    url = f"{settings.SENDPILOT_API_BASE.rstrip('/')}/campaigns/{quote(external_id, safe='')}"
    headers = {"X-API-Key": credentials["api_key"], "Accept": "application/json"}
    sends_json = {**headers, "Content-Type": "application/json"}
    answer = call(NAME, "PATCH", url, headers=sends_json, body=json.dumps({"action": action}).encode())
    if 200 <= answer.status < 300:
        return
    if answer.status in REFUSED and _status_of(call(NAME, "GET", url, headers=headers)) in AFTER[action]:
        return
    raise ProviderError(_why(answer.status), status=answer.status)


def _status_of(shown: Answer) -> str:
    body = shown.json if shown.status == 200 else None
    return str(body.get("status", "")).casefold() if isinstance(body, dict) else ""


def _why(status: int) -> str:
    if status in {401, 403}:
        return f"{NAME} did not accept the API key that is stored for its source."
    if status == 404:
        return f"{NAME} knows no such campaign."
    if status == 429:
        return f"{NAME} wants a pause after so many requests."
    return f"{NAME} answered {status}."
