"""Compute what reports count of leads from their history, and store it in one row for each lead."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from accounts.core.unit_of_work import AT_ONCE, UnitOfWork
from accounts.models import Reaction
from accounts.tenancy.calendars.lookup import usable_hours
from accounts.tenancy.localtime import get_zone
from leads.analytics import definitions
from leads.analytics.conversions import report_conversions
from leads.analytics.losses import Losses, load_losses
from leads.enums import LeadStatus
from leads.models import Lead, LeadFact, LeadStep, ResponseClock
from leads.pipeline.conversions import conversions_of, converted_at, reached_statuses
from leads.pipeline.merge import root_ids

COPIED = ("received_at", "lead_type", "form", "seniority", "industry", "status", "furthest_status", "is_test")
COPIED_KEYS = ("agency_id", "source_id", "campaign_id", "account_id", "assigned_to_id")
COLUMNS = [column.name for column in LeadFact._meta.concrete_fields if not column.primary_key]
Reached = Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class _History:
    """What is loaded of a batch of leads, each kind of rows at once."""

    reached: Mapping[str, Reached]
    clocks: Mapping[str, Sequence[ResponseClock]]
    losses: Losses
    earlier: Mapping[str, LeadFact]
    conversions: Mapping[str, Collection[str]]
    zones: dict[str, ZoneInfo] = field(default_factory=dict)

    def zone_of(self, lead: Lead) -> ZoneInfo:
        return self.zones.setdefault(lead.agency_id, get_zone(lead.agency.timezone))


def react_to_leads(reactions: Sequence[Reaction], work: UnitOfWork) -> None:
    """Compute anew what reports count of leads that changed, and report those that converted."""
    write_facts({reaction.subject for reaction in reactions}, work=work)


@transaction.atomic
def write_facts(lead_ids: Collection[str], *, work: UnitOfWork = AT_ONCE) -> int:
    """Lock leads, in the order in which all lock them, and store their facts. Return the number of leads.

    A merged record counts as the lead that it belongs to. Leads that converted within the last day are reported, once.
    """
    roots = root_ids(sorted(lead_ids))
    LeadFact.objects.filter(Q(lead__in=lead_ids) | Q(lead__merged_into__in={*roots, *roots.values()})).exclude(
        lead__merged_into__isnull=True
    ).delete()
    leads = list(
        Lead.objects.select_for_update(of=("self",))
        .select_related("agency", "account", "campaign")
        .filter(pk__in=set(roots.values()))
        .order_by("pk")
    )
    found = _load(leads)
    facts = [_fact_of(lead, found) for lead in leads]
    LeadFact.objects.bulk_create(facts, update_conflicts=True, unique_fields=["lead"], update_fields=COLUMNS)
    _store_steps(leads, found)
    report_conversions({lead.pk: lead for lead in leads}, facts, work)
    return len(leads)


def _load(leads: Sequence[Lead]) -> _History:
    pks = [lead.pk for lead in leads]
    clocks = defaultdict(list)
    rows = ResponseClock.objects.filter(lead__in=pks).select_related("calendar")
    for clock in rows.prefetch_related("calendar__exceptions"):
        clocks[clock.lead_id].append(clock)
    return _History(
        reached_statuses(pks),
        clocks,
        load_losses(leads),
        LeadFact.objects.in_bulk(pks),
        conversions_of({lead.agency_id for lead in leads}),
    )


def _fact_of(lead: Lead, found: _History) -> LeadFact:
    zone, reached = found.zone_of(lead), found.reached.get(lead.pk, {})
    received, lost = lead.received_at.astimezone(zone), definitions.lost_at(lead)
    clock = definitions.first_wait(found.clocks.get(lead.pk, ()))
    converted = converted_at(reached, found.conversions[lead.agency_id])
    replied = reached.get(LeadStatus.REPLY_RECEIVED)
    fact = LeadFact(
        lead=lead,
        **{name: getattr(lead, name) for name in (*COPIED, *COPIED_KEYS)},
        received_on=received.date(),
        received_hour=received.hour,
        received_weekday=received.weekday(),
        size_band=definitions.size_band(lead),
        state=lead.state_code or lead.state,
        invited_at=reached.get(LeadStatus.CONNECTION_SENT),
        accepted_at=reached.get(LeadStatus.CONNECTION_ACCEPTED),
        replied_at=replied,
        replied_on=_day(replied, zone),
        converted_at=converted,
        converted_on=_day(converted, zone),
        lost_at=lost,
        lost_on=_day(lost, zone),
        loss_cause=found.losses.cause_of(lead, clock, lost) if lost else "",
    )
    if clock is not None:
        _add_wait(fact, lead, clock, found.earlier.get(lead.pk))
    return fact


def _add_wait(fact: LeadFact, lead: Lead, clock: ResponseClock, earlier: LeadFact | None) -> None:
    """Set how long the lead waited for an attempt and for a response.

    What was counted once by the working hours of that time stays, whatever hours count since.
    """
    fact.asked_at, answered, attempt = clock.started_at, definitions.answered_at(clock), lead.first_attempt_at
    if answered is not None:
        fact.response_seconds = int(clock.elapsed_seconds or 0)
        fact.response_working_seconds = int(clock.working_seconds or 0)
    if attempt is None or attempt < clock.started_at:
        return
    fact.attempt_seconds = int((attempt - clock.started_at).total_seconds())
    if attempt == answered:
        fact.attempt_working_seconds = fact.response_working_seconds
    elif earlier and (earlier.asked_at, earlier.attempt_seconds) == (fact.asked_at, fact.attempt_seconds):
        fact.attempt_working_seconds = earlier.attempt_working_seconds
    else:
        hours = usable_hours(clock.calendar)
        fact.attempt_working_seconds = int(hours.seconds_between(clock.started_at, attempt))


def _store_steps(leads: Sequence[Lead], found: _History) -> None:
    """Store when each lead first had each status. Rows that say so already stay as they are."""
    rows = LeadStep.objects.filter(lead__in=leads)
    stored = {(row.lead_id, row.status): row for row in rows}
    wanted = [
        LeadStep(agency_id=lead.agency_id, lead=lead, status=status, reached_at=at, reached_on=day)
        for lead in leads
        for status, at in found.reached.get(lead.pk, {}).items()
        if (day := _day(at, found.zone_of(lead)))
    ]
    same = {key for step in wanted if (key := (step.lead_id, step.status)) in stored and _is_same(step, stored[key])}
    LeadStep.objects.filter(pk__in=[row.pk for key, row in stored.items() if key not in same]).delete()
    LeadStep.objects.bulk_create(step for step in wanted if (step.lead_id, step.status) not in same)


def _is_same(one: LeadStep, other: LeadStep) -> bool:
    return (one.reached_at, one.reached_on) == (other.reached_at, other.reached_on)


def _day(at: datetime | None, zone: ZoneInfo) -> date | None:
    return at.astimezone(zone).date() if at else None
