"""Drops: which accounts stopped working although nobody wanted it, written down in the transaction of the report.

What many of them together mean, and who is told, `incidents` decides a moment later.
"""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.actions import is_wanted
from accounts.models import Account, Drop
from accounts.reports import Origin
from accounts.vocabulary import AccountStatus, IncidentCause, ProviderSlug

#: How long after the prompt's page was open a change is expected: its owner is at it.
AT_IT = timedelta(minutes=15)
#: Without a repetition for so long, mere trouble is over.
QUIET = timedelta(minutes=15)
PROXY_ERROR = "PROXY_ERROR"


def follow(account: Account, *, origin: Origin) -> None:
    """Note that an account dropped or came back, after a report that changed its status; the account is locked."""
    now = timezone.now()
    mine = Drop.objects.filter(account=account)
    if account.status == AccountStatus.ACTIVE:
        mine.filter(back_at__isnull=True).update(back_at=now)
    elif account.status == AccountStatus.DELETED or is_wanted(account):
        mine.filter(Q(back_at__isnull=True) | Q(incident__isnull=False)).update(back_at=now, incident=None)
    else:
        _open(account, cause=_cause_of(account), expected=_is_expected(account, origin))


def trouble(account: Account, *, code: str) -> None:
    """Note an error that leaves the account as it is; only when many have it does it matter."""
    cause = IncidentCause.PROXY if code == PROXY_ERROR else IncidentCause.PROVIDER
    now = timezone.now()
    open_one = Drop.objects.filter(account=account, back_at__isnull=True)
    open_one.filter(status=AccountStatus.ACTIVE, last_at__lt=now - QUIET).update(back_at=now, watched=False)
    seen_again = open_one.update(last_at=now)
    if not seen_again and account.status == AccountStatus.ACTIVE:
        _open(account, cause=cause, expected=False)


def _open(account: Account, *, cause: IncidentCause, expected: bool) -> None:
    now = timezone.now()
    open_one = Drop.objects.filter(account=account, back_at__isnull=True)
    if open_one.exclude(status=AccountStatus.ACTIVE).update(status=account.status, cause=cause, last_at=now):
        return  # down before, down otherwise now
    open_one.update(back_at=now)  # trouble that became a drop
    drop = Drop(
        account=account,
        agency_id=account.agency_id,
        provider=account.provider,
        status=account.status,
        cause=cause,
        expected=expected,
        at=now,
        last_at=now,
        watched=not expected,
    )
    Drop.objects.bulk_create([drop], ignore_conflicts=True)


def _cause_of(account: Account) -> IncidentCause:
    if "proxy" in account.status_reason.casefold():
        return IncidentCause.PROXY
    if account.status == AccountStatus.AUTH_ERROR:
        return IncidentCause.PASSWORD
    return IncidentCause.PROVIDER


def _is_expected(account: Account, origin: Origin) -> bool:
    """Whether a person made the change, or the account's owner had the prompt's page open."""
    if origin.by not in set(ProviderSlug):
        return True
    return account.prompts.filter(viewed_at__gt=timezone.now() - AT_IT).exists()
