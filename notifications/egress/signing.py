"""Sign webhooks by Standard Webhooks v1 (https://www.standardwebhooks.com): `whsec_` + base64, HMAC-SHA256."""

import base64
import hashlib
import hmac
import secrets as random
from collections.abc import Iterable
from datetime import datetime

from accounts.core.encrypted_fields import UnreadableValue
from notifications.models import Channel

PREFIX = "whsec_"


def new_secret() -> str:
    return PREFIX + base64.b64encode(random.token_bytes(32)).decode()


def valid_secrets(channel: Channel, now: datetime | None = None) -> tuple[str, ...]:
    """Return the secrets that sign now, newest first: two while a rotation overlaps. Skip unreadable ones."""
    rows = [row for row in channel.secrets.all() if row.signs(now) and not isinstance(row.secret, UnreadableValue)]
    return tuple(row.secret for row in sorted(rows, key=lambda row: (row.created_at, row.pk), reverse=True))


def sign_message(message_id: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> str:
    """Return the value of `webhook-signature`: one signature for each secret."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(_sign(secret, content) for secret in secrets)


def _sign(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
