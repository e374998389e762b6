"""Make the demonstration's people, agency, sources and channels on the first `make run`."""

import json
import os
import secrets
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import User
from django.db import transaction

from accounts.core.enums import ProviderSlug, Role
from accounts.models import Agency, Member, Source
from accounts.sources.service import create_source
from accounts.tenancy.agencies import create_agency
from accounts.tenancy.verified_email import find_user_by_email, mark_email_verified
from config.demo.first_start import FirstStart, MadeSource
from notifications.channels.service import create_channel

COMPANY_ID = "fhRhvcLbntMZs3hVo5L4"
MAILBOX = "team@example.com"
OWNER = "owner@example.com"


@transaction.atomic
def make_demo_agency(keys: Path) -> FirstStart | None:
    """Make the demonstration, or return None if its agency exists. Write private keys that only a provider has to
    `keys`."""
    if Agency.objects.filter(ghl_company_id=COMPANY_ID).exists():
        return None
    username, password = make_staff_user()
    agency, api_key = create_agency(name="Demo Outreach Agency", company_id=COMPANY_ID)
    sources = [make_source(agency, provider, keys) for provider in ProviderSlug]
    create_channel(agency, kind="email", name="The team's mailbox", email=MAILBOX, verified=True, conflation_seconds=0)
    owner = make_owner(agency)
    return FirstStart(username, password, *owner, agency.name, COMPANY_ID, api_key, sources)


def make_staff_user() -> tuple[str, str]:
    name = "admin" if not User.objects.filter(username="admin").exists() else f"admin-{secrets.token_hex(3)}"
    password = secrets.token_urlsafe(12)
    user = User.objects.create_superuser(name, "admin@example.com", password)
    if find_user_by_email(user.email) is None:
        mark_email_verified(user, user.email)
    return name, password


def make_owner(agency: Agency) -> tuple[str, str]:
    """Make an owner of the agency. Return their user name and password."""
    address, password = OWNER, secrets.token_urlsafe(12)
    if User.objects.filter(username=address).exists() or find_user_by_email(address):
        address = f"owner-{secrets.token_hex(3)}@example.com"
    user = User.objects.create_user(address, address, password)
    mark_email_verified(user, address)
    Member.objects.create(agency=agency, user=user, role=Role.OWNER.value)
    return address, password


def make_source(agency: Agency, provider: ProviderSlug, keys: Path) -> MadeSource:
    """Make a source. LinkedIn gets a random client secret, HighLevel its own key pair, so that `send_sample` can
    sign."""
    secret = private = None
    if provider is ProviderSlug.LINKEDIN:
        secret = secrets.token_urlsafe(24)
    if provider is ProviderSlug.HIGHLEVEL:
        private, secret = make_key_pair()
    source, secret = create_source(agency=agency, provider=provider, name=f"Demo {provider}", secret=secret)
    if private:
        store_signing_key(keys, source, private)
        note = f"its own key pair; the private half signs the samples from {keys.name}"
    else:
        note = f"secret {secret}" if secret else "no secret: the URL itself is the secret"
    return MadeSource(provider, source.webhook_url, note)


def make_key_pair() -> tuple[str, str]:
    """Return an Ed25519 key pair as PEM: private, public."""
    private = Ed25519PrivateKey.generate()
    return (
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


def store_signing_key(keys: Path, source: Source, private: str) -> None:
    stored: dict[str, Any] = json.loads(keys.read_text()) if keys.is_file() else {}
    stored[source.id] = {"provider": source.provider, "private_key": private}
    keys.unlink(missing_ok=True)
    with os.fdopen(os.open(keys, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(stored, file, indent=2)


def signing_key(keys: Path, source: Source) -> str | None:
    """Return the private key with which the demonstration signs as this source's provider."""
    stored: dict[str, Any] = json.loads(keys.read_text()) if keys.is_file() else {}
    key: str | None = stored.get(source.id, {}).get("private_key")
    return key
