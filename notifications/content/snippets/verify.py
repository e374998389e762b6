import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE = 300  # seconds


def is_from_leadline(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """`headers`: their names in lower case. `body`: the bytes as they came, before any JSON is parsed."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(digest)
    signatures = headers.get("webhook-signature", "").encode().split()  # two while the secret is rotated
    return any(hmac.compare_digest(expected, signature) for signature in signatures)
