"""Find the account that a report names, or make it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from accounts.core.enums import AccountStatus
from accounts.core.provider_key import ProviderKey, group_by_provider
from accounts.core.text import plain_fields
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events.ordering import Origin, Quarantine
from accounts.models import Account, Agency
from accounts.sources.service import get_or_create_sub_account

#: The fields with text that people read.
TEXT_FIELDS = frozenset({"name", "first_name", "last_name", "occupation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountIdentity:
    """How a report names an account, and what it says about the person. LinkedConnector names it by location and
    name."""

    external_id: str = ""
    location_id: str = ""
    name: str = ""
    email: str = ""
    profile: Mapping[str, Any] = field(default_factory=dict)


def get_or_build_account(
    agency: Agency,
    provider: str,
    identity: AccountIdentity,
    status: AccountStatus,
    origin: Origin,
    known: Account | None,
    work: UnitOfWork,
) -> tuple[Account, bool]:
    """Return the locked account and False, or a new unsaved account and True.

    Saving a new account raises IntegrityError if another source saw it first; the report is then processed again.
    """
    found = lock_account(known, work) if known else _find_account(agency, provider, identity, work)
    if found is not None:
        found.agency = agency
        if known or not identity.external_id:  # else a batch has prefetched it
            remember_account(work, found)
        return found, False
    sub_account = None
    if identity.location_id:
        work.bypass()
        sub_account = get_or_create_sub_account(agency, identity.location_id)
    if sub_account is None and origin.source and identity.external_id:
        sub_account = origin.source.sub_account
    account = Account(
        agency=agency,
        provider=provider,
        external_id=identity.external_id or None,
        folded_name="" if identity.external_id else _fold_name(identity.name),
        sub_account=sub_account,
        source=origin.source,
        status=status,
        status_since=origin.at,
    )
    copy_identity(account, identity, overwrite=True)
    remember_account(work, account)
    return account, True


def lock_account(account: Account, work: UnitOfWork = AT_ONCE) -> Account:
    """Return the account as it is now, locked until the transaction ends."""
    return work.look_up(ACCOUNTS, account.pk)


def remember_account(work: UnitOfWork, account: Account) -> None:
    """Let later reports of this batch find the account, which is locked or new."""
    work.remember(ACCOUNTS, {account.pk: account})
    if account.external_id:
        work.remember(
            ACCOUNTS_BY_EXTERNAL_ID, {ProviderKey(account.agency_id, account.provider, account.external_id): account}
        )


def copy_identity(account: Account, identity: AccountIdentity, *, overwrite: bool) -> None:
    """Copy what a report says about the person. An empty value erases nothing."""
    values = {"name": identity.name, "email": identity.email, **identity.profile}
    for name, value in plain_fields(values, *TEXT_FIELDS & values.keys()).items():
        if value not in (None, "") and (overwrite or getattr(account, name) in (None, "")):
            setattr(account, name, value)


def _locked_accounts() -> QuerySet[Account]:
    return Account.objects.select_for_update(of=("self",)).select_related("sub_account")


def _load_accounts(pks: Collection[str]) -> dict[str, Account]:
    return {account.pk: account for account in _locked_accounts().filter(pk__in=pks).order_by("id")}


def _load_by_external_id(keys: Collection[ProviderKey]) -> dict[ProviderKey, Account | None]:
    found: dict[ProviderKey, Account | None] = dict.fromkeys(keys)
    for (agency_id, provider), external_ids in group_by_provider(keys).items():
        named = _locked_accounts().filter(agency=agency_id, provider=provider, external_id__in=external_ids)
        for account in named.order_by("id"):
            found[ProviderKey(agency_id, provider, account.external_id or "")] = account
    return found


def _find_account(agency: Agency, provider: str, identity: AccountIdentity, work: UnitOfWork) -> Account | None:
    """Return the locked account of a report, or None if it is new. Raises Quarantine if the report names none."""
    if identity.external_id:
        return work.look_up(ACCOUNTS_BY_EXTERNAL_ID, ProviderKey(agency.pk, provider, identity.external_id))
    work.flush(Account)
    accounts = _locked_accounts().filter(agency=agency, provider=provider)
    if identity.location_id:
        accounts = accounts.filter(sub_account__location_id=identity.location_id)
    if identity.name:
        accounts = accounts.filter(folded_name=_fold_name(identity.name))
    if identity.name and identity.location_id:
        return accounts.first()
    candidates = list(accounts[:2])
    if len(candidates) == 1 and (identity.name or identity.location_id):
        return candidates[0]
    raise Quarantine(
        "unknown_account",
        gettext_noop("The report does not say which account it is about."),
        waits_for=identity.location_id,
    )


def _fold_name(name: str) -> str:
    """Return a display name for comparison: case-folded, with single spaces."""
    return " ".join(name.split()).casefold()[:200]


#: Locked accounts, by their id and by the provider's id.
ACCOUNTS: Lookup[str, Account] = Lookup(_load_accounts, Account)
ACCOUNTS_BY_EXTERNAL_ID: Lookup[ProviderKey, Account | None] = Lookup(_load_by_external_id, Account)
