"""Where an account's owner is written to, and the addresses that are not written to any more."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.core.email_addresses import email_key, normalize_email
from accounts.core.enums import ReauthContact, Role
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.models import Account, Agency, BouncedAddress


def addresses_for(account: Account, work: UnitOfWork = AT_ONCE) -> list[str]:
    """Who is asked: the account's own address, else its location's installer, else whom the agency has chosen."""
    installer = account.sub_account.installer_email if account.sub_account else ""
    return reachable([account.email, installer], work)[:1] or reachable(_team_addresses(account.agency), work)


def reachable(addresses: Iterable[str], work: UnitOfWork = AT_ONCE) -> list[str]:
    """Return those that are addresses and get our mail, each once and in canonical form."""
    found = dict.fromkeys(email_key(address) for address in addresses if _is_address(address))
    bounces = work.look_up_all(BOUNCES, found)
    return [address for address in found if bounces[address] is None]


def bounced(addresses: Iterable[str]) -> dict[str, str]:
    """Why mail no longer goes to those of the addresses that get none, by their canonical form."""
    rows = BouncedAddress.objects.filter(email__in={email_key(address) for address in addresses})
    return dict(rows.values_list("email", "reason"))


def block(address: str, *, reason: str, complaint: bool = False) -> None:
    """Write to this address no more. A complaint stays one, whatever else is said of the address later."""
    values = {"reason": reason[:300], **({"complained": True} if complaint else {})}
    BouncedAddress.objects.update_or_create(email=email_key(address), defaults=values)


def has_complained(address: str) -> bool:
    """Whether the reader of this address has called our mail unwanted, whichever agency it was about."""
    return BouncedAddress.objects.filter(email=email_key(address), complained=True).exists()


def forgive(address: str) -> None:
    """Write to the address again: a person says that it works. A complaint is not lifted by that."""
    BouncedAddress.objects.filter(email=email_key(address), complained=False).delete()


def lift(address: str) -> None:
    """Write to the address again on behalf of staff, whom its reader has asked."""
    BouncedAddress.objects.filter(email=email_key(address)).delete()


def forget(before: datetime) -> int:
    """Give addresses that came back so long ago another chance; how many. Complaints stay."""
    return BouncedAddress.objects.filter(at__lt=before, complained=False).delete()[0]


def mail_problem(account: Account) -> str:
    """Why the owner's own address gets no mail, who is asked instead and what to do; empty: it gets it."""
    reason = bounced([account.email]).get(email_key(account.email))
    if reason is None:
        return ""
    others = ", ".join(addresses_for(account))
    instead = (
        f"Asked instead: {others}." if others else "Nobody is asked instead: the agency's settings say who may be."
    )
    return f"{reason.rstrip('.')}. {instead} Have the address corrected at the provider or here."


def _team_addresses(agency: Agency) -> list[str]:
    if agency.reauth_contact == ReauthContact.NOBODY:
        return []
    members = agency.members.order_by("id")
    if agency.reauth_contact == ReauthContact.OWNER:
        members = members.filter(role=Role.OWNER)
    return list(members.filter(user__is_active=True).values_list("user__email", flat=True))


def _is_address(text: str) -> bool:
    try:
        normalize_email(text)
    except ValidationError:
        return False
    return True


def _load_bounces(addresses: Collection[str]) -> dict[str, str | None]:
    return {**dict.fromkeys(addresses), **bounced(addresses)}


#: By address in canonical form why it gets no mail; None: it gets it.
BOUNCES: Lookup[str, str | None] = Lookup(_load_bounces, BouncedAddress)
