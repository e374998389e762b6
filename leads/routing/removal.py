"""Take the leads of a member who left or was deactivated away, and have their open leads routed anew.

Who left loses their places in pools and rules too. Who was deactivated keeps them, and is passed over.
"""

from django.db.models import QuerySet
from django.utils import timezone

from accounts.core.job_handlers import wake_up_jobs
from accounts.models import Agency, Member
from accounts.tenancy.members import on_member_deactivation
from accounts.tenancy.team import on_member_removal
from leads.enums import AssignmentReason
from leads.models import Assignment, Credit, Lead, Pool, PoolMember, RoutingRule, WaitingLead
from leads.routing.rules import disable_rules_without_target
from leads.routing.waiting_list import has_routing

LEFT = "Left the team"
BATCH = 1000


@on_member_deactivation
def release_leads(member: Member) -> None:
    """Unassign a member's leads, so that no page shows and no alert reaches somebody who is gone."""
    agency, now = member.agency, timezone.now()
    assigned = Lead.all_records.filter(agency=agency, assigned_to=member.user_id)
    if has_routing(agency):
        _route_anew(agency, Lead.objects.open_leads().filter(agency=agency, assigned_to=member.user_id))
    Assignment.objects.filter(member=member, ended_at__isnull=True).update(ended_at=now)
    assigned.update(assigned_to=None, updated_at=now)


@on_member_removal
def release_member(member: Member) -> None:
    """Unassign a removed member's leads, and take them out of pools and rules."""
    release_leads(member)
    RoutingRule.objects.filter(member=member).update(member=None)
    disable_rules_without_target(member.agency)
    for place in PoolMember.objects.filter(member=member).select_related("pool"):
        leave_pool(place, LEFT)


def leave_pool(place: PoolMember, reason: str) -> None:
    """Remove a member from a pool. What they were behind or ahead is written off, so that the figures still add up."""
    Pool.objects.select_for_update().get(pk=place.pool_id)
    place.refresh_from_db()
    if place.behind:
        Credit.objects.create(pool_id=place.pool_id, member=place.member, amount=-place.behind, reason=reason)
    place.delete()


def _route_anew(agency: Agency, leads: QuerySet[Lead]) -> None:
    rows = (
        WaitingLead(lead_id=pk, agency=agency, reason=AssignmentReason.OWNER_REMOVED)
        for pk in leads.values_list("pk", flat=True).iterator(chunk_size=BATCH)
    )
    WaitingLead.objects.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    wake_up_jobs("receipts")
