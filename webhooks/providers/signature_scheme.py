"""Describe the signature of a refused request, and how its sender should have made it. Pure."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal

from accounts.core.wording import gettext_noop
from webhooks.providers.signatures import STANDARD_PREFIX, key_bytes, standard_key

Encoding = Literal["hex", "base64"]
#: What is wrong with signing this form of the body ("" for the right form), and the function that makes the form.
Message = tuple[str, Callable[[bytes], bytes]]
#: What is wrong with using this key ("" for the right key), and the function that makes the key from a secret, or None.
Key = tuple[str, Callable[[str], bytes | None]]


def hmac_matches(key: bytes, message: bytes, given: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(key, message, sha256), given)


TEXT_KEYS: tuple[Key, ...] = (
    ("", key_bytes),
    (gettext_noop("The sender uses the secret without its whsec_ prefix."), lambda secret: _without_prefix(secret)),
    (
        gettext_noop("The sender decodes the secret from base64 before it signs; it is to be used as it stands."),
        standard_key,
    ),
    (gettext_noop("The sender's secret has no blanks around it, ours has."), lambda secret: _trimmed(secret)),
    (gettext_noop("The sender's secret has a line break at its end."), lambda secret: key_bytes(secret + "\n")),
)
STANDARD_KEYS: tuple[Key, ...] = (
    ("", standard_key),
    (
        gettext_noop(
            "The sender signs with the secret as it stands; what follows whsec_ is to be decoded from base64."
        ),
        key_bytes,
    ),
    (
        gettext_noop("The sender signs with what follows whsec_, without decoding it."),
        lambda secret: _without_prefix(secret),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureScheme:
    """Describe a signature and how it should be made. `body` is what the signature covers.

    The first of `messages` and of `keys` is the right one. With `is_shared_secret` nothing is signed: `given` is the
    secret itself. `fallback_secrets` apply if the source has no secret.
    """

    given: str
    body: bytes
    messages: tuple[Message, ...] = (("", bytes),)
    keys: tuple[Key, ...] = TEXT_KEYS
    encoding: Encoding = "hex"
    is_shared_secret: bool = False
    fallback_secrets: tuple[str, ...] = ()
    matches: Callable[[bytes, bytes, bytes], bool] = field(default=hmac_matches, repr=False)


def _without_prefix(secret: str) -> bytes | None:
    return key_bytes(secret.strip().removeprefix(STANDARD_PREFIX)) if STANDARD_PREFIX in secret else None


def _trimmed(secret: str) -> bytes | None:
    return key_bytes(secret.strip()) if secret != secret.strip() else None
