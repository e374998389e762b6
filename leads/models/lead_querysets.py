"""Define the lists of leads that others start from."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils import timezone

from leads.enums import AWAITING_REPLY, ENDED

if TYPE_CHECKING:
    pass


class LeadQuerySet(models.QuerySet["Lead"]):
    def without_tests(self) -> "LeadQuerySet":
        """Exclude leads that were made to test a form. Reports, clocks and task lists never count them."""
        return self.filter(is_test=False)

    def with_clock(self, state: str) -> "LeadQuerySet":
        """Return the leads with an `open` clock, or with one that is `due_soon` or `overdue` now."""
        now = timezone.now()
        conditions = {
            "open": Q(response_due_at__isnull=False),
            "due_soon": Q(response_due_at__gt=now, response_warn_at__lte=now),
            "overdue": Q(response_due_at__lte=now),
            "urgent": Q(response_warn_at__lte=now),
        }
        return self.filter(conditions[state], response_due_at__isnull=False)

    def awaiting_reply(self) -> "LeadQuerySet":
        """Return the leads that answered, and are no test."""
        return self.without_tests().filter(status__in=AWAITING_REPLY)

    def open_leads(self) -> "LeadQuerySet":
        """Return the leads that somebody has to work on, without tests."""
        return self.without_tests().exclude(status__in=ENDED)


BaseLeadManager = models.Manager.from_queryset(LeadQuerySet)


class LeadManager(BaseLeadManager["Lead"]):
    """Exclude records that were merged into another lead, in every list, count and search."""

    def get_queryset(self) -> LeadQuerySet:
        return LeadQuerySet(self.model, using=self._db).filter(merged_into__isnull=True)
