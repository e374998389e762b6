"""Count how far leads came: the one definition of acceptance, replies and conversion.

A lead counts by the furthest status that it ever had (`Lead.furthest_status`), so that one that is done still counts as
what it was before. What a conversion is, `leads.analytics.definitions` says.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import Agency
from leads.enums import REPLIED, LeadStatus
from leads.models import LeadFact

ACCEPTED = (LeadStatus.CONNECTION_ACCEPTED, LeadStatus.MESSAGE_SENT, *REPLIED)
INVITED = (LeadStatus.CONNECTION_SENT, *ACCEPTED)
STAGES = {"invited": INVITED, "accepted": ACCEPTED, "replied": REPLIED}
CONVERTED = "converted"


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many leads there are, and how many of them were invited, accepted, replied and converted."""

    leads: int = 0
    invited: int = 0
    accepted: int = 0
    replied: int = 0
    converted: int = 0

    @property
    def stages(self) -> list[tuple[str, int]]:
        """Return the number of leads that came at least so far, stage by stage."""
        return [
            (_("All leads"), self.leads),
            (_("Invited"), self.invited),
            (_("Accepted"), self.accepted),
            (_("Replied"), self.replied),
            (_("Converted"), self.converted),
        ]

    @property
    def acceptance(self) -> float | None:
        """Return the share of invited people who accepted."""
        return _share(self.accepted, self.invited)

    @property
    def reply_rate(self) -> float | None:
        """Return the share of people who accepted that replied."""
        return _share(self.replied, self.accepted)

    @property
    def conversion(self) -> float | None:
        """Return the share of all leads that converted."""
        return _share(self.converted, self.leads)


def outcomes_by_campaign(
    agency: Agency,
    campaign_ids: Collection[str] | None = None,
    *,
    received: tuple[datetime, datetime] | None = None,
) -> dict[str, Outcomes]:
    """Return the outcomes of an agency's campaigns, or of some of them. Test leads never count.

    With `received` only leads count that came between these times. Without, one statement reads nothing but an index.
    """
    leads = LeadFact.objects.filter(agency=agency, is_test=False)
    leads = leads.filter(campaign__isnull=False) if campaign_ids is None else leads.filter(campaign__in=campaign_ids)
    if received:
        leads = leads.filter(received_at__gte=received[0], received_at__lt=received[1])
    # Counted by status here, for a count with conditions compares each lead's status with those of every stage.
    found: dict[str, Counter[str]] = defaultdict(Counter)
    rows = (
        leads.order_by().values("campaign", "furthest_status").annotate(n=Count("*"), converted=Count("converted_at"))
    )
    for campaign, status, number, converted in rows.values_list("campaign", "furthest_status", "n", "converted"):
        found[campaign][CONVERTED] += converted
        found[campaign][status] += number - converted
    return {campaign: _outcomes(numbers) for campaign, numbers in found.items()}


def _outcomes(numbers: Mapping[str, int]) -> Outcomes:
    """Return the outcomes of so many leads by their furthest status. Who converted has come through all stages."""
    converted = numbers.get(CONVERTED, 0)
    stages = {name: converted + sum(numbers.get(status, 0) for status in statuses) for name, statuses in STAGES.items()}
    return Outcomes(leads=sum(numbers.values()), converted=converted, **stages)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
