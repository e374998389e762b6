"""Requests as the providers send them: the rows of the conformance table."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from webhooks.providers import PROVIDERS
from webhooks.providers.base import Provider, SignedRequest

PAYLOADS = Path(__file__).parents[1] / "payloads"
NOW = datetime(2026, 3, 21, 0, 22, 16, 987_654, tzinfo=UTC)


def key_pair(seed: bytes) -> tuple[str, str]:
    """An Ed25519 key's private and public half, as PEM."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE_KEY, PUBLIC_KEY = key_pair(bytes(range(32)))
OTHER_PRIVATE_KEY, OTHER_PUBLIC_KEY = key_pair(bytes(range(1, 33)))


@dataclass(frozen=True)
class Wire:
    """One way in which a provider's requests are secured. `place`: the header with the signature, or None: the body."""

    name: str
    sample: str
    secret: str
    other_secret: str
    place: str | None
    stored_secret: str = ""
    other_stored_secret: str = ""
    timed: bool = False
    signs_body: bool = True
    encoding: str = "text"

    @property
    def provider(self) -> Provider:
        return PROVIDERS[self.sample.split("/")[0]]

    @property
    def secrets(self) -> list[str]:
        return [self.stored_secret or self.secret]

    @property
    def other_secrets(self) -> list[str]:
        return [self.other_stored_secret or self.other_secret]

    def sign(self, body: bytes | None = None, *, at: datetime = NOW, secret: str = "") -> SignedRequest:
        body = payload(self.sample) if body is None else body
        body, headers = self.provider.sign(body, secret or self.secret, at=at)
        return SignedRequest(body, headers, NOW)

    def with_signature(self, request: SignedRequest, change: Callable[[str], str]) -> SignedRequest:
        """The request with another signature in the place of its own."""
        if self.place is None:
            data = json.loads(request.body)
            data["hash"] = change(data["hash"])
            return request._replace(body=json.dumps(data, separators=(",", ":")).encode())
        return request._replace(headers={**request.headers, self.place: change(request.headers[self.place])})

    def without_signature(self, request: SignedRequest) -> SignedRequest:
        if self.place is None:
            data = json.loads(request.body)
            del data["hash"]
            return request._replace(body=json.dumps(data).encode())
        return request._replace(headers={k: v for k, v in request.headers.items() if k != self.place})


WIRES = (
    Wire(
        name="salesflow",
        sample="salesflow/account_active",
        secret="sf-secret",
        other_secret="sf-other",
        place="x-webhook-secret",
        signs_body=False,
    ),
    Wire(
        name="welink",
        sample="welink/login_success",
        secret="welink-secret-code",
        other_secret="welink-other",
        place=None,
        encoding="hex",
    ),
    Wire(
        name="sendpilot",
        sample="sendpilot/lead_status_changed",
        secret="sendpilot-webhook-secret",
        other_secret="sendpilot-other",
        place="webhook-signature",
        timed=True,
        encoding="hex",
    ),
    Wire(
        name="sendpilot-svix",
        sample="sendpilot/lead_updated",
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        other_secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx",
        place="svix-signature",
        timed=True,
        encoding="base64",
    ),
    Wire(
        name="linkedin",
        sample="linkedin/lead_created",
        secret="li-client-secret-example",
        other_secret="li-other",
        place="x-li-signature",
        encoding="hex",
    ),
    Wire(
        name="linkedconnector",
        sample="linkedconnector/linkedin_blocked",
        secret="lc-secret",
        other_secret="lc-other",
        place="x-webhook-secret",
        signs_body=False,
    ),
    Wire(
        name="highlevel",
        sample="highlevel/install",
        secret=PRIVATE_KEY,
        other_secret=OTHER_PRIVATE_KEY,
        stored_secret=PUBLIC_KEY,
        other_stored_secret=OTHER_PUBLIC_KEY,
        place="x-ghl-signature",
        encoding="base64",
    ),
)


def payload(case: str) -> bytes:
    return (PAYLOADS / f"{case}.json").read_bytes()


def changed(case: str, /, **fields: Any) -> bytes:
    """A payload with some top-level fields (or `data__x` for `data.x`) set; Ellipsis removes one."""
    data = json.loads(payload(case))
    for path, value in fields.items():
        *parents, name = path.split("__")
        target = data
        for parent in parents:
            target = target[parent]
        if value is ...:
            del target[name]
        else:
            target[name] = value
    return json.dumps(data).encode()


def request(body: bytes, **headers: str) -> SignedRequest:
    return SignedRequest(body, {name.replace("_", "-"): value for name, value in headers.items()}, NOW)
