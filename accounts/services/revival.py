"""Revive deleted accounts on behalf of staff."""

from django.db import transaction
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account
from accounts.services.reports import report_status

STAFF = "staff"


class NotDeleted(ValueError):
    """Only a deleted account can be revived."""


@transaction.atomic
def revive(account: Account) -> Account:
    """Give a deleted account back the status it had before, on behalf of staff. Raises NotDeleted."""
    account = Account.objects.select_for_update(of=("self",)).select_related("agency", "sub_account").get(pk=account.pk)
    if account.status != AccountStatus.DELETED:
        raise NotDeleted(f"This account is {account.status_label}, not deleted.")
    deletions = account.reports.filter(applied=True, to_status=AccountStatus.DELETED)
    deletions = deletions.exclude(from_status__in=["", AccountStatus.DELETED]).order_by("-id")
    earlier = deletions.values_list("from_status", flat=True).first()
    return report_status(
        account.agency,
        provider=account.provider,
        identity=AccountIdentity(),
        status=AccountStatus(earlier or AccountStatus.DISCONNECTED),
        origin=Origin(by=STAFF, at=timezone.now()),
        account=account,
    )
