"""Which accounts of an agency need somebody."""

from django.db.models import QuerySet

from accounts.core.enums import AccountStatus
from accounts.models import Account, Agency

NEEDS_ATTENTION = (
    AccountStatus.BLOCKED,
    AccountStatus.AUTH_ERROR,
    AccountStatus.DISCONNECTED,
    AccountStatus.INCOMPLETE,
)


def needing_attention(agency: Agency) -> "QuerySet[Account]":
    """Return the accounts that do not work until somebody acts."""
    return agency.accounts.filter(status__in=NEEDS_ATTENTION)
