"""Verify and make signatures: constant-time comparison, HMAC, age of timestamps, Standard Webhooks. Pure."""

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from accounts.core.wording import Wording, gettext_noop, several

STANDARD_PREFIX = "whsec_"
MAX_HEADER_LENGTH = 4096
_SECONDS = re.compile(r"[0-9]{1,15}")
_SHA256_HEX = re.compile(r"[0-9a-f]{64}")
_NO_HEADER = Wording("signature_header_missing", gettext_noop("The request has no %(name)s header."))
_LONG_HEADER = Wording("signature_header_long", gettext_noop("The %(name)s header has %(length)s characters."))
_NO_HEX_DIGEST = Wording(
    "signature_not_hex",
    gettext_noop("A signature is 64 lower-case hex digits; this one has %(length)s characters."),
)
_OTHER_SECRET = Wording("shared_secret_wrong", gettext_noop("The %(name)s header is not this source's secret."))
_SIGNED_AGO = Wording(
    "signed_ago", gettext_noop("The request was signed %(seconds)s s ago; at most %(tolerance)s s are accepted.")
)
_SIGNED_AHEAD = Wording(
    "signed_ahead",
    gettext_noop("The request was signed %(seconds)s s in the future; at most %(tolerance)s s are accepted."),
)
_NO_SECONDS = gettext_noop("The signed timestamp is not a number of seconds since 1970.")


class InvalidSignature(Exception):
    """Signal that the request's sender is not verified.

    `reason` is one machine-readable word, `diagnosis` a sentence of `accounts.core.wording`. Neither contains a secret.
    """

    def __init__(self, reason: str, diagnosis: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.diagnosis = diagnosis


def required_header(headers: Mapping[str, str], name: str) -> str:
    """Return the trimmed header. Raises InvalidSignature if it is missing, empty or too long."""
    value = headers.get(name, "").strip()
    if not value:
        raise InvalidSignature("missing_signature", _NO_HEADER(name=name))
    if len(value) > MAX_HEADER_LENGTH:
        raise InvalidSignature("malformed_signature", _LONG_HEADER(name=name, length=len(value)))
    return value


def constant_time_equal(given: str, expected: str) -> bool:
    """Compare two texts as bytes in constant time. `given` is a header's value, decoded as latin-1."""
    try:
        raw = given.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return hmac.compare_digest(raw, key_bytes(expected))


def key_bytes(secret: str) -> bytes:
    return secret.encode("utf-8", "surrogatepass")


def hmac_hex(secret: str, message: bytes) -> str:
    """Return the HMAC-SHA256 in lower-case hex. The key is the secret as text, in UTF-8."""
    return hmac.digest(key_bytes(secret), message, sha256).hex()


def require_hmac(given: str, message: bytes, secrets: Sequence[str]) -> None:
    """Raise InvalidSignature unless `given` is the lower-case hex HMAC of the message under one of the secrets."""
    require_hex_digest(given)
    if not matches_any_hmac(given, message, usable_secrets(secrets)):
        raise wrong_signature()


def require_hex_digest(given: str) -> None:
    """Raise InvalidSignature unless `given` could be an HMAC-SHA256 in lower-case hex."""
    if not _SHA256_HEX.fullmatch(given):
        raise InvalidSignature("malformed_signature", _NO_HEX_DIGEST(length=len(given)))


def matches_any_hmac(given: str, message: bytes, secrets: Sequence[str]) -> bool:
    return any(constant_time_equal(given, hmac_hex(secret, message)) for secret in secrets)


def require_shared_secret(headers: Mapping[str, str], name: str, secrets: Sequence[str]) -> None:
    """Raise InvalidSignature unless the header is one of the secrets."""
    given = required_header(headers, name)
    if not any(constant_time_equal(given, secret.strip()) for secret in usable_secrets(secrets)):
        raise InvalidSignature("wrong_signature", _OTHER_SECRET(name=name))


def usable_secrets(secrets: Sequence[str]) -> list[str]:
    """Return the secrets that are not blank. Raises InvalidSignature if there is none."""
    found = [secret for secret in secrets if secret.strip()]
    if not found:
        raise InvalidSignature("no_secret", gettext_noop("This source has no secret to verify with."))
    return found


def wrong_signature() -> InvalidSignature:
    return InvalidSignature(
        "wrong_signature",
        gettext_noop(
            "The signature does not match: the sender signed another body, or with another secret than this source's."
        ),
    )


def require_fresh(sent_at: str, received_at: datetime, tolerance: int) -> None:
    """Raise InvalidSignature unless `sent_at` (Unix seconds) is within `tolerance` seconds of `received_at`.

    Both are cut to whole seconds, as senders cut them: a request of exactly 300 s ago is not 300.4 s old.
    """
    if not _SECONDS.fullmatch(sent_at):
        raise InvalidSignature("malformed_timestamp", _NO_SECONDS)
    now = int(received_at.timestamp())
    age = now - int(sent_at)
    if abs(age) > tolerance:
        signed = (_SIGNED_AGO if age > 0 else _SIGNED_AHEAD)(seconds=abs(age), tolerance=tolerance)
        raise InvalidSignature("stale_timestamp", several(signed, _explain_skew(int(sent_at), now)))


def _explain_skew(sent_at: int, now: int) -> str:
    """Return a sentence that explains a timestamp that is far off. The signature over it is right."""
    if abs(sent_at // 1000 - now) <= 86_400:
        return gettext_noop("The signature is right: its timestamp is in milliseconds, seconds are wanted.")
    if sent_at > now:
        return gettext_noop("The signature is right: the sender's clock is ahead.")
    return gettext_noop("The signature is right: the sender's clock is behind, or this is an old request sent again.")


# Standard Webhooks v1, which Svix sends under its own header names
# (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).


def verify_standard(
    body: bytes,
    *,
    message_id: str,
    sent_at: str,
    signatures: str,
    secrets: Sequence[str],
    received_at: datetime,
    tolerance: int,
) -> None:
    """Raise InvalidSignature unless one `v1` signature of the space-separated list is that of `id.timestamp.body`.

    Other versions and secrets without the `whsec_` prefix are skipped. The signature must be canonical base64: decoders
    ignore changed bits in the last character.
    """
    if not _SECONDS.fullmatch(sent_at):
        raise InvalidSignature("malformed_timestamp", _NO_SECONDS)
    try:
        message = b"%b.%b.%b" % (message_id.encode("latin-1"), sent_at.encode(), body)
    except UnicodeEncodeError:
        raise InvalidSignature("malformed_signature", gettext_noop("The message id is not text of a header.")) from None
    if "." in message_id or ", " in signatures:
        raise InvalidSignature(
            "malformed_signature", gettext_noop("A signature header was sent twice, or the id has a dot in it.")
        )
    keys = [key for key in map(standard_key, secrets) if key]
    if not keys:
        raise InvalidSignature(
            "no_secret", gettext_noop("This source has no whsec_ secret, which this kind of signature needs.")
        )
    given = signatures.split(" ")
    for key in keys:
        expected = standard_signature(key, message)
        if any(constant_time_equal(one, expected) for one in given):
            return require_fresh(sent_at, received_at, tolerance)
    raise wrong_signature()


def sign_standard(body: bytes, secret: str, *, message_id: str, at: datetime) -> tuple[str, str]:
    """Return timestamp and signature. Raises ValueError if the secret is not a `whsec_` secret."""
    key = standard_key(secret)
    if not key:
        raise ValueError("the secret must be whsec_ followed by base64")
    sent_at = str(int(at.timestamp()))
    return sent_at, standard_signature(key, b"%b.%b.%b" % (message_id.encode(), sent_at.encode(), body))


@lru_cache(maxsize=1000)
def standard_key(secret: str) -> bytes | None:
    """Return the key in `whsec_<base64>`, padded or not, also after a version (`v1,whsec_…`). None for other texts."""
    secret = secret.strip().removeprefix("v1,")
    encoded = secret.removeprefix(STANDARD_PREFIX)
    if not secret.startswith(STANDARD_PREFIX) or not encoded:
        return None
    try:
        return base64.b64decode(encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def standard_signature(key: bytes, message: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(key, message, sha256)).decode()
