"""Read webhooks of the HighLevel marketplace: the agency's app is installed in a location, or removed from it.

https://marketplace.gohighlevel.com/docs/webhook/WebhookIntegrationGuide, https://github.com/GoHighLevel/highlevel-api-docs
(docs/webhook events/AppInstall.md, docs/oauth/WebhookAuthentication.md)

`X-GHL-Signature` is the base64 Ed25519 signature of the raw body under HighLevel's published key. The value `N/A` means
that the request is not signed. The older RSA header `X-WH-Signature` was withdrawn in 2026 and counts only if a setting
enables it. The key signs for every app of the marketplace: `appId` names the app. HighLevel repeats only deliveries
that were answered with 429, so refusals have this status. Repeated deliveries are older than any tolerance: times in
bodies refuse nothing, and `webhookId` stops replays.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from accounts.core.enums import WordKind
from accounts.core.wording import Wording, gettext_noop
from webhooks.providers.base import InvalidSignature, Provider, SignedRequest
from webhooks.providers.events import AppInstalled, AppUninstalled, NothingToDo, ProviderEvent, Tenant
from webhooks.providers.payload import Payload
from webhooks.providers.signature_scheme import SignatureScheme
from webhooks.providers.signatures import key_bytes, required_header, wrong_signature

HEADER = "x-ghl-signature"
LEGACY_HEADER = "x-wh-signature"
UNSIGNED = "N/A"
_UNSIGNED_REQUEST = Wording(
    "signature_header_unsigned", gettext_noop("The request has no %(header)s header, or it says %(word)s.")
)
EVENTS = ("INSTALL", "UNINSTALL", "PLAN_CHANGE")

PUBLISHED_KEY = """\
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAi2HR1srL4o18O8BRa7gVJY7G7bupbN3H9AwJrHCDiOg=
-----END PUBLIC KEY-----
"""
PUBLISHED_RSA_KEY = """\
-----BEGIN PUBLIC KEY-----
MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAokvo/r9tVgcfZ5DysOSC
Frm602qYV0MaAiNnX9O8KxMbiyRKWeL9JpCpVpt4XHIcBOK4u3cLSqJGOLaPuXw6
dO0t6Q/ZVdAV5Phz+ZtzPL16iCGeK9po6D6JHBpbi989mmzMryUnQJezlYJ3DVfB
csedpinheNnyYeFXolrJvcsjDtfAeRx5ByHQmTnSdFUzuAnC9/GepgLT9SM4nCpv
uxmZMxrJt5Rw+VUaQ9B8JSvbMPpez4peKaJPZHBbU3OdeCVx5klVXXZQGNHOs8gF
3kvoV5rTnXV0IknLBXlcKKAQLZcY/Q9rG6Ifi9c+5vqlvHPCUJFT5XUGG5RKgOKU
J062fRtN+rLYZUV+BjafxQauvC8wSWeYja63VSUruvmNj8xkx2zE/Juc+yjLjTXp
IocmaiFeAO6fUtNjDeFVkhf5LNb59vECyrHD2SQIrhgXpO4Q3dVNA5rw576PwTzN
h/AMfHKIjE4xQA1SZuYJmNnmVZLIZBlQAF9Ntd03rfadZ+yDiOXCCs9FkHibELhC
HULgCsnuDJHcrGNd5/Ddm5hxGQ0ASitgHeMZ0kcIOwKDOzOU53lDza6/Y09T7sYJ
PQe7z0cvj7aE4B+Ax1ZoZGPzpJlZtGXCsu9aTEGEnKzmsFqwcSsnw3JB31IGKAyk
T1hhTiaCeIY/OwwwNUY2yvcCAwEAAQ==
-----END PUBLIC KEY-----
"""


class HighLevel(Provider):
    """Verify and read HighLevel's webhooks. `secrets` are Ed25519 public keys (PEM) that replace the published keys."""

    slug: ClassVar[str] = "highlevel"
    meanings: ClassVar[Mapping[WordKind, tuple[str, ...]]] = {WordKind.EVENT: EVENTS}
    kept_headers: ClassVar[tuple[str, ...]] = (HEADER, LEGACY_HEADER)
    refusal_status: ClassVar[int] = 429
    dedupe_fields: ClassVar[tuple[str, ...]] = ("webhookId",)

    def __init__(self, *, public_key: str = "", accept_rsa: bool = False, rsa_public_key: str = "") -> None:
        self.configure(public_key=public_key, accept_rsa=accept_rsa, rsa_public_key=rsa_public_key)

    def configure(
        self, *, public_key: str = "", accept_rsa: bool = False, rsa_public_key: str = "", app_id: str = ""
    ) -> None:
        """Apply the settings. An empty key means the published one, an empty app id any app."""
        self.app_id = app_id.strip()
        self.public_key = public_key.strip() or PUBLISHED_KEY
        self.accept_rsa = accept_rsa
        self.rsa_public_key = rsa_public_key.strip() or PUBLISHED_RSA_KEY

    def verify(self, request: SignedRequest, secrets: Sequence[str], *, tolerance: int = 300) -> None:
        header = HEADER
        if (
            self.accept_rsa
            and not secrets
            and _is_unsigned(request, HEADER)
            and not _is_unsigned(request, LEGACY_HEADER)
        ):
            header = LEGACY_HEADER
        if _is_unsigned(request, header):
            raise InvalidSignature("missing_signature", _UNSIGNED_REQUEST(header=header, word=UNSIGNED))
        signature = _decode_signature(required_header(request.headers, header))
        if header == LEGACY_HEADER:
            verified = _verifies_rsa(self.rsa_public_key, signature, request.body)
        else:
            verified = any(_verifies_ed25519(key, signature, request.body) for key in secrets or [self.public_key])
        if not verified:
            raise wrong_signature()

    def read_events(self, payload: Payload) -> tuple[ProviderEvent, ...]:
        event = payload.event_type_of("type", EVENTS)
        occurred_at = payload.timestamp_or_none("timestamp")
        payload.mark_known("planId", "trial", "isWhitelabelCompany", "whitelabelDetails", "versionId", "installType")
        app_id = payload.identifier_or_empty("appId")
        if self.app_id and app_id != self.app_id:
            payload.fail("other_app", "The event is about another app of the marketplace than HIGHLEVEL_APP_ID.")
        if event == "PLAN_CHANGE":
            payload.mark_known("locationId", "companyId", "userId", "currentPlanId", "newPlanId", "companyName")
            return (NothingToDo(about=event),)
        if event not in EVENTS:
            payload.unknown_event()
        tenant = Tenant(
            company_id=payload.identifier_or_empty("companyId", limit=100),
            location_id=payload.identifier_or_empty("locationId", limit=100),
        )
        if tenant == Tenant():
            payload.fail("missing_field", "The body names neither a companyId nor a locationId.")
        ghl_user_id = payload.text_or_empty("userId", limit=100)
        company_name = payload.text_or_empty("companyName", limit=200)
        if event == "UNINSTALL":
            return (AppUninstalled(tenant=tenant, occurred_at=occurred_at),)
        return (
            AppInstalled(tenant=tenant, occurred_at=occurred_at, ghl_user_id=ghl_user_id, company_name=company_name),
        )

    def sign(self, body: bytes, secret: str, *, at: datetime) -> tuple[bytes, dict[str, str]]:
        """Sign with an Ed25519 private key (PEM). Raises ValueError if the secret is not one."""
        key = load_pem_private_key(secret.encode(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise ValueError("HighLevel signs with an Ed25519 private key")
        return body, {HEADER: base64.b64encode(key.sign(body)).decode()}

    def signature_scheme(self, request: SignedRequest) -> SignatureScheme | None:
        given = request.headers.get(HEADER, "").strip()
        if given in {"", UNSIGNED}:
            return None
        published = key_bytes(self.public_key)
        note = gettext_noop("It is signed with HighLevel's published key; this source has a key of its own.")
        return SignatureScheme(
            given=given,
            body=request.body,
            keys=(("", key_bytes), (note, lambda _: published)),
            encoding="base64",
            fallback_secrets=(self.public_key,),
            matches=_verifies_bytes,
        )


def _is_unsigned(request: SignedRequest, header: str) -> bool:
    return request.headers.get(header, "").strip() in {"", UNSIGNED}


def _decode_signature(header: str) -> bytes:
    """Return the signature's bytes. Require canonical base64: decoders ignore changed bits in the last character."""
    try:
        decoded = base64.b64decode(header, validate=True)
        if base64.b64encode(decoded).decode() == header:
            return decoded
    except (binascii.Error, ValueError):
        pass
    raise InvalidSignature("malformed_signature", gettext_noop("The signature is not base64."))


def _verifies_ed25519(pem: str, signature: bytes, body: bytes) -> bool:
    key = _public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidSignature(
            "unusable_key", gettext_noop("The public key to verify with is not an Ed25519 key in PEM form.")
        )
    try:
        key.verify(signature, body)
    except WrongSignature:
        return False
    return True


def _verifies_bytes(pem: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return _verifies_ed25519(pem.decode("utf-8", "replace"), signature, message)
    except InvalidSignature:
        return False


def _verifies_rsa(pem: str, signature: bytes, body: bytes) -> bool:
    key = _public_key(pem)
    if not isinstance(key, RSAPublicKey):
        raise InvalidSignature(
            "unusable_key", gettext_noop("The public key to verify with is not an RSA key in PEM form.")
        )
    try:
        key.verify(signature, body, PKCS1v15(), SHA256())
    except WrongSignature:
        return False
    return True


@lru_cache(maxsize=256)
def _public_key(pem: str) -> object:
    try:
        return load_pem_public_key(key_bytes(pem))
    except (ValueError, UnsupportedAlgorithm):
        return None
