"""One person, several accounts: the same LinkedIn person connected at more than one provider."""

from collections.abc import Sequence

from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import Account
from accounts.vocabulary import AccountStatus

#: From best to worst.
SEVERITY = list(AccountStatus)


def linked_accounts(accounts: Sequence[Account]) -> dict[str, list[Account]]:
    """For each account (all of one agency) the agency's others with its e-mail or public identifier, by its id.

    Deleted ones are not counted: they have been replaced.
    """
    if not accounts:
        return {}
    emails = {account.email.lower() for account in accounts if account.email}
    names = {account.public_identifier.lower() for account in accounts if account.public_identifier}
    found = (
        Account.objects.filter(agency_id=accounts[0].agency_id)
        .exclude(status=AccountStatus.DELETED)
        .annotate(email_key=Lower("email"), name_key=Lower("public_identifier"))
        .filter(Q(email_key__in=emails) | Q(name_key__in=names))
        .order_by("-id")
    )
    others = list(found) if emails or names else []
    return {account.id: [other for other in others if _same_person(account, other)] for account in accounts}


def worst_status(account: Account, linked: Sequence[Account]) -> AccountStatus:
    """The worst status of an account and those linked to it."""
    return max((AccountStatus(one.status) for one in (account, *linked)), key=SEVERITY.index)


def _same_person(one: Account, other: Account) -> bool:
    if one.pk == other.pk:
        return False
    pairs = ((one.email, other.email), (one.public_identifier, other.public_identifier))
    return any(left and left.lower() == right.lower() for left, right in pairs)
