"""Choose the addresses for mail to an account's owner, and block addresses that must get none."""

from collections.abc import Collection, Iterable
from datetime import datetime

from django.core.exceptions import ValidationError

from accounts.core.email_addresses import email_key, normalize_email
from accounts.core.enums import ReauthContact, Role
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.models import Account, Agency, BouncedAddress


def addresses_for(account: Account, work: UnitOfWork = AT_ONCE) -> list[str]:
    """Return the address to ask: the account's own, else that of the location's installer, else those the agency
    chose."""
    installer = account.sub_account.installer_email if account.sub_account else ""
    return reachable_addresses([account.email, installer], work)[:1] or reachable_addresses(
        _team_addresses(account.agency), work
    )


def reachable_addresses(addresses: Iterable[str], work: UnitOfWork = AT_ONCE) -> list[str]:
    """Return the valid addresses that get mail, each once and in canonical form."""
    found = dict.fromkeys(email_key(address) for address in addresses if _is_address(address))
    bounces = work.look_up_all(BLOCK_REASONS, found)
    return [address for address in found if bounces[address] is None]


def block_reasons(addresses: Iterable[str]) -> dict[str, str]:
    """Return why blocked addresses among these get no mail, by canonical form."""
    rows = BouncedAddress.objects.filter(email__in={email_key(address) for address in addresses})
    return dict(rows.values_list("email", "reason"))


def block_address(address: str, *, reason: str, complaint: bool = False) -> None:
    """Block an address. A complaint stays stored, whatever reason is given later."""
    values = {"reason": reason[:300], **({"complained": True} if complaint else {})}
    BouncedAddress.objects.update_or_create(email=email_key(address), defaults=values)


def has_complained(address: str) -> bool:
    """Return whether the reader of this address has complained about mail of any agency."""
    return BouncedAddress.objects.filter(email=email_key(address), complained=True).exists()


def unblock_unless_complained(address: str) -> None:
    """Unblock an address that a person says works, unless its reader has complained."""
    BouncedAddress.objects.filter(email=email_key(address), complained=False).delete()


def unblock_address(address: str) -> None:
    """Unblock an address on behalf of staff, whom its reader has asked."""
    BouncedAddress.objects.filter(email=email_key(address)).delete()


def unblock_bounced_before(before: datetime) -> int:
    """Unblock addresses that bounced before this time. Return their number. Complaints stay."""
    return BouncedAddress.objects.filter(at__lt=before, complained=False).delete()[0]


def mail_problem(account: Account) -> str:
    """Return why the owner's address gets no mail, who is asked instead and what to do, or an empty text if it gets
    mail."""
    reason = block_reasons([account.email]).get(email_key(account.email))
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


def _load_block_reasons(addresses: Collection[str]) -> dict[str, str | None]:
    return {**dict.fromkeys(addresses), **block_reasons(addresses)}


#: By address in canonical form, why it gets no mail; None if it gets mail.
BLOCK_REASONS: Lookup[str, str | None] = Lookup(_load_block_reasons, BouncedAddress)
