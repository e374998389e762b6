"""Deal the leads that wait: in a pool until somebody can take them, and those that nobody has."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.core.jobs import CRASHED, Backoff, claim_due, fail
from leads.enums import AssignmentReason
from leads.models import Lead, RoutingRule, WaitingLead
from leads.pipeline.assigning import Decision
from leads.routing.router import Destination, Router
from leads.routing.service import lock_leads

BATCH = 100
LEASE = timedelta(minutes=2)
BACKOFF = Backoff([timedelta(minutes=minutes) for minutes in (1, 10, 60)])


def deal_due(limit: int = BATCH) -> int:
    """Deal up to `limit` leads that are due, those of one agency together. Return how many were attempted."""
    with claim_due(WaitingLead.objects.all(), limit=limit, lease=LEASE) as claimed:
        by_agency: dict[str, list[WaitingLead]] = defaultdict(list)
        for row in claimed:
            if BACKOFF.allows(row.attempts):
                by_agency[row.agency_id].append(row)
            else:
                fail(row, CRASHED)
        for rows in by_agency.values():
            _deal(rows)
    return len(claimed)


@transaction.atomic
def _deal(rows: Sequence[WaitingLead]) -> None:
    """Deal leads of one agency. What still waits gets its next time; the rows of others go."""
    leads = {lead.pk: lead for lead in lock_leads([row.lead_id for row in rows]) if lead.assigned_to_id is None}
    WaitingLead.objects.filter(pk__in=[row.pk for row in rows if row.pk not in leads]).delete()
    present = [(row, leads[row.pk]) for row in rows if row.pk in leads]
    if present:
        router = Router(present[0][1].agency, timezone.now())
        router.deliver([(lead, _destination(router, lead, row)) for row, lead in present])


def _destination(router: Router, lead: Lead, row: WaitingLead) -> Destination | None:
    """Return where a waiting lead leads: its pool, or what the rules say by now."""
    if row.pool_id:
        rule = next((one.rule for one in router.rules.rules if one.rule.pk == row.rule), None)
        place = router.destination_of(rule) if isinstance(rule, RoutingRule) else None
        held = place.decision if place else Decision(AssignmentReason(row.reason), rule=row.rule)
        return Destination(replace(held, reason=AssignmentReason(row.reason)), pool_id=row.pool_id)
    place = router.destination(lead)
    is_removal = row.reason == AssignmentReason.OWNER_REMOVED
    return place.because(AssignmentReason.OWNER_REMOVED) if place and is_removal else place
