"""Find the leads that wait for an owner, and have them looked at again when something changed."""

from django.db import transaction
from django.db.models import QuerySet

from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import hasten
from accounts.models import Agency, Member
from accounts.tenancy.members import on_member_change
from leads.models import Pool, RoutingRule, WaitingLead


def has_routing(agency: Agency) -> bool:
    """Return whether the agency has anything that leads are routed by."""
    return Pool.objects.filter(agency=agency).exists() or RoutingRule.objects.filter(agency=agency).exists()


def look_again(agency: Agency) -> None:
    """Have the agency's waiting leads looked at now, because its pools, rules or members changed."""
    if hasten(WaitingLead.objects.filter(agency=agency, next_attempt_at__isnull=False)):
        transaction.on_commit(lambda: wake_up_jobs("receipts"), robust=True)


@on_member_change
def look_again_for(member: Member) -> None:
    """Have the waiting leads of a member's agency looked at, because the member may be able to take some."""
    look_again(member.agency)


def unrouted_leads(agency: Agency) -> QuerySet[WaitingLead]:
    """Return the leads that nobody has because nothing led anywhere, the longest waiting first."""
    waiting = WaitingLead.objects.filter(agency=agency, pool__isnull=True, lead__assigned_to__isnull=True)
    return waiting.order_by("since", "pk")
