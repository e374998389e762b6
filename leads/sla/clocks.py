"""Start, move and stop the response clocks of leads, of which a batch is loaded and locked together."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from accounts.core.unit_of_work import UnitOfWork
from accounts.events.ordering import MAX_ALERT_AGE
from accounts.models import Calendar
from accounts.tenancy.calendars.lookup import calendar_for, usable_hours
from leads.enums import ENDED, ClockKind, LeadStatus, SegmentKind, StopReason
from leads.models import Lead, ResponseClock
from leads.pipeline.merge import root_ids
from leads.sla.figures import PLAN_FIELDS, WARN_SHARE, plan, segments_until, working_seconds
from leads.sla.targets import Targets, targets_by_routing

PERIOD_FIELDS = ("owner", "period_started_at", "spent_seconds")
START_FIELDS = ("started_at", "received_at", "known_at")
TARGET_FIELDS = ("target_seconds", "warn_seconds")
END_FIELDS = (
    *("stopped_at", "stop_reason", "stopped_by", "breached", "elapsed_seconds", "working_seconds"),
    *("next_attempt_at", "error"),
)


class Times(NamedTuple):
    """When something happened, when Leadline received it, and when Leadline showed it to the agency."""

    at: datetime
    received_at: datetime
    known_at: datetime


class Calendars:
    """The calendars that count for the people of agencies, each loaded once."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, int | None], Calendar | None] = {}

    def of(self, agency_id: str, user_id: int | None) -> Calendar | None:
        key = (agency_id, user_id)
        if key not in self._found:
            self._found[key] = calendar_for(*key)
        return self._found[key]


@dataclass(eq=False)
class LeadClocks:
    """A locked lead with all of its clocks. What changes is written by the unit of work."""

    lead: Lead
    clocks: list[ResponseClock]
    work: UnitOfWork
    calendars: Calendars = field(default_factory=Calendars)
    targets: Targets = field(default_factory=Targets)

    @property
    def open(self) -> list[ResponseClock]:
        return [clock for clock in self.clocks if clock.is_open]

    def start_first_response(self, times: Times) -> None:
        """Start the clock of a lead that came by itself. Later submissions of an answered lead start `next_response`.

        Back-filled leads, tests, and what is reported a day late start none.
        """
        if self.lead.recovered or not self._starts_clocks(times):
            return
        if any(clock.kind == ClockKind.FIRST_RESPONSE for clock in self.clocks):
            self.start_next_response(times)
        elif self.lead.first_response_at is None:
            self._start(ClockKind.FIRST_RESPONSE, times)

    def start_next_response(self, times: Times) -> None:
        """Start the clock of a lead that wrote, or whose pursuit begins anew, unless it waits already.

        A message that was reported late and has its answer is measured until that answer.
        """
        running = {clock.kind: clock for clock in self.open}
        if not self._starts_clocks(times) or ClockKind.FIRST_RESPONSE in running:
            return
        latest = self.lead.last_response_at
        answered_at = latest if latest and latest >= times.at else None
        if ClockKind.NEXT_RESPONSE in running:
            if times.at < running[ClockKind.NEXT_RESPONSE].started_at and answered_at is None:
                self._move_start(running[ClockKind.NEXT_RESPONSE], times)
        elif answered_at is None:
            self._start(ClockKind.NEXT_RESPONSE, times)
        elif not any(clock.started_at <= times.at <= (clock.stopped_at or times.at) for clock in self.clocks):
            clock = self._start(ClockKind.NEXT_RESPONSE, times, now=True)  # its parts name its key
            self.stop([clock], at=answered_at, reason=StopReason.MESSAGE)

    def stop(self, clocks: Sequence[ResponseClock], *, at: datetime, reason: StopReason, by: int | None = None) -> None:
        """Stop open clocks, with their figures frozen. `by` is the user who answered."""
        for clock in clocks:
            ended = max(min(at, timezone.now()), clock.started_at)
            if ended < clock.period_started_at:
                self._rewind(clock, ended)
            for segment in segments_until(clock, ended):
                self.work.add(segment)
            clock.elapsed_seconds = (ended - clock.started_at).total_seconds()
            clock.working_seconds = working_seconds(clock, ended)
            clock.breached = ended > clock.due_at
            clock.stopped_at, clock.stop_reason, clock.stopped_by_id = ended, reason, by
            clock.next_attempt_at, clock.error = None, ""
            self.work.update(clock, *END_FIELDS, *PERIOD_FIELDS)
        self._show_due()

    def change_owner(self, owner_id: int | None, at: datetime) -> None:
        """Give the open clocks to another user, or to nobody. What was worked so far stays spent."""
        for clock in self.open:
            if clock.owner_id == owner_id:
                continue
            since = max(min(at, timezone.now()), clock.period_started_at)
            if since > clock.started_at:
                for segment in segments_until(clock, since):
                    self.work.add(segment)
                clock.spent_seconds, clock.period_started_at = working_seconds(clock, since), since
            clock.owner_id = owner_id
            self._plan(clock, *PERIOD_FIELDS)

    def take_target_of_routing(self) -> None:
        """Give the open clock of the first response the target of the routing rule that assigned the lead, if any."""
        minutes = self.targets.by_routing.get(self.lead.pk)
        for clock in self.open:
            if clock.kind == ClockKind.FIRST_RESPONSE and minutes and clock.target_seconds != minutes * 60:
                clock.target_seconds, clock.warn_seconds = minutes * 60, round(minutes * 60 * WARN_SHARE)
                self._plan(clock, *TARGET_FIELDS)

    def reopen(self, clock: ResponseClock) -> None:
        """Let a clock that a merge stopped run again, as if it had never stopped."""
        clock.segments.all().delete()
        clock.stopped_at, clock.stop_reason, clock.stopped_by_id, clock.goes_on_in = None, "", None, None
        clock.elapsed_seconds, clock.working_seconds = None, None
        clock.owner_id, clock.period_started_at, clock.spent_seconds = self.lead.assigned_to_id, clock.started_at, 0.0
        self._plan(clock, *END_FIELDS, *PERIOD_FIELDS, "goes_on_in")

    def replan(self) -> None:
        """Plan those open clocks anew that were planned by other working hours than count for their owners now."""
        for clock in self.open:
            if is_outdated(clock, self.calendars.of(clock.agency_id, clock.owner_id)):
                self._plan(clock)

    def _starts_clocks(self, times: Times) -> bool:
        """Return whether somebody has to answer the lead at all."""
        is_history = timezone.now() - times.at > MAX_ALERT_AGE
        return not self.lead.is_test and not is_history and LeadStatus(self.lead.status) not in ENDED

    def _start(self, kind: ClockKind, times: Times, *, now: bool = False) -> ResponseClock:
        lead, target = self.lead, self.targets.of(self.lead, kind)
        started_at = min(times.at, times.received_at)
        clock = ResponseClock(
            agency_id=lead.agency_id,
            lead=lead,
            kind=kind,
            started_at=started_at,
            received_at=times.received_at,
            known_at=max(times.known_at, times.received_at),
            target_seconds=target.seconds,
            warn_seconds=target.warn_seconds,
            escalate_to_id=target.escalate_to_id,
            owner_id=lead.assigned_to_id,
            period_started_at=started_at,
        )
        plan(clock, self.calendars.of(lead.agency_id, lead.assigned_to_id), timezone.now())
        self.work.add(clock, now=now)
        self.clocks.append(clock)
        self._show_due()
        return clock

    def _move_start(self, clock: ResponseClock, times: Times) -> None:
        """Let a running clock start with an earlier message that was reported after the later one."""
        if clock.period_started_at == clock.started_at:
            clock.period_started_at = times.at
        clock.started_at, clock.received_at, clock.known_at = times
        self._plan(clock, *START_FIELDS, *PERIOD_FIELDS)

    def _plan(self, clock: ResponseClock, *changed: str) -> None:
        plan(clock, self.calendars.of(clock.agency_id, clock.owner_id), timezone.now())
        self.work.update(clock, *PLAN_FIELDS, *changed)
        self._show_due()

    def _show_due(self) -> None:
        """Store on the lead when its first open clock warns and is due, for lists."""
        first = min(self.open, key=lambda clock: clock.due_at, default=None)
        warn_at, due_at = (first.warn_at, first.due_at) if first else (None, None)
        if (warn_at, due_at) != (self.lead.response_warn_at, self.lead.response_due_at):
            self.lead.response_warn_at, self.lead.response_due_at = warn_at, due_at
            self.work.update(self.lead, "response_warn_at", "response_due_at")

    def _rewind(self, clock: ResponseClock, at: datetime) -> None:
        """Make the owner's period that ran at a time the running one, for an answer that was reported late."""
        self.work.bypass()
        periods = clock.segments.filter(kind__in=(SegmentKind.WAITING, SegmentKind.PERSON))
        later = periods.filter(ended_at__gt=at)
        first = later.order_by("started_at").values_list("started_at", "owner").first()
        since, clock.owner_id = first or (at, clock.owner_id)
        if periods.filter(ended_at__lte=at).exists():
            later.delete()
            clock.period_started_at = since
            clock.spent_seconds = usable_hours(clock.calendar).seconds_between(clock.started_at, since)
        else:
            clock.segments.all().delete()
            clock.period_started_at, clock.spent_seconds = clock.started_at, 0.0


def is_outdated(clock: ResponseClock, calendar: Calendar | None) -> bool:
    """Return whether the clock was planned by other working hours than those of the calendar."""
    planned_by = (clock.calendar_id, clock.calendar_version)
    return planned_by != ((calendar.pk, calendar.version) if calendar else (None, None))


def load_clocks(lead_ids: Collection[str], work: UnitOfWork) -> dict[str, LeadClocks]:
    """Lock these leads, or the roots that they were merged into, with their clocks, by the ids that are given.

    Erased leads are left out.
    """
    rows = Lead.all_records.select_for_update(of=("self",)).select_related("agency")
    found = {lead.pk: lead for lead in rows.filter(pk__in=set(lead_ids)).order_by("pk")}
    merged = root_ids([lead.pk for lead in found.values() if lead.merged_into_id])
    if merged:
        found |= {lead.pk: lead for lead in rows.filter(pk__in=set(merged.values())).order_by("pk")}
    roots = {pk: found[merged.get(pk, pk)] for pk in found if merged.get(pk, pk) in found}
    clocks_of = defaultdict(list)
    clocks = ResponseClock.objects.select_for_update(of=("self",)).select_related("calendar")
    root_pks = {lead.pk for lead in roots.values()}
    for clock in clocks.filter(lead__in=root_pks).prefetch_related("calendar__exceptions").order_by("pk"):
        clocks_of[clock.lead_id].append(clock)
    calendars, targets = Calendars(), Targets(targets_by_routing(root_pks))
    made = {pk: LeadClocks(found[pk], clocks_of[pk], work, calendars, targets) for pk in root_pks}
    return {pk: made[lead.pk] for pk, lead in roots.items()}


def clocks_of_lead(lead_id: str, work: UnitOfWork) -> LeadClocks:
    """Lock one lead with its clocks. Raises Lead.DoesNotExist if it was erased."""
    found = load_clocks([lead_id], work).get(lead_id)
    if found is None:
        raise Lead.DoesNotExist
    return found
