"""Store outages, which are accounts that stopped working unasked, in the transaction of the report.

An outage has the provider's time at which it happened. `incidents` decides shortly afterwards which outages belong
together and who is alerted.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from accounts.core.enums import AccountStatus, IncidentCause, ProviderSlug
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events.ordering import MAX_ALERT_AGE, PROVIDER_CLOCK_SKEW, Origin
from accounts.linkedin.advice import is_deliberate
from accounts.models import Account, Outage, ReauthPrompt

#: How long a change is expected after the owner used the prompt's page.
PAGE_USE_WINDOW = timedelta(minutes=15)
#: How far a provider's clock may be behind Leadline's.
#: How long after its last repetition a problem is over.
PROBLEM_TIMEOUT = timedelta(minutes=15)
PROXY_ERROR = "PROXY_ERROR"


def update_outage(account: Account, *, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Open or end the outage of an account after a report that changed its status. The account must be locked."""
    at = min(origin.at, timezone.now())
    if account.status == AccountStatus.ACTIVE:
        _end_outage(account, work.look_up(OPEN_OUTAGES, account.pk), at=at, work=work)
    elif account.status == AccountStatus.DELETED or is_deliberate(account):
        work.bypass(Outage)
        outages = Outage.objects.filter(account=account)
        outages.filter(Q(back_at__isnull=True) | Q(incident__isnull=False)).update(back_at=at, incident=None)
    else:
        _open_outage(account, cause=_cause_of(account), expected=_is_expected(account, origin, work), at=at, work=work)


def record_problem(account: Account, *, code: str, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Store an error that does not change the status of the locked account. It matters only if many accounts have
    it."""
    cause = IncidentCause.PROXY if code == PROXY_ERROR else IncidentCause.PROVIDER
    at = min(origin.at, timezone.now())
    outage = work.look_up(OPEN_OUTAGES, account.pk)
    if outage and outage.status == AccountStatus.ACTIVE and outage.last_at < at - PROBLEM_TIMEOUT:
        outage.pending = False
        work.update(outage, "pending")
        _end_outage(account, outage, at=at, work=work)
        outage = None
    if outage:
        outage.last_at = max(outage.last_at, at)
        work.update(outage, "last_at")
    elif account.status == AccountStatus.ACTIVE:
        _open_outage(account, cause=cause, expected=False, at=at, work=work)


def _end_outage(account: Account, outage: Outage | None, *, at: datetime, work: UnitOfWork) -> None:
    if outage:
        outage.back_at = max(outage.at, at)
        work.update(outage, "back_at")
        work.remember(OPEN_OUTAGES, {account.pk: None})


def _open_outage(account: Account, *, cause: IncidentCause, expected: bool, at: datetime, work: UnitOfWork) -> None:
    outage = work.look_up(OPEN_OUTAGES, account.pk)
    if outage and outage.status != AccountStatus.ACTIVE:  # down before, down in another way now
        outage.status, outage.cause, outage.last_at = account.status, cause, at
        work.update(outage, "status", "cause", "last_at")
        return
    _end_outage(account, outage, at=at, work=work)  # a problem that became an outage
    outage = Outage(
        account=account,
        agency_id=account.agency_id,
        provider=account.provider,
        status=account.status,
        cause=cause,
        expected=expected,
        at=at,
        last_at=at,
        pending=not expected and at > timezone.now() - MAX_ALERT_AGE,
    )
    work.add(outage)
    work.forget(OPEN_OUTAGES, account.pk)  # because its key comes from the database


def _cause_of(account: Account) -> IncidentCause:
    if "proxy" in account.status_reason.casefold():
        return IncidentCause.PROXY
    if account.status == AccountStatus.AUTH_ERROR:
        return IncidentCause.PASSWORD
    return IncidentCause.PROVIDER


def _is_expected(account: Account, origin: Origin, work: UnitOfWork) -> bool:
    """Return whether a person made the change, or the owner was using the prompt's page when it happened."""
    if origin.by not in set(ProviderSlug):
        return True
    return any(
        at - PROVIDER_CLOCK_SKEW <= origin.at < at + PAGE_USE_WINDOW for at in work.look_up(PAGE_USES, account.pk)
    )


def _load_open_outages(account_ids: Collection[str]) -> dict[str, Outage | None]:
    found: dict[str, Outage | None] = dict.fromkeys(account_ids)
    for outage in Outage.objects.filter(account__in=account_ids, back_at__isnull=True):
        found[outage.account_id] = outage
    return found


def _load_page_uses(account_ids: Collection[str]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {pk: [] for pk in account_ids}
    lately = timezone.now() - PAGE_USE_WINDOW - MAX_ALERT_AGE
    prompts = ReauthPrompt.objects.filter(account__in=account_ids, viewed_at__gt=lately)
    for pk, at in prompts.values_list("account", "viewed_at"):
        if at is not None:
            found[pk].append(at)
    return found


#: By account, the outage that has not ended.
OPEN_OUTAGES: Lookup[str, Outage | None] = Lookup(_load_open_outages, Outage)
#: By account, when the pages of its prompts were used lately.
PAGE_USES: Lookup[str, list[datetime]] = Lookup(_load_page_uses, ReauthPrompt)
