"""SendPilot's API: https://docs.sendpilot.ai — campaigns are paused and resumed by `PATCH /campaigns/{id}`.

Actions in progress may still complete. A pause of what is paused is refused with a 4xx whose text is not documented;
one that says `already` is taken for done.
"""

import json
from urllib.parse import quote

from django.conf import settings

from accounts.providers.client import ProviderError, call

NAME = "SendPilot"


def can_act(credentials: dict[str, str]) -> bool:
    return bool(credentials.get("api_key"))


def set_campaign(credentials: dict[str, str], *, external_id: str, action: str) -> None:
    """`pause` or `resume` a campaign. Raises ProviderError; its `status` says whether it may heal."""
    answer = call(
        NAME,
        "PATCH",
        f"{settings.SENDPILOT_API_BASE.rstrip('/')}/campaigns/{quote(external_id, safe='')}",
        headers={
            "X-API-Key": credentials["api_key"],
            "Content-Type": "application/json",
            "Accept": "application/json",
        },
        body=json.dumps({"action": action}).encode(),
    )
    if 200 <= answer.status < 300 or (answer.status in {400, 409} and "already" in _said(answer.json)):
        return
    raise ProviderError(_why(answer.status), status=answer.status)


def _said(answer: object) -> str:
    return str(answer.get("message", "")).casefold() if isinstance(answer, dict) else ""


def _why(status: int) -> str:
    if status in {401, 403}:
        return f"{NAME} did not accept the API key that is stored for its source."
    if status == 404:
        return f"{NAME} knows no such campaign."
    if status == 429:
        return f"{NAME} wants a pause after so many requests."
    return f"{NAME} answered {status}."
