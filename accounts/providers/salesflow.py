"""Open Salesflow's onboarding frame.

https://salesflow.apidocumentation.com/documentation/initial-setup/iframe-integration

An onboarding token is good for one use within 30 minutes, so it is requested at the click. The result of the frame has
a token of the account, which opens the Update frame. That frame's address is not documented and so is a field of the
source (`update_frame_url`).
"""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.conf import settings

from accounts.models import Source
from accounts.providers.client import ProviderError, post_json

NAME = "Salesflow"
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?")
_OWN_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.)*salesflow\.io")
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")
TOKEN_FIELDS = ("token", "onboardingToken", "accessToken", "access_token")
MAX_TOKEN_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Frame:
    """A page of Salesflow to embed. Only messages from `origin` count, and only `origin` may be framed."""

    url: str
    origin: str


def can_onboard(source: Source, credentials: dict[str, str]) -> bool:
    """Return whether the agency's host may be framed: a host of Salesflow, or the one that staff approved."""
    host = credentials.get("domain_host_name", "").lower()
    if not credentials.get("api_key") or not _HOST.fullmatch(host):
        return False
    known = _OWN_HOST.fullmatch(host) or host == source.approved_frame_host.lower()
    return bool(known or (settings.LOOPBACK and _LOOPBACK.fullmatch(host)))


def onboarding_frame(credentials: dict[str, str]) -> Frame:
    """Return the onboarding frame with a newly requested token. Raises ProviderError."""
    answer = post_json(
        NAME,
        f"{settings.SALESFLOW_API_BASE.rstrip('/')}/public/api/v1/tokens/onboarding",
        headers={"Authorization": f"Bearer {credentials['api_key']}"},
    )
    origin = _origin(credentials["domain_host_name"])
    return Frame(url=f"{origin}/embedded/{quote(_token(answer), safe='')}", origin=origin)


def update_frame(source: Source, credentials: dict[str, str], token: str) -> Frame:
    """Return the frame that updates an account that Salesflow knows already."""
    host = credentials["domain_host_name"]
    url = source.update_frame_url.replace("{domain_host_name}", host).replace("{token}", quote(token, safe=""))
    origin = _origin(host)
    return Frame(url=origin + url.removeprefix(f"https://{host}"), origin=origin)


def _origin(host: str) -> str:
    """Return the origin of a host. It is https, except for a stand-in on loopback beside a Leadline on loopback."""
    plain = settings.LOOPBACK and _LOOPBACK.fullmatch(host)
    return f"{'http' if plain else 'https'}://{host.lower()}"


def _token(answer: Any) -> str:
    """Return the token in a response. The documentation shows no body: a bare string, or an object with a usual
    name."""
    if isinstance(answer, dict):
        answer = answer.get("data") or answer
    if isinstance(answer, dict):
        answer = next((answer[name] for name in TOKEN_FIELDS if answer.get(name)), None)
    if not isinstance(answer, str) or not 0 < len(answer) <= MAX_TOKEN_LENGTH:
        raise ProviderError(f"{NAME} answered without a token. Please tell the agency that sent you here.")
    return answer
