"""Outages: which accounts stopped working although nobody wanted it, written down in the transaction of the report.

An outage has the time at which it happened, by the provider's word. What many of them together mean, and who is told,
`incidents` decides a moment later.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.core import unit_of_work
from accounts.core.enums import AccountStatus, IncidentCause, ProviderSlug
from accounts.events.ordering import OLD, Origin
from accounts.linkedin.advice import is_wanted
from accounts.models import Account, Outage, ReauthPrompt

#: How long after the prompt's page was used a change is expected: the account's owner is at it.
AT_IT = timedelta(minutes=15)
#: How far a provider's clock may be behind ours.
SKEW = timedelta(minutes=1)
#: Without a repetition for so long, mere trouble is over.
QUIET = timedelta(minutes=15)
PROXY_ERROR = "PROXY_ERROR"


def expect(accounts: Collection[Account]) -> None:
    """Fetch what a batch of reports about these accounts will ask for."""
    standing = {
        outage.account_id: outage for outage in Outage.objects.filter(account__in=accounts, back_at__isnull=True)
    }
    unit_of_work.remember(Outage, {one.pk: standing.get(one.pk) for one in accounts})
    used: dict[str, list[datetime]] = {one.pk: [] for one in accounts}
    for pk, at in _uses(accounts):
        used[pk].append(at)
    unit_of_work.remember(ReauthPrompt, {("used", pk): times for pk, times in used.items()})


def follow(account: Account, *, origin: Origin) -> None:
    """Note that an account dropped or came back, after a report that changed its status; the account is locked."""
    at = min(origin.at, timezone.now())
    if account.status == AccountStatus.ACTIVE:
        _end(account, _standing(account), at=at)
    elif account.status == AccountStatus.DELETED or is_wanted(account):
        mine = Outage.objects.filter(account=account)
        mine.filter(Q(back_at__isnull=True) | Q(incident__isnull=False)).update(back_at=at, incident=None)
    else:
        _open(account, cause=_cause_of(account), expected=_is_expected(account, origin), at=at)


def trouble(account: Account, *, code: str, origin: Origin) -> None:
    """Note an error that leaves the account, which is locked, as it is; only when many have it does it matter."""
    cause = IncidentCause.PROXY if code == PROXY_ERROR else IncidentCause.PROVIDER
    at = min(origin.at, timezone.now())
    outage = _standing(account)
    if outage and outage.status == AccountStatus.ACTIVE and outage.last_at < at - QUIET:
        outage.pending = False
        unit_of_work.change(outage, "pending")
        _end(account, outage, at=at)
        outage = None
    if outage:
        outage.last_at = max(outage.last_at, at)
        unit_of_work.change(outage, "last_at")
    elif account.status == AccountStatus.ACTIVE:
        _open(account, cause=cause, expected=False, at=at)


def _standing(account: Account) -> Outage | None:
    return unit_of_work.recall(
        Outage, account.pk, lambda: Outage.objects.filter(account=account, back_at__isnull=True).first()
    )


def _end(account: Account, outage: Outage | None, *, at: datetime) -> None:
    if outage:
        outage.back_at = max(outage.at, at)
        unit_of_work.change(outage, "back_at")
        unit_of_work.remember(Outage, {account.pk: None})


def _open(account: Account, *, cause: IncidentCause, expected: bool, at: datetime) -> None:
    outage = _standing(account)
    if outage and outage.status != AccountStatus.ACTIVE:  # down before, down otherwise now
        outage.status, outage.cause, outage.last_at = account.status, cause, at
        unit_of_work.change(outage, "status", "cause", "last_at")
        return
    _end(account, outage, at=at)  # trouble that became an outage
    outage = Outage(
        account=account,
        agency_id=account.agency_id,
        provider=account.provider,
        status=account.status,
        cause=cause,
        expected=expected,
        at=at,
        last_at=at,
        pending=not expected and at > timezone.now() - OLD,
    )
    unit_of_work.insert(outage)
    unit_of_work.forget(Outage, account.pk)


def _cause_of(account: Account) -> IncidentCause:
    if "proxy" in account.status_reason.casefold():
        return IncidentCause.PROXY
    if account.status == AccountStatus.AUTH_ERROR:
        return IncidentCause.PASSWORD
    return IncidentCause.PROVIDER


def _is_expected(account: Account, origin: Origin) -> bool:
    """Whether a person made the change, or the account's owner was using the prompt's page when it happened."""
    if origin.by not in set(ProviderSlug):
        return True
    used = unit_of_work.recall(ReauthPrompt, ("used", account.pk), lambda: [at for _, at in _uses([account])])
    return any(at - SKEW <= origin.at < at + AT_IT for at in used)


def _uses(accounts: Collection[Account]) -> list[tuple[str, datetime]]:
    """Return for each prompt of the accounts that was used lately its account's id and when that was."""
    lately = timezone.now() - AT_IT - OLD
    prompts = ReauthPrompt.objects.filter(account__in=accounts, viewed_at__gt=lately)
    return [(pk, at) for pk, at in prompts.values_list("account", "viewed_at") if at is not None]
