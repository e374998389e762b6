"""Detect accounts that flap: they lose their connection, get it back and lose it again. Report this once, not each
time.

An account flaps from its third loss within an hour on. It is stable again when its status has not changed for half an
hour.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.core.enums import AccountStatus, EventType
from accounts.core.unit_of_work import AT_ONCE, Lookup, UnitOfWork
from accounts.events import outbox as events
from accounts.events.ordering import OLD, Origin
from accounts.models import Account, AccountReport, Event

LOSSES = 3
WITHIN = timedelta(hours=1)
SETTLED = timedelta(minutes=30)
#: How often an account that keeps flapping is reported.
AGAIN = timedelta(days=1)
_MOST = 100  # changes to look back on


def follow(account: Account, *, before: str, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Record that an account flaps, if an applied report was one loss too many. The account must be locked."""
    if before != AccountStatus.ACTIVE or account.status in (AccountStatus.ACTIVE, AccountStatus.DELETED):
        return
    if origin.at < timezone.now() - OLD:
        return
    losses = [at for at in work.look_up(RECENT_LOSSES, account.pk) if origin.at - WITHIN < at <= origin.at]
    if len(losses) < LOSSES:
        return
    work.flush(Event)
    changes = _changes(account.pk).filter(occurred_at__lte=origin.at).values_list("occurred_at", flat=True)
    began = _began(changes[:_MOST])
    if not _said(since=max(began, origin.at - AGAIN)).filter(subject=account.id).exists():
        events.record(
            account.agency,
            EventType.LINKEDIN_FLAPPING,
            subject=account.id,
            occurred_at=origin.at,
            receipt_id=origin.receipt_id,
            work=work,
            **events.account_fields(account),
        )
        work.remember(TOLD_LATELY, {account.pk: True})


def settles_at(account: Account, work: UnitOfWork = AT_ONCE) -> datetime | None:
    """Return when the locked account will be stable if nothing more happens, or None if it does not flap."""
    if not work.look_up(TOLD_LATELY, account.pk):
        return None
    work.flush(Event)
    return settling([account.pk], timezone.now()).get(account.pk)


def settling(account_ids: Iterable[str], now: datetime) -> dict[str, datetime]:
    """Return the accounts that flap now, with the time at which each will be stable if nothing more happens."""
    found = {}
    said = _said(since=now - AGAIN).filter(subject__in=set(account_ids)).order_by("id")
    for account_id, at in dict(said.values_list("subject", "occurred_at")).items():
        changes = list(_changes(account_id).values_list("occurred_at", flat=True)[:_MOST])
        if changes and _began(changes) <= at and changes[0] + SETTLED > now:
            found[account_id] = changes[0] + SETTLED
    return found


def _changes(account_id: str) -> QuerySet[AccountReport]:
    """Return the changes of the account's status, latest first."""
    reports = AccountReport.objects.filter(account_id=account_id, applied=True).exclude(from_status="")
    return reports.exclude(from_status=F("to_status")).order_by("-id")


def _began(changes: Iterable[datetime]) -> datetime:
    """Return the first of the changes since which the account was never stable. `changes` has the latest first, at
    least one."""
    began, *earlier = changes
    for at in earlier:
        if began - at >= SETTLED:
            break
        began = min(began, at)
    return began


def _said(*, since: datetime) -> QuerySet[Event]:
    return Event.objects.filter(event_type=EventType.LINKEDIN_FLAPPING, occurred_at__gte=since)


def _load_told(account_ids: Collection[str]) -> dict[str, bool]:
    told = _said(since=timezone.now() - AGAIN).filter(subject__in=account_ids)
    lately = set(told.values_list("subject", flat=True))
    return {pk: pk in lately for pk in account_ids}


def _load_losses(account_ids: Collection[str]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {pk: [] for pk in account_ids}
    lost = AccountReport.objects.filter(account__in=account_ids, applied=True, from_status=AccountStatus.ACTIVE)
    lost = lost.exclude(to_status=AccountStatus.ACTIVE).filter(occurred_at__gt=timezone.now() - AGAIN - WITHIN)
    for pk, at in lost.values_list("account", "occurred_at"):
        found[pk].append(at)
    return found


#: By account, whether it was reported lately that the account flaps.
TOLD_LATELY: Lookup[str, bool] = Lookup(_load_told, Event)
#: By account, when it lost its connection lately.
RECENT_LOSSES: Lookup[str, list[datetime]] = Lookup(_load_losses, AccountReport)
