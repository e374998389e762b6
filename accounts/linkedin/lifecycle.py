"""Over an account's life: how a deleted one comes back, and how long it was in which status."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import Sighting
from accounts.models import Account
from accounts.services import report_status

STAFF = "staff"


class NotDeleted(ValueError):
    """Only a deleted account can be revived."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long an account was in each status, and how long each return to `active` took after leaving it."""

    in_status: dict[AccountStatus, timedelta]
    to_reconnect: tuple[timedelta, ...]


@transaction.atomic
def revive(account: Account) -> Account:
    """Bring a deleted account back, on behalf of staff, to the status it had before. Raises NotDeleted."""
    account = Account.objects.select_for_update(of=("self",)).select_related("agency", "sub_account").get(pk=account.pk)
    if account.status != AccountStatus.DELETED:
        raise NotDeleted(f"This account is {account.status_label}, not deleted.")
    deletions = account.reports.filter(applied=True, to_status=AccountStatus.DELETED)
    deletions = deletions.exclude(from_status__in=["", AccountStatus.DELETED]).order_by("-id")
    earlier = deletions.values_list("from_status", flat=True).first()
    return report_status(
        account.agency,
        provider=account.provider,
        sighting=Sighting(),
        status=AccountStatus(earlier or AccountStatus.DISCONNECTED),
        origin=Origin(by=STAFF, at=timezone.now()),
        account=account,
    )


def durations(account: Account, *, until: datetime | None = None) -> Durations:
    """From the account's history, up to `until` (now). What a deletion interrupts is no reconnection."""
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
