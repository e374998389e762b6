"""Create, change, rotate and remove sources. Only the call that makes a secret returns it."""

import base64
import binascii
import secrets as random
from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.enums import ProviderSlug
from accounts.core.errors import FieldError
from accounts.core.ids import new_token
from accounts.core.text import plain, plain_fields
from accounts.models import Agency, Source, SubAccount
from accounts.models.source import secret_overlap
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor

#: How long the signature doctor knows an expired secret, to say who still signs with it.
EXPIRED_SECRET_LIFETIME = timedelta(days=30)
#: Providers whose sources get a secret only if one is given, because they may need none.
NO_SECRET_UNLESS_GIVEN = {ProviderSlug.LINKEDCONNECTOR, ProviderSlug.HIGHLEVEL}


MAX_SECRET_LENGTH = 256
#: The prefix of a secret in Svix and Standard Webhooks, and the version that some dashboards put before it.
STANDARD_PREFIX, VERSION_PREFIX = "whsec_", "v1,"

#: Disconnects a removed source from its provider, in the same transaction.
Disconnect = Callable[[Source], None]
_disconnects: dict[str, Disconnect] = {}


@transaction.atomic
def create_source(
    *,
    agency: Agency | None,
    provider: str,
    name: str = "",
    secret: str | None = None,
    enabled: bool = True,
    location_id: str = "",
    allowed_networks: list[str] | None = None,
    credentials: dict[str, str] | None = None,
    secret_follows: bool = False,
    by: Actor | None = None,
) -> tuple[Source, str | None]:
    """Create a source. Return it with its secret (given or generated), or None if the provider has none.

    With `secret_follows` none is generated: the provider makes it, for the URL that only the source gives it, and until
    it is set no request is accepted.

    Raises FieldError. Every provider but `highlevel` requires an agency; `linkedin` requires a secret.
    """
    slug = ProviderSlug(provider)
    if agency is None and slug is not ProviderSlug.HIGHLEVEL:
        raise FieldError("agency", gettext("A %(slug)s source belongs to an agency.") % {"slug": slug})
    if secret is None and slug is ProviderSlug.LINKEDIN:
        raise FieldError("secret", gettext("A linkedin source needs the LinkedIn app's client secret."))
    if secret is not None:
        secret = clean_secret(slug, secret)
    elif slug not in NO_SECRET_UNLESS_GIVEN and not secret_follows:
        secret = new_secret()
    source = Source.objects.create(
        agency=agency,
        provider=slug,
        name=plain(name),
        enabled=enabled,
        sub_account=get_or_create_sub_account(agency, location_id) if agency and location_id else None,
        allowed_networks=allowed_networks or [],
        credentials=cast(Any, credentials or {}),
        credentials_set_at=_set_at({}, {}, credentials or {}),
    )
    if secret is not None:
        source.secrets.create(secret=secret)
    audit.log_creation(by, source, "Created")
    return source, secret


@transaction.atomic
def rotate_secret(source: Source, secret: str | None = None, *, by: Actor | None = None) -> str | None:
    """Give the source a new secret and return it. The old one stays valid for SECRET_OVERLAP_HOURS.

    A `linkedconnector` source gets a new URL token instead, and a new secret only if it has one or one is given. The
    old URL stays valid as long. Raises FieldError if only the provider can make the secret.
    """
    now = timezone.now()
    audit.log_change(by, source, "Secret rotated")
    if source.provider == ProviderSlug.LINKEDCONNECTOR:
        source.previous_token, source.previous_token_expires_at = source.token, now + secret_overlap()
        source.token = new_token()
        source.save(update_fields=["token", "previous_token", "previous_token_expires_at", "updated_at"])
        if secret is None and not source.secrets.exists():
            return None
    elif secret is None and source.provider in {ProviderSlug.LINKEDIN, ProviderSlug.HIGHLEVEL}:
        raise FieldError("secret", gettext("This provider makes the secret: give the new one."))
    secret = new_secret() if secret is None else clean_secret(ProviderSlug(source.provider), secret)
    _add_secret(source, secret)
    return secret


@transaction.atomic
def update_source(source: Source, *, by: Actor | None = None, **changes: Any) -> Source:
    """Change `name`, `enabled`, `sub_account`, `allowed_networks`, `credentials` or `secret` of a source.

    A new secret starts an overlap with the old one; None deletes all secrets. Raises FieldError for None if the
    provider signs with a secret.
    """
    audit.log_change(by, source, "Changed", ", ".join(sorted(changes)))
    if "secret" in changes:
        secret = changes.pop("secret")
        if secret is not None:
            _add_secret(source, clean_secret(ProviderSlug(source.provider), secret))
        elif source.provider in NO_SECRET_UNLESS_GIVEN:
            source.secrets.all().delete()
        else:
            raise FieldError(
                "secret", gettext("This provider signs with a secret: it can be changed, but not removed.")
            )
    if "credentials" in changes:
        before = source.readable_credentials
        changes["credentials_set_at"] = _set_at(source.credentials_set_at or {}, before, changes["credentials"])
    for name, value in plain_fields(changes, "name").items():
        setattr(source, name, value)
    source.save(update_fields=[*changes, "updated_at"])
    return source


@transaction.atomic
def delete_source(source: Source, *, by: Actor | None = None) -> None:
    """Remove a source: forget its URL, secrets and credentials. Keep the row for the receipts that it received."""
    audit.log_deletion(by, source, "Removed")
    source.secrets.all().delete()
    source.enabled, source.credentials, source.removed_at = False, {}, timezone.now()
    source.save(update_fields=["enabled", "credentials", "removed_at", "updated_at"])
    if disconnect := _disconnects.get(source.provider):
        disconnect(source)


def set_credentials(source: Source, values: dict[str, str], *, by: Actor | None = None) -> Source:
    """Set some keys of the provider's API and leave the others as they are. An empty value removes the key."""
    merged = {**source.readable_credentials, **values}
    return update_source(source, credentials={name: value for name, value in merged.items() if value}, by=by)


def on_source_removal(provider: str, disconnect: Disconnect) -> None:
    _disconnects[provider] = disconnect


def _set_at(times: dict[str, str], before: dict[str, str], after: dict[str, str]) -> dict[str, str]:
    """Return when each key was set: now, if its value changed."""
    now = timezone.now().isoformat()
    return {name: now if before.get(name) != value else times.get(name, now) for name, value in after.items()}


def _add_secret(source: Source, secret: str) -> None:
    now = timezone.now()
    source.secrets.filter(expires_at__isnull=True).update(expires_at=now + secret_overlap())
    source.secrets.filter(expires_at__lte=now - EXPIRED_SECRET_LIFETIME).delete()
    source.secrets.create(secret=secret)
    source.save(update_fields=["updated_at"])


def clean_secret(provider: ProviderSlug, secret: str) -> str:
    """Return a secret as it is stored: unchanged, but `whsec_…` without a copied `v1,` prefix or blanks.

    Raises FieldError for a secret that can verify nothing.
    """
    secret = secret if secret.startswith("-----BEGIN") else secret.strip("\r\n")
    standard = secret.strip().removeprefix(VERSION_PREFIX)
    if standard.startswith(STANDARD_PREFIX):
        secret = standard
    if not secret.strip():
        raise FieldError("secret", gettext("The secret is empty. Anybody could sign with that."))
    if len(secret) > MAX_SECRET_LENGTH:
        raise FieldError(
            "secret",
            gettext("The secret is too long: at most %(MAX_SECRET_LENGTH)s characters.")
            % {"MAX_SECRET_LENGTH": MAX_SECRET_LENGTH},
        )
    if any(not char.isprintable() for char in secret.replace("\r\n", "\n").replace("\n", "")):
        raise FieldError("secret", gettext("The secret has an invisible character in it. Copy it once more."))
    if provider is ProviderSlug.HIGHLEVEL and not _is_public_key(secret):
        raise FieldError(
            "secret",
            gettext(
                "HighLevel signs with a key of its own: give the public key in PEM form (Ed25519, from -----BEGIN "
                "PUBLIC KEY----- to -----END PUBLIC KEY-----), or none for the published one."
            ),
        )
    if provider is ProviderSlug.SENDPILOT and secret.startswith(STANDARD_PREFIX) and not _is_standard_secret(secret):
        raise FieldError("secret", gettext("What follows whsec_ is not base64. Copy the whole secret once more."))
    return secret


def _is_public_key(pem: str) -> bool:
    try:
        return isinstance(load_pem_public_key(pem.encode()), Ed25519PublicKey)
    except ValueError:
        return False


def _is_standard_secret(secret: str) -> bool:
    encoded = secret.removeprefix(STANDARD_PREFIX).rstrip("=")
    try:
        return bool(base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True))
    except (binascii.Error, ValueError):
        return False


def new_secret() -> str:
    """Return `whsec_` and base64 of 32 random bytes, the form of Standard Webhooks and Svix. Other providers take any
    text."""
    return "whsec_" + base64.b64encode(random.token_bytes(32)).decode()


def get_or_create_sub_account(agency: Agency, location_id: str) -> SubAccount:
    """Return the agency's sub-account at this location, created if it is new."""
    return SubAccount.objects.get_or_create(agency=agency, location_id=location_id)[0]


def valid_secrets(source: Source) -> list[str]:
    """Return the secrets that are valid now, newest first."""
    now = timezone.now()
    rows: list[Any] = sorted(source.secrets.all(), key=lambda row: (row.created_at, row.pk), reverse=True)
    return [row.secret for row in rows if row.expires_at is None or row.expires_at > now]
