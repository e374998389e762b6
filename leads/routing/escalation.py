"""Hand overdue leads to somebody else where nobody answers for them: they have no owner, or the owner is away.

The first that answers wins: the member whom the target rule names, the pool that dealt the lead, the routing rules and
the catch-all pool, a manager. A lead that a person left to nobody stays theirs to decide about.
"""

from collections import defaultdict
from collections.abc import Sequence

from django.utils import timezone

from accounts.core.enums import Role
from accounts.core.unit_of_work import UnitOfWork
from accounts.models import Agency, Event, Member, Reaction
from leads.assignments import is_available, possible_assignees
from leads.enums import AssignmentReason
from leads.models import Assignment, Lead
from leads.pipeline.assigning import Decision
from leads.pipeline.merge import root_ids
from leads.routing.eligibility import open_leads_of
from leads.routing.router import Destination, Router
from leads.routing.service import lock_leads, take_away, was_taken_away

SUBSCRIBER = "escalation"
ESCALATED = Decision(AssignmentReason.ESCALATED)


def react_to_overdue(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Give overdue leads that nobody answers for to somebody who is there."""
    found = Event.objects.in_bulk([reaction.event_id for reaction in reactions if reaction.event_id])
    named = {event.subject: event.payload.get("escalated_to", "") for event in found.values() if not event.recipient}
    roots, by_agency = root_ids(list(named)), defaultdict(list)
    for lead in lock_leads(set(roots.values())):
        by_agency[lead.agency].append(lead)
    members = {roots[subject]: member for subject, member in named.items()}
    for agency, leads in by_agency.items():
        _escalate(agency, leads, members)


def _escalate(agency: Agency, leads: Sequence[Lead], members: dict[str, str]) -> None:
    router = Router(agency, timezone.now())
    destinations: list[tuple[Lead, Destination | None]] = []
    for lead in leads:
        owner = agency.members.select_related("user").filter(user=lead.assigned_to_id).first()
        is_answered = lead.response_due_at is None or lead.response_due_at > router.now
        if is_answered or (owner is not None and is_available(owner, router.now)):
            continue
        place = _destination(router, lead, owner, members[lead.pk])
        if place is not None:
            take_away(lead, router.mails.origin)
            destinations.append((lead, place))
    router.deliver(destinations)


def _destination(router: Router, lead: Lead, owner: Member | None, named: str) -> Destination | None:
    """Return where an overdue lead goes. None: it stays with whoever has it, or with nobody."""
    member = possible_assignees(router.agency).filter(pk=named).first() if named else None
    if member is not None and is_available(member, router.now):
        return Destination(ESCALATED, member=member)
    if was_taken_away(lead):
        return None
    row = Assignment.objects.filter(lead=lead).order_by("-pk").first()
    if row is not None and row.pool_id:
        decision = Decision(AssignmentReason.ESCALATED, rule=row.rule, rule_name=row.rule_name, version=row.version)
        return Destination(decision, pool_id=row.pool_id, avoid=frozenset([owner.pk] if owner else ()))
    place = router.destination(lead)
    if place is not None and not place.keeps:
        return place.because(AssignmentReason.ESCALATED)
    manager = _manager(router) if row is not None else None
    return Destination(ESCALATED, member=manager) if manager else None


def _manager(router: Router) -> Member | None:
    """Return the manager, else the owner of the agency, who is there and has the fewest open leads."""
    there = [one for one in possible_assignees(router.agency) if is_available(one, router.now)]
    open_leads = open_leads_of(router.agency, there)
    by_load = sorted(there, key=lambda one: (one.role != Role.MANAGER, open_leads.get(one.pk, 0), one.pk))
    return by_load[0] if by_load else None
