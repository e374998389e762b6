"""Enrol leads by themselves: when they come, reach a status, or get a tag."""

from collections.abc import Collection
from collections.abc import Sequence as Rows

import structlog
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.jobs import hasten
from accounts.core.unit_of_work import UnitOfWork
from accounts.events.outbox import record_event
from accounts.models import Agency, Event, Reaction
from leads.conditions.compiler import Condition
from leads.conditions.errors import ConditionError
from leads.conditions.fields import LeadValues
from leads.conditions.target_lists import compile_for
from leads.enums import EnrolmentState, TriggerKind
from leads.models import Enrolment, Lead, Sequence, SequenceVersion
from leads.models.sequences import OPEN_STATES
from leads.pipeline.merge import root_ids
from leads.sequences.advancing import confirm_ended
from leads.sequences.contacts import stop_reason
from leads.sequences.enrolments import end_enrolment, enrol_by_trigger, lock_lead, open_enrolment_of

log = structlog.get_logger(__name__)


def react_to_leads(reactions: Rows[Reaction], work: UnitOfWork) -> None:
    """Stop the sequences of leads that answered or were closed, go on after tasks, and enrol by triggers."""
    for lead_id in _concerned(set(root_ids([reaction.subject for reaction in reactions]).values())):
        try:
            lead = lock_lead(lead_id)
        except Lead.DoesNotExist:
            continue
        _react(lead)


def _concerned(lead_ids: Collection[str]) -> list[str]:
    """Return those of the leads that are in a sequence, or whose agency has one that is switched on, in the order of
    locking."""
    enrolled = set(Enrolment.objects.filter(lead__in=lead_ids, state__in=OPEN_STATES).values_list("lead", flat=True))
    active = Sequence.objects.filter(active_since__isnull=False, agency=OuterRef("agency"))
    return sorted(enrolled | set(Lead.objects.filter(Exists(active), pk__in=lead_ids).values_list("pk", flat=True)))


def _react(lead: Lead) -> None:
    enrolment = open_enrolment_of(lead)
    if enrolment is not None and (reason := stop_reason(lead, enrolment)) is not None:
        end_enrolment(enrolment, lead, reason)
    elif enrolment is not None:
        confirm_ended(lead)
        hasten(Enrolment.objects.filter(pk=enrolment.pk, state=EnrolmentState.ACTIVE, due_at__lte=timezone.now()))
    elif not lead.is_test:
        for sequence, kind, condition in _triggered_sequences(lead):
            if condition.matches(LeadValues(lead)) and enrol_by_trigger(lead, sequence, kind) is not None:
                return


def _triggered_sequences(lead: Lead) -> list[tuple[Sequence, TriggerKind, Condition]]:
    """Return the active sequences whose trigger the lead meets, oldest first."""
    found = []
    active = Sequence.objects.filter(agency=lead.agency_id, active_since__isnull=False).order_by("pk")
    for sequence in active.select_related("agency"):
        version = SequenceVersion.objects.get(sequence=sequence, number=sequence.version)
        kind = TriggerKind(version.trigger["kind"])
        if not _meets(lead, sequence, kind, version.trigger):
            continue
        try:
            found.append((sequence, kind, compile_for(sequence.agency, version.trigger["conditions"])))
        except ConditionError as error:
            switch_off(sequence.agency, sequence, str(error))
    return found


def _meets(lead: Lead, sequence: Sequence, kind: TriggerKind, trigger: dict[str, str]) -> bool:
    since = sequence.active_since or timezone.now()
    if kind is TriggerKind.CREATED:
        # What a back-fill or an import found was never announced, and starts nothing.
        announced = Event.objects.filter(subject=lead.pk, event_type=EventType.LEAD_CREATED)
        return lead.created_at >= since and not lead.details_pending and announced.exists()
    if kind is TriggerKind.STATUS:
        reached = lead.changes.filter(new_status=trigger["status"], applied=True, occurred_at__gte=since)
        return reached.exists()
    return kind is TriggerKind.TAG and trigger["tag"].casefold() in {str(tag).casefold() for tag in lead.tags}


def switch_off(agency: Agency, sequence: Sequence, reason: str) -> None:
    """Switch a sequence off whose conditions cannot be compiled any more, and alert the agency."""
    switched = Sequence.objects.filter(pk=sequence.pk, active_since__isnull=False)
    if not switched.update(active_since=None, disabled_reason=reason[:500]):
        return
    log.warning("sequence_disabled", sequence=sequence.pk)
    record_event(
        agency,
        EventType.RULE_DISABLED,
        subject=sequence.pk,
        rule_id=sequence.pk,
        rule_name=sequence.name,
        rule_kind="sequence",
        error_detail=reason,
    )
