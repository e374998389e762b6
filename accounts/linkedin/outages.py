"""Drops: which accounts stopped working although nobody wanted it, written down in the transaction of the report.

What many of them together mean, and who is told, `incidents` decides a moment later.
"""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.core import unit_of_work
from accounts.core.enums import AccountStatus, IncidentCause, ProviderSlug
from accounts.events.ordering import Origin
from accounts.linkedin.advice import is_wanted
from accounts.models import Account, Drop, ReauthPrompt

#: How long after the prompt's page was open a change is expected: its owner is at it.
AT_IT = timedelta(minutes=15)
#: Without a repetition for so long, mere trouble is over.
QUIET = timedelta(minutes=15)
PROXY_ERROR = "PROXY_ERROR"


def expect(accounts: Collection[Account]) -> None:
    """Fetch what a batch of reports about these accounts will ask for."""
    standing = {drop.account_id: drop for drop in Drop.objects.filter(account__in=accounts, back_at__isnull=True)}
    unit_of_work.remember(Drop, {one.pk: standing.get(one.pk) for one in accounts})
    at_it = set(_at_it().filter(account__in=accounts).values_list("account", flat=True))
    unit_of_work.remember(ReauthPrompt, {("at it", one.pk): one.pk in at_it for one in accounts})


def follow(account: Account, *, origin: Origin) -> None:
    """Note that an account dropped or came back, after a report that changed its status; the account is locked."""
    if account.status == AccountStatus.ACTIVE:
        _end(account, _standing(account))
    elif account.status == AccountStatus.DELETED or is_wanted(account):
        mine = Drop.objects.filter(account=account)
        mine.filter(Q(back_at__isnull=True) | Q(incident__isnull=False)).update(back_at=timezone.now(), incident=None)
    else:
        _open(account, cause=_cause_of(account), expected=_is_expected(account, origin))


def trouble(account: Account, *, code: str) -> None:
    """Note an error that leaves the account, which is locked, as it is; only when many have it does it matter."""
    cause = IncidentCause.PROXY if code == PROXY_ERROR else IncidentCause.PROVIDER
    now = timezone.now()
    drop = _standing(account)
    if drop and drop.status == AccountStatus.ACTIVE and drop.last_at < now - QUIET:
        drop.watched = False
        unit_of_work.change(drop, "watched")
        _end(account, drop)
        drop = None
    if drop:
        drop.last_at = now
        unit_of_work.change(drop, "last_at")
    elif account.status == AccountStatus.ACTIVE:
        _open(account, cause=cause, expected=False)


def _standing(account: Account) -> Drop | None:
    return unit_of_work.recall(
        Drop, account.pk, lambda: Drop.objects.filter(account=account, back_at__isnull=True).first()
    )


def _end(account: Account, drop: Drop | None) -> None:
    if drop:
        drop.back_at = timezone.now()
        unit_of_work.change(drop, "back_at")
        unit_of_work.remember(Drop, {account.pk: None})


def _open(account: Account, *, cause: IncidentCause, expected: bool) -> None:
    now = timezone.now()
    drop = _standing(account)
    if drop and drop.status != AccountStatus.ACTIVE:  # down before, down otherwise now
        drop.status, drop.cause, drop.last_at = account.status, cause, now
        unit_of_work.change(drop, "status", "cause", "last_at")
        return
    _end(account, drop)  # trouble that became a drop
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
    unit_of_work.insert(drop)
    unit_of_work.forget(Drop, account.pk)


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
    return unit_of_work.recall(ReauthPrompt, ("at it", account.pk), lambda: _at_it().filter(account=account).exists())


def _at_it() -> QuerySet[ReauthPrompt]:
    return ReauthPrompt.objects.filter(viewed_at__gt=timezone.now() - AT_IT)
