"""Sightings: how a report names an account, and which account that is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from accounts.core import unit_of_work
from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin, Quarantine
from accounts.models import Account, Agency
from accounts.sources.service import sub_account_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """How a report names an account, and what else it says of it. LinkedConnector names it by location and name."""

    external_id: str = ""
    location_id: str = ""
    name: str = ""
    email: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)


def find_or_make(
    agency: Agency,
    provider: str,
    sighting: Sighting,
    status: AccountStatus,
    origin: Origin,
    known: Account | None,
) -> tuple[Account, bool]:
    """The account, locked, and False; or a new one, not saved yet, and True.

    Saving it raises IntegrityError where another source saw it first, a moment ago: the report is tried again.
    """
    found = locked(known) if known else _find(agency, provider, sighting)
    if found is not None:
        found.agency = agency
        _remember(found)
        return found, False
    sub_account = sub_account_at(agency, sighting.location_id) if sighting.location_id else None
    if sub_account is None and origin.source and sighting.external_id:
        sub_account = origin.source.sub_account
    account = Account(
        agency=agency,
        provider=provider,
        external_id=sighting.external_id or None,
        folded_name="" if sighting.external_id else _folded(sighting.name),
        sub_account=sub_account,
        source=origin.source,
        status=status,
        status_since=origin.at,
    )
    fill(account, sighting, overwrite=True)
    _remember(account)
    return account, True


def locked(account: Account) -> Account:
    """The account as it is now, and stays until the transaction ends."""
    return unit_of_work.recall(Account, account.pk, lambda: _rows().get(pk=account.pk))


def expect_accounts(agency: Agency, provider: str, sightings: Iterable[Sighting]) -> list[Account]:
    """Fetch for a batch of reports those of their accounts that there are."""
    wanted = {sighting.external_id for sighting in sightings} - {""}
    if not wanted:
        return []
    found = list(_rows().filter(agency=agency, provider=provider, external_id__in=wanted).order_by("id"))
    unit_of_work.remember(Account, {(agency.pk, provider, external_id): None for external_id in wanted})
    for account in found:
        _remember(account)
    return found


def fill(account: Account, sighting: Sighting, *, overwrite: bool) -> None:
    """Take over what a report says of the person; an empty word takes nothing away."""
    for name, value in {"name": sighting.name, "email": sighting.email, **sighting.profile}.items():
        if value not in (None, "") and (overwrite or getattr(account, name) in (None, "")):
            setattr(account, name, value)


def _rows() -> QuerySet[Account]:
    return Account.objects.select_for_update(of=("self",)).select_related("sub_account")


def _remember(account: Account) -> None:
    unit_of_work.remember(Account, {account.pk: account})
    if account.external_id:
        unit_of_work.remember(Account, {(account.agency_id, account.provider, account.external_id): account})


def _find(agency: Agency, provider: str, sighting: Sighting) -> Account | None:
    """The account a report is about, locked; None if it is new. Raises Quarantine where that cannot be told."""
    if sighting.external_id:
        key = (agency.pk, provider, sighting.external_id)
        named = {"agency": agency, "provider": provider, "external_id": sighting.external_id}
        return unit_of_work.recall(Account, key, lambda: _rows().filter(**named).first())
    accounts = _rows().filter(agency=agency, provider=provider)
    if sighting.location_id:
        accounts = accounts.filter(sub_account__location_id=sighting.location_id)
    if sighting.name:
        accounts = accounts.filter(folded_name=_folded(sighting.name))
    if sighting.name and sighting.location_id:
        return accounts.first()
    candidates = list(accounts[:2])
    if len(candidates) == 1 and (sighting.name or sighting.location_id):
        return candidates[0]
    raise Quarantine("unknown_account", "The report does not say which account it is about.")


def _folded(name: str) -> str:
    """A display name as it is compared: without case, with single spaces."""
    return " ".join(name.split()).casefold()[:200]
