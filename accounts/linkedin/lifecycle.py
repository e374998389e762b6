"""Measure how long an account was in each status, and how long its returns to `active` took."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.models import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long an account was in each status, and how long each return to `active` took after leaving it."""

    in_status: dict[AccountStatus, timedelta]
    to_reconnect: tuple[timedelta, ...]


def status_durations(account: Account, *, until: datetime | None = None) -> Durations:
    """Measure an account's history up to `until` (now). A deletion ends an outage without a reconnection."""
    in_status: defaultdict[AccountStatus, timedelta] = defaultdict(timedelta)
    to_reconnect: list[timedelta] = []
    left_active: datetime | None = None
    status, since = "", account.created_at
    changes = account.reports.filter(applied=True).order_by("id").values_list("to_status", "occurred_at")
    for after, at in changes.iterator():
        if after == status:
            continue
        if status:
            in_status[AccountStatus(status)] += at - since
        if after == AccountStatus.ACTIVE and left_active:
            to_reconnect.append(at - left_active)
        if status == AccountStatus.ACTIVE:
            left_active = at
        if after in (AccountStatus.ACTIVE, AccountStatus.DELETED):
            left_active = None
        status, since = after, at
    if status:
        in_status[AccountStatus(status)] += max(timedelta(0), (until or timezone.now()) - since)
    return Durations(in_status=dict(in_status), to_reconnect=tuple(to_reconnect))
