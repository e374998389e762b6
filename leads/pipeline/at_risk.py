"""Leads at risk: people who answered, and wait for somebody whose account has dropped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import Campaign
from leads.enums import LeadStatus
from leads.models import Lead

WAITING = (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY)
MAX_COUNT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRisk:
    """A lead that waits: since when, and whose it is (empty: nobody's)."""

    name: str
    status: LeadStatus
    since: datetime
    owner: str


def at_risk(account_ids: Collection[str], *, most: int = MAX_COUNT) -> Sequence[AtRisk]:
    """The leads of these accounts that wait for an answer, the longest first; one more than `most` if there are more.

    A lead is an account's by its own field or by its campaign's.
    """
    campaigns = Campaign.objects.filter(account__in=account_ids).values_list("pk", flat=True)
    theirs = Q(account__in=account_ids) | Q(campaign__in=list(campaigns))
    waiting = Lead.objects.real().filter(theirs, status__in=WAITING)
    leads = waiting.select_related("assigned_to").order_by("status_since")
    return [
        AtRisk(
            name=lead.display_name or "A lead without a name",
            status=LeadStatus(lead.status),
            since=lead.status_since,
            owner=(lead.assigned_to.get_full_name() or lead.assigned_to.get_username()) if lead.assigned_to else "",
        )
        for lead in leads[: most + 1]
    ]
