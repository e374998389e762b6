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
from accounts.events.ordering import MAX_ALERT_AGE, Origin
from accounts.models import Account, AccountReport, Event

MIN_LOSSES = 3
LOSS_WINDOW = timedelta(hours=1)
STABLE_AFTER = timedelta(minutes=30)
#: How often an account that keeps flapping is reported.
REPORT_INTERVAL = timedelta(days=1)
_MAX_CHANGES = 100  # changes to look back on


def record_flapping(account: Account, *, before: str, origin: Origin, work: UnitOfWork = AT_ONCE) -> None:
    """Record that an account flaps, if an applied report was one loss too many. The account must be locked."""
    if before != AccountStatus.ACTIVE or account.status in (AccountStatus.ACTIVE, AccountStatus.DELETED):
        return
    if origin.at < timezone.now() - MAX_ALERT_AGE:
        return
    losses = [at for at in work.look_up(RECENT_LOSSES, account.pk) if origin.at - LOSS_WINDOW < at <= origin.at]
    if len(losses) < MIN_LOSSES:
        return
    work.flush(Event)
    changes = _changes(account.pk).filter(occurred_at__lte=origin.at).values_list("occurred_at", flat=True)
    began = _unstable_since(changes[:_MAX_CHANGES])
    if not _flapping_events(since=max(began, origin.at - REPORT_INTERVAL)).filter(subject=account.id).exists():
        events.record_event(
            account.agency,
            EventType.LINKEDIN_FLAPPING,
            subject=account.id,
            occurred_at=origin.at,
            receipt_id=origin.receipt_id,
            work=work,
            **events.account_fields(account),
        )
        work.remember(REPORTED_LATELY, {account.pk: True})


def stable_at(account: Account, work: UnitOfWork = AT_ONCE) -> datetime | None:
    """Return when the locked account will be stable if nothing more happens, or None if it does not flap."""
    if not work.look_up(REPORTED_LATELY, account.pk):
        return None
    work.flush(Event)
    return flapping_until([account.pk], timezone.now()).get(account.pk)


def flapping_until(account_ids: Iterable[str], now: datetime) -> dict[str, datetime]:
    """Return the accounts that flap now, with the time at which each will be stable if nothing more happens."""
    found = {}
    reports = _flapping_events(since=now - REPORT_INTERVAL).filter(subject__in=set(account_ids)).order_by("id")
    for account_id, at in dict(reports.values_list("subject", "occurred_at")).items():
        changes = list(_changes(account_id).values_list("occurred_at", flat=True)[:_MAX_CHANGES])
        if changes and _unstable_since(changes) <= at and changes[0] + STABLE_AFTER > now:
            found[account_id] = changes[0] + STABLE_AFTER
    return found


def _changes(account_id: str) -> QuerySet[AccountReport]:
    """Return the changes of the account's status, latest first."""
    reports = AccountReport.objects.filter(account_id=account_id, applied=True).exclude(from_status="")
    return reports.exclude(from_status=F("to_status")).order_by("-id")


def _unstable_since(changes: Iterable[datetime]) -> datetime:
    """Return the first of the changes since which the account was never stable. `changes` has the latest first, at
    least one."""
    began, *earlier = changes
    for at in earlier:
        if began - at >= STABLE_AFTER:
            break
        began = min(began, at)
    return began


def _flapping_events(*, since: datetime) -> QuerySet[Event]:
    return Event.objects.filter(event_type=EventType.LINKEDIN_FLAPPING, occurred_at__gte=since)


def _load_reported_lately(account_ids: Collection[str]) -> dict[str, bool]:
    reports = _flapping_events(since=timezone.now() - REPORT_INTERVAL).filter(subject__in=account_ids)
    lately = set(reports.values_list("subject", flat=True))
    return {pk: pk in lately for pk in account_ids}


def _load_losses(account_ids: Collection[str]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {pk: [] for pk in account_ids}
    lost = AccountReport.objects.filter(account__in=account_ids, applied=True, from_status=AccountStatus.ACTIVE)
    lost = lost.exclude(to_status=AccountStatus.ACTIVE).filter(
        occurred_at__gt=timezone.now() - REPORT_INTERVAL - LOSS_WINDOW
    )
    for pk, at in lost.values_list("account", "occurred_at"):
        found[pk].append(at)
    return found


#: By account, whether it was reported lately that the account flaps.
REPORTED_LATELY: Lookup[str, bool] = Lookup(_load_reported_lately, Event)
#: By account, when it lost its connection lately.
RECENT_LOSSES: Lookup[str, list[datetime]] = Lookup(_load_losses, AccountReport)
