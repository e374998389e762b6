"""Look up what proves the cause of a loss: who had the lead, and how long its account was down."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.linkedin import uptime
from accounts.linkedin.uptime import Span
from leads.analytics import definitions
from leads.enums import LossCause
from leads.models import Assignment, Lead, ResponseClock


@dataclass(frozen=True, slots=True)
class Losses:
    """The owners of some lost leads, and the spans of their accounts."""

    first_owned_at: Mapping[str, datetime]
    spans: Mapping[str, Sequence[Span]]

    def cause_of(self, lead: Lead, clock: ResponseClock | None, lost: datetime) -> LossCause:
        """Return the cause of a loss."""
        owned = self.first_owned_at.get(lead.pk)
        spans = self.spans.get(lead.account_id or "", ())
        return definitions.loss_cause(
            clock,
            lost,
            had_owner=owned is not None and owned <= lost,
            seconds_down=uptime.seconds_down(spans, lead.received_at, lost) if lead.received_at < lost else 0.0,
        )


def load_losses(leads: Sequence[Lead]) -> Losses:
    """Load what proves the causes of those leads that are lost."""
    lost = [(lead, at) for lead in leads if (at := definitions.lost_at(lead)) is not None]
    owned: dict[str, datetime] = {}
    if lost:
        rows = Assignment.objects.filter(lead__in=[lead.pk for lead, _ in lost], user__isnull=False)
        for pk, at in rows.order_by("-at").values_list("lead", "at"):
            owned[pk] = at
    accounts = {lead.account for lead, _ in lost if lead.account}
    spans: dict[str, list[Span]] = defaultdict(list)
    if accounts:
        begin = min(lead.received_at for lead, _ in lost if lead.account)
        for span in uptime.account_spans(list(accounts), begin, max(at for _, at in lost)):
            spans[span.account_id].append(span)
    return Losses(owned, spans)
