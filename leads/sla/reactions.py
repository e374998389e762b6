"""Start, move and stop response clocks because of what happened to leads, after the transactions in which it did."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.core.enums import EventType, ProviderSlug
from accounts.core.unit_of_work import UnitOfWork
from accounts.models import Event, Member, Reaction
from leads.enums import ENDED, OUTBOUND, ChangedBy, Direction, LeadStatus, StopReason, TaskKind
from leads.models import LeadChange, Task
from leads.pipeline.history import request_figures
from leads.sla.clocks import LeadClocks, Times, load_clocks
from leads.sla.responses import record_attempt, record_inbound, record_response

EVENTS = frozenset(
    {EventType.LEAD_CREATED, EventType.LEAD_STATUS_CHANGED, EventType.LEAD_ASSIGNED, EventType.TASK_DONE}
)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What happened to a lead: a message, a change of its status, or that it has another owner (`owner_id`)."""

    times: Times
    body: Mapping[str, Any]
    event_type: str = ""
    direction: str = ""
    owner_id: int | None = None
    user_id: int | None = None
    came_by_itself: bool = False

    @property
    def at(self) -> datetime:
        return self.times.at


def react_to_leads(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Carry out reactions of several leads. Those of erased leads have nothing to do."""
    loaded = load_clocks([reaction.subject for reaction in reactions], work)
    for reaction, occurrence in _occurrences(reactions):
        found = loaded.get(reaction.subject)
        if found is not None:
            _apply(found, occurrence)
            if reaction.event_id is None:
                request_figures(found.lead, work)


def _apply(found: LeadClocks, occurrence: Occurrence) -> None:
    if occurrence.event_type == EventType.LEAD_CREATED:
        if occurrence.came_by_itself:
            found.start_first_response(occurrence.times)
    elif occurrence.event_type == EventType.LEAD_STATUS_CHANGED:
        _apply_status(found, occurrence)
    elif occurrence.event_type == EventType.TASK_DONE:
        if occurrence.body.get("task_kind") == TaskKind.CALL:
            by = Task.objects.filter(pk=occurrence.body.get("task_id")).values_list("done_by", flat=True).first()
            record_response(found, occurrence.at, reason=StopReason.CALL, by=by)
    elif occurrence.direction == Direction.FROM_LEAD:
        record_inbound(found, occurrence.at)
        found.start_next_response(occurrence.times)
    elif occurrence.direction == Direction.FROM_PERSON:
        record_response(found, occurrence.at, reason=StopReason.MESSAGE, by=occurrence.user_id)
    elif occurrence.direction == Direction.FROM_AUTOMATION:
        record_attempt(found, occurrence.at)
    else:
        found.change_owner(occurrence.owner_id, occurrence.at)
        found.take_target_of_routing()


def _apply_status(found: LeadClocks, occurrence: Occurrence) -> None:
    status, before = occurrence.body.get("status"), occurrence.body.get("previous_status")
    if status == LeadStatus.REPLY_RECEIVED:
        record_inbound(found, occurrence.at)
        found.start_next_response(occurrence.times)
    elif status in OUTBOUND:
        record_attempt(found, occurrence.at)
    if status == LeadStatus.MESSAGE_SENT and occurrence.body.get("changed_by") == ChangedBy.USER:
        record_response(found, occurrence.at, reason=StopReason.MESSAGE)
    if found.lead.status in ENDED:
        found.stop(found.open, at=occurrence.at, reason=StopReason.CLOSED)
    elif status == LeadStatus.MEETING_BOOKED:
        found.stop(found.open, at=occurrence.at, reason=StopReason.MEETING_BOOKED)
    elif before in ENDED:
        found.start_next_response(occurrence.times)


def _occurrences(reactions: Sequence[Reaction]) -> Iterable[tuple[Reaction, Occurrence]]:
    """Yield what each reaction is about, with what has to be looked up for it. A copy of an event is about nothing."""
    events = Event.objects.in_bulk([reaction.event_id for reaction in reactions if reaction.event_id])
    received = _times_of_receipt(reactions, events)
    owners = [event.payload.get("assigned_to") for event in events.values() if event.payload.get("assigned_to")]
    users = dict(Member.objects.filter(pk__in=owners).values_list("pk", "user")) if owners else {}
    for reaction in reactions:
        event, facts = events.get(reaction.event_id or ""), reaction.facts
        if event is None:
            at = datetime.fromisoformat(facts["at"])
            times = _times(at, reaction.created_at, received.get((reaction.subject, facts.get("receipt_id"))))
            direction, user_id = facts.get("direction", ""), facts.get("user_id")
            yield reaction, Occurrence(times, {}, direction=direction, user_id=user_id)
        elif not event.recipient:
            times = _times(event.occurred_at, event.created_at, received.get((reaction.subject, event.receipt_id)))
            is_assignment = event.event_type == EventType.LEAD_ASSIGNED
            yield (
                reaction,
                Occurrence(
                    times,
                    event.payload,
                    event_type="" if is_assignment else event.event_type,
                    owner_id=users.get(event.payload.get("assigned_to")) if is_assignment else None,
                    came_by_itself=_came_by_itself(event),
                ),
            )


def _times_of_receipt(
    reactions: Sequence[Reaction], events: Mapping[str, Event]
) -> dict[tuple[str, str | None], datetime]:
    """Return when Leadline received the reports of these reactions, by lead and receipt."""
    receipts = {event.receipt_id for event in events.values()} | {one.facts.get("receipt_id") for one in reactions}
    rows = LeadChange.objects.filter(lead__in={reaction.subject for reaction in reactions})
    known = rows.filter(receipt_id__in=receipts - {"", None}, arrived_at__isnull=False)
    return {(lead, receipt): at for lead, receipt, at in known.values_list("lead", "receipt_id", "arrived_at") if at}


def _times(at: datetime, known_at: datetime, received_at: datetime | None) -> Times:
    received_at = received_at or known_at
    return Times(min(at, received_at), received_at, known_at)


def _came_by_itself(event: Event) -> bool:
    """Return whether the lead is somebody who asked, by a form or through the API, and not one whom a campaign writes
    to."""
    body = event.payload
    is_new = body.get("status") == LeadStatus.PENDING and not body.get("campaign_id")
    return body.get("provider") == ProviderSlug.LINKEDIN or (is_new and not event.receipt_id)
