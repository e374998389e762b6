"""Sign a webhook's body as its provider would, and post it."""

import json
from dataclasses import dataclass
from typing import Any

import urllib3
from django.conf import settings
from django.utils import timezone

from accounts.core.enums import ProviderSlug
from accounts.models import Source
from accounts.sources.service import valid_secrets
from config.demo.setup import signing_key
from webhooks.providers import PROVIDERS


class CannotSign(Exception):
    """We do not have the provider's signing key. The message is for people."""


class NoAnswer(Exception):
    """Nobody answered. The message is for people."""


@dataclass(frozen=True)
class Answer:
    status_code: int
    body: Any


_pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=3, read=15), maxsize=8)


def compact(payload: dict[str, Any]) -> bytes:
    """Return compact JSON, as the providers write it."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def sign(source: Source, body: bytes) -> tuple[bytes, dict[str, str]]:
    """Return body and headers as the provider would send them now. Raises CannotSign."""
    if source.provider == ProviderSlug.HIGHLEVEL:
        secret = signing_key(settings.VAR / "demo.json", source)
        if secret is None:
            raise CannotSign(
                "Only HighLevel has the private key of this source. `make run` makes a demo source whose key we have."
            )
    else:
        secret = next(iter(valid_secrets(source)), "")
    return PROVIDERS[source.provider].sign(body, secret, at=timezone.now())


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Post a body and return the response. Raises NoAnswer."""
    try:
        response = _pool.request("POST", url, body=body, headers={"Content-Type": "application/json", **headers})
    except urllib3.exceptions.HTTPError as error:
        raise NoAnswer(
            f"Nothing answers at {url} ({type(error).__name__}). Is it running? Start it: make run"
        ) from None
    try:
        return Answer(response.status, json.loads(response.data))
    except ValueError:
        return Answer(response.status, response.data.decode(errors="replace"))


def webhook_url(source: Source, base_url: str = "") -> str:
    return f"{(base_url or settings.PUBLIC_URL).rstrip('/')}/webhooks/{source.provider}/{source.token}"
