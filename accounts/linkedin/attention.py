"""Which accounts of an agency need somebody, and in what order."""

from datetime import timedelta
from typing import Any

from django.db.models import Case, DateTimeField, ExpressionWrapper, F, Q, QuerySet, Value, When
from django.utils import timezone

from accounts.core.enums import AccountStatus
from accounts.models import Account, Agency, Incident

NEEDS_ATTENTION = (
    AccountStatus.BLOCKED,
    AccountStatus.AUTH_ERROR,
    AccountStatus.DISCONNECTED,
    AccountStatus.INCOMPLETE,
)
_CENTURY = timedelta(days=36_500)


def needing_attention(agency: Agency) -> "QuerySet[Account]":
    """Return the accounts that do not work until somebody acts."""
    return agency.accounts.filter(status__in=NEEDS_ATTENTION)


def open_incidents(agency: Agency) -> "QuerySet[Incident]":
    """Return the agency's incidents that are not over."""
    return agency.incidents.filter(closed_at__isnull=True)


def by_urgency(accounts: "QuerySet[Account]") -> "QuerySet[Account]":
    """Annotate accounts with `urgency`, by which a list descends: those that need somebody, those at a limit, those
    that work, deleted ones; within each the latest change first.

    It is one time, which is a century later for each step up, so that a page by key continues after one value.
    """
    limited = Q(status=AccountStatus.ACTIVE, rate_limited_until__gt=timezone.now())
    return accounts.annotate(
        urgency=Case(
            When(status__in=NEEDS_ATTENTION, then=_later(3)),
            When(limited, then=_later(2)),
            When(status=AccountStatus.DELETED, then=F("status_since")),
            default=_later(1),
            output_field=DateTimeField(),
        )
    )


def _later(steps: int) -> Any:
    return ExpressionWrapper(F("status_since") + Value(steps * _CENTURY), output_field=DateTimeField())
