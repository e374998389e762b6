"""Plan open clocks anew when their agency's working hours change, or their owner leaves."""

from collections.abc import Sequence

from django.utils import timezone

from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.events.reactions import request_reaction
from accounts.models import Agency, Calendar, Member, Reaction
from accounts.tenancy.calendars.lookup import count_usage, on_hours_change
from accounts.tenancy.members import on_member_change, on_member_deactivation
from accounts.tenancy.team import on_member_removal
from leads.models import ResponseClock
from leads.pipeline.history import request_unassignment_reaction
from leads.sla.clocks import load_clocks

SUBSCRIBER = "clock plans"
BATCH = 200


@on_hours_change
def request_replanning(agency: Agency) -> None:
    """Have the agency's open clocks planned anew shortly."""
    if ResponseClock.objects.filter(agency=agency, stopped_at__isnull=True).exists():
        request_reaction(SUBSCRIBER, subject=agency.pk, facts={"after": 0}, work=AT_ONCE)


@on_member_change
def replan_for(member: Member) -> None:
    """Have open clocks planned anew when a member gets other working hours."""
    request_replanning(member.agency)


@count_usage
def clocks_of(calendar: Calendar) -> int:
    """Return how many open clocks count by a calendar."""
    return ResponseClock.objects.filter(agency=calendar.agency_id, calendar=calendar, stopped_at__isnull=True).count()


@on_member_deactivation
@on_member_removal
def give_up_clocks(member: Member) -> None:
    """Take the open clocks of a member who left or was deactivated from them."""
    clocks = ResponseClock.objects.filter(agency=member.agency_id, owner=member.user_id, stopped_at__isnull=True)
    for clock in clocks.select_related("lead"):
        request_unassignment_reaction(clock.lead, timezone.now())


def react_to_hours(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Plan the next open clocks of each agency anew, in the order of their keys, and request the rest."""
    for reaction in reactions:
        clocks = ResponseClock.objects.filter(agency=reaction.subject, stopped_at__isnull=True)
        batch = list(clocks.filter(pk__gt=reaction.facts["after"]).order_by("pk").values_list("pk", "lead")[:BATCH])
        for found in load_clocks([lead_id for _, lead_id in batch], work).values():
            found.replan()
        if len(batch) == BATCH:
            request_reaction(SUBSCRIBER, subject=reaction.subject, facts={"after": batch[-1][0]}, work=work)
