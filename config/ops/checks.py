"""Check settings at the start that would otherwise fail later and unnoticed."""

from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from accounts.core.networks import parse_network
from leads.enrichment.service import SHIPPED, enricher_named


@register(Tags.security)
def encryption_keys_are_usable(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Report entries of FIELD_ENCRYPTION_KEYS that are not 32 bytes in url-safe base64."""
    wrong = [place for place, key in enumerate(settings.FIELD_ENCRYPTION_KEYS, start=1) if not _is_key(key)]
    return [
        Error(
            f"FIELD_ENCRYPTION_KEYS, entry {place}, is not 32 bytes in url-safe base64.",
            hint="Make one with: openssl rand -base64 32 | tr '+/' '-_'",
            id="leadline.E001",
        )
        for place in wrong
    ]


@register(Tags.security)
def networks_are_readable(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Report entries of TRUSTED_PROXIES and OUTBOUND_ALLOWED_NETWORKS that are neither addresses nor CIDRs."""
    return [
        Error(f"{name} has {cidr!r}, which is neither an address nor a network.", id="leadline.E002")
        for name in ("TRUSTED_PROXIES", "OUTBOUND_ALLOWED_NETWORKS")
        for cidr in getattr(settings, name)
        if parse_network(cidr) is None
    ]


@register()
def enrichers_are_there(app_configs: Any, **_: Any) -> Sequence[CheckMessage]:
    """Report entries of LEAD_ENRICHERS that cannot be imported."""
    return [
        Error(
            f"LEAD_ENRICHERS has {name!r}, which cannot be found.",
            hint=f"Name one of {', '.join(SHIPPED)}, or a function by its path: package.module.function.",
            id="leadline.E003",
        )
        for name in settings.LEAD_ENRICHERS
        if not _is_enricher(name)
    ]


def _is_enricher(name: str) -> bool:
    try:
        return callable(enricher_named(name))
    except ImportError:
        return False


def _is_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True
