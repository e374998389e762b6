"""Receive signed deliveries as ingest does, but without a server in between."""

import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from accounts.models import Agency, Source
from accounts.sources.service import create_source, valid_secrets
from tests.reactions import react
from webhooks.models import Receipt
from webhooks.processing.processor import process_due_receipts
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest
from webhooks.samples import load_sample

_key = Ed25519PrivateKey.generate()
PRIVATE_KEY = _key.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC_KEY = (
    _key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)


def source_of(agency: Agency | None, provider: str) -> Source:
    """A source of this provider, with a secret of the kind it needs."""
    secret = {"linkedin": "li-client-secret-example", "highlevel": PUBLIC_KEY}.get(provider)
    return create_source(agency=agency, provider=provider, secret=secret)[0]


def signed(source: Source, body: bytes, *, at: datetime | None = None) -> tuple[bytes, dict[str, str]]:
    """Body and headers as the provider would send them to this source."""
    secret = PRIVATE_KEY if source.provider == "highlevel" else (valid_secrets(source) or [""])[0]
    return PROVIDERS[source.provider].sign(body, secret, at=at or timezone.now())


def receive(source: Source, body: dict[str, Any] | bytes, *, at: datetime | None = None) -> Receipt:
    """Sign a body as the provider would, verify it, and keep it; the same delivery again is the first one's row."""
    provider = PROVIDERS[source.provider]
    received_at = at or timezone.now()
    raw = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    raw, headers = signed(source, raw, at=received_at)
    request = SignedRequest(raw, headers, received_at)
    provider.verify(request, valid_secrets(source))
    key = provider.dedupe_key(request)
    digest = secrets.token_bytes(32) if key is None else hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    receipt, _ = Receipt.objects.get_or_create(
        source=source,
        dedupe_key=digest,
        defaults={
            "agency": source.agency,
            "provider": source.provider,
            "headers": {name: headers[name] for name in provider.kept_headers if name in headers},
            "body": raw,
            "received_at": received_at,
            # Moved clocks: it is due at once whatever time it came at.
            "next_attempt_at": timezone.now() - timedelta(seconds=1),
        },
    )
    return receipt


def receive_sample(source: Source, name: str, *, at: datetime | None = None, **changes: Any) -> Receipt:
    return receive(source, {**load_sample(source.provider, name), **changes}, at=at)


def drain() -> None:
    while process_due_receipts():
        pass
    react()
