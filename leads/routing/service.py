"""Route leads when they come, when what a rule asks for arrives later, and when people ask a pool."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.errors import FieldError
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import Origin
from accounts.models import Agency, Event, Reaction
from leads.enums import AssignmentReason, ChangedBy, LeadStatus
from leads.models import Assignment, Lead, Pool, WaitingLead
from leads.pipeline.assigning import Decision, end_assignments
from leads.pipeline.merge import root_ids
from leads.routing.router import Destination, Router
from leads.routing.waiting_list import has_routing

#: Reasons of assignments that Leadline may change while nobody has worked on the lead.
BY_ROUTING = frozenset(
    {AssignmentReason.SAME_COMPANY, AssignmentReason.RULE, AssignmentReason.CATCH_ALL, AssignmentReason.OVERFLOW}
)
#: Later than this after it was assigned a lead is not routed anew because of new fields.
REROUTE_TIME = timedelta(days=1)


def react_to_lead(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Route leads that were created, or whose fields arrived later."""
    roots = root_ids([reaction.subject for reaction in reactions])
    route_leads(set(roots.values()))


@transaction.atomic
def route_leads(lead_ids: Collection[str], *, reason: AssignmentReason | None = None) -> None:
    """Route those of the leads that nobody has, and those that routing assigned and nobody has worked on.

    Test leads are left out, and agencies without pools and rules.
    """
    by_agency: dict[Agency, list[Lead]] = defaultdict(list)
    for lead in lock_leads(lead_ids):
        by_agency[lead.agency].append(lead)
    for agency, leads in by_agency.items():
        if has_routing(agency):
            _route(agency, leads, reason)


def _route(agency: Agency, leads: Sequence[Lead], reason: AssignmentReason | None) -> None:
    router = Router(agency, timezone.now())
    destinations: list[tuple[Lead, Destination | None]] = []
    for lead in leads:
        if lead.assigned_to_id is None:
            if is_new(lead, router.now) and not was_taken_away(lead):
                destinations.append((lead, _because(router.destination(lead), reason)))
        elif (row := _open_routing_of(lead)) is not None:
            place = router.destination(lead)
            if place is not None and _leads_elsewhere(row, place):
                take_away(lead, router.mails.origin)
                destinations.append((lead, _because(place, reason)))
    router.deliver(destinations)


@transaction.atomic
def assign_by_pool(agency: Agency, lead_ids: Collection[str], *, pool: Pool, by: User | None = None) -> int:
    """Have a pool deal leads, whoever has them now, on behalf of a person. Return how many there are.

    Who has a lead does not get it again. A turn that is given back soon is returned. Raises FieldError if the pool is
    another agency's.
    """
    if pool.agency_id != agency.pk:
        raise FieldError("pool", "There is no such pool.")
    leads = [lead for lead in lock_leads(lead_ids, tests=True) if lead.agency_id == agency.pk]
    router = Router(agency, timezone.now(), by=by)
    origin = Origin(by=ChangedBy.USER if by else ChangedBy.API, at=router.now)
    destinations: list[tuple[Lead, Destination | None]] = []
    for lead in leads:
        owners = agency.members.filter(user=lead.assigned_to_id) if lead.assigned_to_id else agency.members.none()
        avoid = frozenset(owners.values_list("pk", flat=True))
        take_away(lead, origin)
        destinations.append((lead, Destination(Decision(AssignmentReason.POOL), pool_id=pool.pk, avoid=avoid)))
    router.deliver(destinations)
    return len(leads)


def take_away(lead: Lead, origin: Origin) -> None:
    """Leave a locked lead to nobody, until it is dealt in the same transaction or waits in a pool."""
    end_assignments(lead, origin)
    if lead.assigned_to_id is not None:
        lead.assigned_to = None
        lead.save(update_fields=["assigned_to", "updated_at"])


def lock_leads(lead_ids: Collection[str], *, tests: bool = False) -> list[Lead]:
    """Lock leads in the order in which everybody locks several. Leave out test leads, unless `tests`."""
    rows = Lead.objects.select_for_update(of=("self",)).select_related("agency", "campaign", "account")
    found = rows.filter(pk__in=list(lead_ids)).order_by("pk")
    return list(found if tests else found.filter(is_test=False))


def was_taken_away(lead: Lead) -> bool:
    """Return whether a person left the lead to nobody: their decision stays."""
    latest = Assignment.objects.filter(lead=lead).order_by("-pk").values_list("user", "reason").first()
    return latest is not None and latest[0] is None and latest[1] in {AssignmentReason.PERSON, AssignmentReason.API}


def _because(place: Destination | None, reason: AssignmentReason | None) -> Destination | None:
    return place.because(reason) if place and reason else place


def is_new(lead: Lead, now: datetime) -> bool:
    """Return whether a lead that nobody has may be routed: it waits already, or came lately.

    What a back-fill found from before was never announced, and stays as it is.
    """
    if now - lead.received_at <= REROUTE_TIME or WaitingLead.objects.filter(lead=lead).exists():
        return True
    announced = Event.objects.filter(subject=lead.pk, event_type=EventType.LEAD_CREATED)
    return now - lead.created_at <= REROUTE_TIME and announced.exists()


def _open_routing_of(lead: Lead) -> Assignment | None:
    """Return the assignment that routing made and that may still change. None: a person made it, or works on it."""
    row = Assignment.objects.current().filter(lead=lead).order_by("-pk").first()
    return None if row is None or row.reason not in BY_ROUTING or is_worked_on(lead, row) else row


def _leads_elsewhere(row: Assignment, place: Destination) -> bool:
    """Return whether routing would now decide otherwise."""
    if place.pool_id:
        return (row.first_pool or row.pool_id) != place.pool_id
    return place.member is not None and place.member.pk != row.member_id


def is_worked_on(lead: Lead, row: Assignment) -> bool:
    """Return whether anybody did something with the lead, or it has been theirs for long."""
    if lead.status != LeadStatus.PENDING or lead.first_response_at or timezone.now() - row.at > REROUTE_TIME:
        return True
    return lead.changes.filter(changed_by=ChangedBy.USER).exists()
