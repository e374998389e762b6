"""Create and change agencies."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.models import Agency
from accounts.models.agency import new_company_id
from accounts.tenancy import audit
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.audit import Actor

#: Called in the transaction that changes the time zone of an agency.
_time_zone_hooks: list[Callable[[Agency], None]] = []


def on_time_zone_change(hook: Callable[[Agency], None]) -> Callable[[Agency], None]:
    """Register `hook` for what is stored by an agency's days and hours."""
    _time_zone_hooks.append(hook)
    return hook


@transaction.atomic
def create_agency_without_key(
    *,
    name: str,
    company_id: str | None = None,
    timezone: str = "UTC",
    locale: str = "en-US",
    by: Actor | None = None,
) -> Agency:
    """Create an agency without an API key; its owner makes the keys. Raises `IntegrityError` if the company id is
    taken."""
    agency = Agency.objects.create(
        name=name, ghl_company_id=company_id or new_company_id(), timezone=timezone, locale=locale
    )
    audit.log_creation(by, agency, "Created")
    return agency


@transaction.atomic
def update_agency(agency: Agency, *, by: Actor | None = None, **changes: Any) -> Agency:
    """Change fields of an agency. Raises `django.db.IntegrityError` if the company id is taken."""
    stored = Agency.objects.values(*changes).get(pk=agency.pk)
    for name, value in changes.items():
        setattr(agency, name, value)
    agency.save(update_fields=list(changes))
    if changed := sorted(name for name, value in changes.items() if value != stored[name]):
        audit.log_change(by, agency, "Changed", ", ".join(changed))
    if "timezone" in changed:
        for hook in _time_zone_hooks:
            hook(agency)
    return agency


@transaction.atomic
def create_agency(
    *, name: str, company_id: str | None = None, timezone: str = "UTC", locale: str = "en-US"
) -> tuple[Agency, str]:
    """Create an agency and its first API key, with all scopes. Only this call returns the key.

    Raises `django.db.IntegrityError` if the company id is taken.
    """
    agency = create_agency_without_key(name=name, company_id=company_id, timezone=timezone, locale=locale)
    _, key = create_api_key(agency, name="First key")
    return agency, key
