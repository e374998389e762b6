"""Manage API keys: 256 random bits, stored as SHA-256, looked up by the index of the digest."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import Scope
from accounts.models import Agency, ApiKey
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor

PREFIX = "ll_"
LAST_USED_STEP = timedelta(minutes=1)


@transaction.atomic
def create_api_key(
    agency: Agency,
    *,
    name: str = "",
    scopes: Iterable[Scope] = tuple(Scope),
    expires_at: datetime | None = None,
    by: Actor | None = None,
) -> tuple[ApiKey, str]:
    """Create an API key. Return its row and the key itself, which is stored nowhere."""
    key = PREFIX + secrets.token_urlsafe(32)
    row = ApiKey.objects.create(
        agency=agency, name=name, start=key[:8], digest=_digest(key), scopes=list(scopes), expires_at=expires_at
    )
    audit.log_creation(by, row, "Created")
    return row, key


def find_api_key(key: str) -> ApiKey | None:
    """Return the live key with its agency, or None if it is unknown, expired or revoked. Store its use at most once a
    minute."""
    now = timezone.now()
    try:
        row = ApiKey.objects.select_related("agency").get(digest=_digest(key))
    except ApiKey.DoesNotExist:
        return None
    if row.revoked_at or (row.expires_at and row.expires_at <= now):
        return None
    if row.last_used_at is None or now - row.last_used_at > LAST_USED_STEP:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


@transaction.atomic
def revoke_api_key(key: ApiKey, *, by: Actor | None = None) -> None:
    """Revoke a key, so that every program that uses it is refused."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
        audit.log_change(by, key, "Revoked")


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
