"""How the team of a seeded agency works: hours, a pool, rules, response clocks, tasks and notes."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from accounts.core.enums import EventType
from accounts.events.ordering import Origin
from accounts.events.outbox import iso_timestamp
from accounts.models import Calendar, Member
from accounts.tenancy.calendars.parsing import DAYS, hours_of
from accounts.tenancy.calendars.service import create_calendar
from config.seeding import people
from config.seeding.happenings import Happening
from config.seeding.place import Place
from leads.enums import AssignmentReason, ChangedBy, ClockKind, LeadStatus, PassedOver, StopReason, TaskKind, TaskMaker
from leads.models import Assignment, Lead, LeadReference, Note, Pool, PoolMember, ResponseClock, Task
from leads.pipeline.history import add_history_row, record_event
from leads.routing.rules import KIND as ROUTING
from leads.routing.turns import Player, Streak, apply, next_by_turns
from leads.rules.service import create_rule
from leads.scoring.service import rules_for, score_leads
from leads.sequences.service import create_sequence
from leads.sequences.templates import create_template
from leads.sla.clocks import LeadClocks
from leads.sla.figures import plan
from leads.sla.target_kind import KIND as TARGETS

OFFICE = {day: [["09:00", "12:30"], ["13:00", "18:00"]] for day in DAYS[:5]}
TARGET_MINUTES, WARN_MINUTES = 60, 40
DECIDES = {"field": "seniority", "op": "in", "value": ["owner", "c_level", "vp"]}
NEVER = timedelta(days=3650)


@dataclass(slots=True)
class TeamWork:
    """Who takes turns, and by which hours answers are measured."""

    place: Place
    calendar: Calendar
    pool: Pool
    places: list[PoolMember]
    players: list[Player]
    streak: Streak = field(default_factory=Streak)

    def waits(self, lead: Lead, reference: LeadReference, at: datetime, *, is_answered: bool) -> list[Happening]:
        """Return what follows a reply: a clock that starts, an owner, perhaps an answer by them."""
        hours, random = hours_of(self.calendar), self.place.random
        seconds = random.choice((4, 9, 14, 22, 38, 55, 95, 240)) * 60 * random.uniform(0.6, 1.4)
        answered_at = hours.add(at, seconds) if is_answered else self.place.now + NEVER
        clock = self._clock(lead, at)
        assign = partial(self._assign, lead, reference, clock)
        happenings = [
            Happening(at + timedelta(seconds=2), assign, by=ChangedBy.AUTOMATION),
            Happening(answered_at, partial(self._answer, lead, clock), by=ChangedBy.USER),
        ]
        for event_type, when in ((EventType.LEAD_DUE_SOON, clock.warn_at), (EventType.LEAD_OVERDUE, clock.due_at)):
            if when < answered_at:
                alert = partial(self._alert, lead, reference, clock, event_type)
                happenings.append(Happening(when, alert, by=ChangedBy.AUTOMATION))
        return happenings

    def task(self, lead: Lead, reference: LeadReference, at: datetime) -> list[Happening]:
        """Return a call that is to be made within a working day, mostly made, and what was noted then."""
        random, hours = self.place.random, hours_of(self.calendar)
        due_at = hours.add(at, 8 * 3600)
        done_at = hours.add(at, random.uniform(0.3, 1.2) * 8 * 3600)
        task = Task(
            id=self.place.rows.new_id("tsk", at), agency=self.place.agency, lead=lead, kind=TaskKind.CALL,
            title=random.choice(people.TASKS), due_at=due_at, next_attempt_at=due_at, made_by=TaskMaker.PERSON,
            created_at=at, updated_at=at,
        )  # fmt: skip
        happenings = [Happening(at, partial(self._create_task, lead, reference, task), by=ChangedBy.USER)]
        is_done = random.random() < 0.85
        if is_done:
            finish = partial(self._finish_task, lead, reference, task)
            happenings.append(Happening(done_at, finish, by=ChangedBy.USER))
        if not is_done or done_at > due_at:
            overdue = partial(self._report_task, lead, reference, task)
            happenings.append(Happening(due_at, overdue, by=ChangedBy.USER))
        return happenings

    def _clock(self, lead: Lead, at: datetime) -> ResponseClock:
        clock = ResponseClock(
            agency=self.place.agency, lead=lead, kind=ClockKind.NEXT_RESPONSE, started_at=at, received_at=at,
            known_at=at + timedelta(seconds=1), target_seconds=TARGET_MINUTES * 60, warn_seconds=WARN_MINUTES * 60,
            period_started_at=at,
        )  # fmt: skip
        plan(clock, self.calendar, at)
        return clock

    def _assign(self, lead: Lead, reference: LeadReference, clock: ResponseClock, origin: Origin) -> None:
        """Start the clock, and give the lead to whose turn it is, unless somebody has it."""
        self.place.rows.add(clock)
        lead.response_warn_at, lead.response_due_at = clock.warn_at, clock.due_at
        turn = next_by_turns(self.players, self.streak)
        before = {player.key: player.behind for player in self.players}
        apply(turn, self.players, self.streak, origin.at)
        member = next(member for member in self.place.members if member.pk == turn.winner.key)
        for pool_member, player in zip(self.places, self.players, strict=True):
            pool_member.behind, pool_member.last_at = player.behind, player.last_at
            pool_member.received += player is turn.winner
        clock.owner, lead.assigned_to, lead.updated_at = member.user, member.user, origin.at
        row = Assignment(
            lead=lead, member=member, user=member.user, pool=self.pool, first_pool=self.pool.pk, at=origin.at,
            reason=AssignmentReason.CATCH_ALL, shares=dict(turn.shares),
            passed_over=[
                {"member": key, "why": PassedOver.TURN.value, "behind": behind + turn.shares[key], "open": 0}
                for key, behind in before.items() if key != turn.winner.key
            ],
        )  # fmt: skip
        self.place.rows.add(row)
        assignee, status = _assignee(member), LeadStatus(lead.status)
        add_history_row(
            *(lead, None, status, status, origin, ChangedBy.AUTOMATION), stated=False, applied=False, is_report=False,
            note=f"Assigned to {assignee['assigned_to_name']}.", assignee_id=member.user_id, work=self.place.rows,
        )  # fmt: skip
        self._record(lead, reference, EventType.LEAD_ASSIGNED, origin, **assignee)

    def _answer(self, lead: Lead, clock: ResponseClock, origin: Origin) -> None:
        at, owner = origin.at, clock.owner_id
        lead.first_attempt_at = lead.first_response_at = lead.first_response_at or at
        lead.first_contact_at, lead.last_response_at, lead.updated_at = lead.first_contact_at or at, at, at
        LeadClocks(lead, [clock], self.place.rows).stop([clock], at=at, reason=StopReason.MESSAGE, by=owner)

    def _alert(
        self, lead: Lead, reference: LeadReference, clock: ResponseClock, event_type: EventType, origin: Origin
    ) -> None:
        """Record that an answer is due soon, or overdue, as the worker would."""
        if event_type == EventType.LEAD_OVERDUE:
            clock.alerted_at, clock.breached, clock.next_attempt_at = origin.at, True, None
        else:
            clock.warned_at, clock.next_attempt_at = origin.at, clock.due_at
        fields = {"clock": clock.kind, "due_at": iso_timestamp(clock.due_at), **self._owner_of(lead)}
        self._record(lead, reference, event_type, origin, **fields)

    def _create_task(self, lead: Lead, reference: LeadReference, task: Task, origin: Origin) -> None:
        task.assigned_to = task.created_by = lead.assigned_to
        self.place.rows.add(task)
        self._record_task(lead, reference, task, EventType.TASK_CREATED, origin)

    def _report_task(self, lead: Lead, reference: LeadReference, task: Task, origin: Origin) -> None:
        task.alerted_at, task.next_attempt_at = origin.at, None
        self._record_task(lead, reference, task, EventType.TASK_OVERDUE, origin)

    def _finish_task(self, lead: Lead, reference: LeadReference, task: Task, origin: Origin) -> None:
        task.done_at, task.done_by, task.next_attempt_at, task.updated_at = origin.at, lead.assigned_to, None, origin.at
        task.outcome = self.place.random.choice(people.OUTCOMES)
        self._record_task(lead, reference, task, EventType.TASK_DONE, origin)
        note_id = self.place.rows.new_id("not", origin.at)
        text = self.place.random.choice(people.NOTES)
        times = {"created_at": origin.at, "updated_at": origin.at}
        note = Note(id=note_id, agency=self.place.agency, lead=lead, author=lead.assigned_to, text=text, **times)
        self.place.rows.add(note)

    def _record_task(
        self, lead: Lead, reference: LeadReference, task: Task, event_type: EventType, origin: Origin
    ) -> None:
        fields = {"task_id": task.pk, "task_kind": task.kind, "task_title": task.title, "outcome": task.outcome}
        due_at = iso_timestamp(task.due_at)
        self._record(lead, reference, event_type, origin, **fields, due_at=due_at, **self._owner_of(lead))

    def _record(
        self, lead: Lead, reference: LeadReference, event_type: EventType, origin: Origin, **fields: str
    ) -> None:
        rows, external_id = self.place.rows, reference.external_id
        record_event(lead, event_type, origin=origin, work=rows, lead_external_id=external_id, **fields)

    def _owner_of(self, lead: Lead) -> dict[str, str]:
        owners = (member for member in self.place.members if member.user_id == lead.assigned_to_id)
        return next((_assignee(member) for member in owners), {})

    def close(self) -> None:
        """Save the pool's figures, and score the leads, once they are there."""
        PoolMember.objects.bulk_update(self.places, ["behind", "received", "last_at"])
        ids = list(self.place.agency.leads.values_list("pk", flat=True))
        score_leads(ids, now=self.place.now, may_report=False)


def make_team_work(place: Place) -> TeamWork:
    """Make the working hours, the pool and the rules of an agency."""
    with place.rows.play():
        calendar = create_calendar(place.agency, name="Office", timezone=place.agency.timezone, week=OFFICE)
        pool = Pool.objects.create(agency=place.agency, name="Sales", is_catch_all=True, hold=True, respects_hours=True)
        places = [PoolMember.objects.create(pool=pool, member=member) for member in place.members[:3]]
        everybody: dict[str, Any] = {"name": "Everybody", "conditions": {}, "minutes": TARGET_MINUTES}
        create_rule(TARGETS, place.agency, by=None, warn_minutes=WARN_MINUTES, **everybody)
        decides: dict[str, Any] = {"name": "Decision-makers", "conditions": DECIDES, "tags": ["decision-maker"]}
        create_rule(ROUTING, place.agency, by=None, pool_id=pool.pk, target_minutes=TARGET_MINUTES, **decides)
        rules_for(place.agency)
        _make_sequence(place)
    calendar = Calendar.objects.prefetch_related("exceptions").get(pk=calendar.pk)
    players = [Player(member.member_id, member.weight) for member in places]
    return TeamWork(place, calendar, pool, places, players)


def _make_sequence(place: Place) -> None:
    """Make templates, and a sequence of them. It is off: the agency has no address that e-mails come from yet."""
    made = {
        name: create_template(place.agency, name=name, channel=channel, subject=subject, text=text)
        for name, channel, subject, text in people.TEMPLATES
    }
    mails = [{"kind": "email", "template": made[name].pk} for name in ("First e-mail", "Second e-mail")]
    steps: list[dict[str, Any]] = [
        {**mails[0], "window": {"from": "09:00", "to": "17:00"}},
        {**mails[1], "delay": 3, "window": {"from": "09:00", "to": "17:00"}},
        {"kind": "phone_task", "delay": 2, "note": "Call {{ name }} about the example"},
    ]
    trigger = {"kind": "status_reached", "status": LeadStatus.CONNECTION_ACCEPTED}
    create_sequence(place.agency, name="After connecting", trigger=trigger, steps=steps)


def _assignee(member: Member) -> dict[str, str]:
    name = member.user.get_full_name() or member.user.get_username()
    return {"assigned_to": member.pk, "assigned_to_name": name}
