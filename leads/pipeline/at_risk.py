"""List leads at risk: people who answered through an account that is disconnected."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts.models import Campaign
from leads.enums import LeadStatus
from leads.models import Lead

MAX_COUNT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadAtRisk:
    """Describe a lead that waits for an answer, since when, and its assignee's name (empty if there is none)."""

    name: str
    status: LeadStatus
    since: datetime
    owner: str


def leads_at_risk(account_ids: Collection[str], *, limit: int = MAX_COUNT) -> Sequence[LeadAtRisk]:
    """Return the leads of these accounts that wait for an answer, those that wait longest first.

    A lead belongs to an account by its own field or by its campaign's. Returns one more than `limit` if there are more.
    """
    campaigns = Campaign.objects.filter(account__in=account_ids).values_list("pk", flat=True)
    of_accounts = Q(account__in=account_ids) | Q(campaign__in=list(campaigns))
    waiting = Lead.objects.awaiting_reply().filter(of_accounts)
    leads = waiting.select_related("assigned_to").order_by("status_since")
    return [
        LeadAtRisk(
            name=lead.display_name or "A lead without a name",
            status=LeadStatus(lead.status),
            since=lead.status_since,
            owner=(lead.assigned_to.get_full_name() or lead.assigned_to.get_username()) if lead.assigned_to else "",
        )
        for lead in leads[: limit + 1]
    ]
