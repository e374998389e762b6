"""Play a lead's life: members who take turns, a clock that is put forward, an answer in SendPilot, a call, a meeting.

The members, their pool and their rule are there only meanwhile: nobody is routed the other leads of the day.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.enums import EventType as E
from accounts.core.enums import ProviderSlug, Role
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency, Event, Member
from accounts.tenancy.members import update_member
from accounts.tenancy.team import add_member, remove_member
from accounts.tenancy.verified_email import find_user_by_email, mark_email_verified
from config.demo.provider import compact, post, sign, webhook_url
from config.demo.runner import Runner, StepResult, wait_for
from leads.activities.tasks import create_task, finish_task
from leads.analytics.settings import choose_conversions
from leads.enums import ChangedBy, LeadStatus, TaskKind
from leads.models import Lead, ResponseClock, Task
from leads.pipeline.changes import set_status, update_lead
from leads.pipeline.conversions import conversions_of
from leads.routing.pools import create_pool, delete_pool
from leads.routing.rules import KIND
from leads.rules.service import create_rule, delete_rule

PEOPLE = (("Anna", "Adler"), ("Ben", "Brandt"))
POOL = "Anna and Ben (make demo)"
RULE = "Software (make demo)"
IN_SOFTWARE = {"field": "industry", "op": "equals", "value": "Software"}
TARGET_MINUTES = 15


@contextmanager
def people_who_take_turns(agency: Agency) -> Iterator[list[Member]]:
    """Have two members take turns at leads from the software industry, with fifteen minutes to answer, for a while.

    Meanwhile a booked meeting is a conversion, and nothing else.
    """
    conversions = conversions_of([agency.pk])[agency.pk]
    choose_conversions(agency, [LeadStatus.MEETING_BOOKED])
    members = [_make_member(agency, *names) for names in PEOPLE]
    pool = create_pool(agency, name=POOL, members=[{"member": member} for member in members])
    rule = create_rule(
        KIND, agency, name=RULE, conditions=IN_SOFTWARE, pool_id=pool.pk, target_minutes=TARGET_MINUTES, tags=["demo"]
    )
    try:
        yield members
    finally:
        choose_conversions(agency, conversions)
        delete_rule(KIND, rule)
        delete_pool(pool)
        for member in members:
            remove_member(member)


def _make_member(agency: Agency, first_name: str, last_name: str) -> Member:
    address = f"{first_name}.{last_name}@example.com".lower()
    user = find_user_by_email(address)
    if user is None:
        user = User.objects.create_user(address, address, first_name=first_name, last_name=last_name)
        mark_email_verified(user, address)
    known = agency.members.filter(user=user).first()
    return known or add_member(agency, user=user, role=Role.MANAGER)


@dataclass
class Life:
    """A lead whose life is played, and the events that were seen of it."""

    runner: Runner
    lead_id: str
    seen: set[str] = field(default_factory=set)
    results: list[StepResult] = field(default_factory=list)

    def step(self, provider: str, title: str, act: Callable[[], str], becomes: str, *events: E) -> None:
        """Do something, and check the events and the owner or status that must follow. `act` returns the answer."""
        result = StepResult(provider, title, link=f"/admin/leads/lead/{self.lead_id}/change/")
        result.answer = act()
        wanted = [event.value for event in events]
        wait_for(lambda: len(self._new()) >= len(wanted) and self._state() == becomes)
        found = self._new()
        self.runner.await_events(found, self._personal(), result)
        result.state = self._state()
        if sorted(result.events) != sorted(wanted) or result.state != becomes:  # reactions come in any order
            result.faults.append(f"{result.events} {result.state}, not {wanted} {becomes}")
        self.seen |= {event.pk for event in found}
        self.results.append(result)

    @property
    def lead(self) -> Lead:
        return Lead.objects.select_related("agency", "assigned_to").get(pk=self.lead_id)

    def _state(self) -> str:
        lead = self.lead
        return f"lead {lead.status} of {lead.assigned_to.get_full_name() if lead.assigned_to else 'nobody'}"

    def _new(self) -> list[Event]:
        events = Event.objects.filter(subject=self.lead_id, recipient="", channel_id="").exclude(pk__in=self.seen)
        return list(events.order_by("pk"))

    def _personal(self) -> list[str]:
        personal = Event.objects.filter(subject=self.lead_id).exclude(recipient="").exclude(pk__in=self.seen)
        ids = list(personal.values_list("pk", flat=True))
        self.seen |= set(ids)
        return ids


def play_lead_life(runner: Runner, lead_id: str, members: Sequence[Member], run: str) -> list[StepResult]:
    """Play what happens to a lead that has just come, and return what became of each step."""
    (anna, ben), changed = members, E.LEAD_STATUS_CHANGED
    came = Event.objects.filter(subject=lead_id, event_type=E.LEAD_CREATED)
    life = Life(runner, lead_id, seen=set(came.values_list("pk", flat=True)))
    is_annas = life.lead.assigned_to_id != ben.user_id  # whose turn it is
    first, second = (anna, ben) if is_annas else (ben, anna)
    name, other = first.user.get_full_name(), second.user.get_full_name()
    pending, sent = f"lead PENDING of {name}", f"lead MESSAGE_SENT of {other}"
    life.step("leadline", f"… routed: it is {name}'s turn", lambda: "", pending, E.LEAD_ASSIGNED, E.LEAD_HIGH_PRIORITY)
    life.step("leadline", "… ten minutes later", lambda: _put_forward(life, "warn"), pending, E.LEAD_DUE_SOON)

    def breach() -> str:
        update_member(first, paused_until=timezone.now() + timedelta(days=1))
        return _put_forward(life, "due")

    overdue = (E.LEAD_OVERDUE, E.LEAD_ASSIGNED)
    life.step("leadline", f"… overdue, and {name} is away", breach, f"lead PENDING of {other}", *overdue)
    title = f"… {other} answers in SendPilot"
    life.step(ProviderSlug.SENDPILOT, title, lambda: _answer(runner, life, run), sent, changed)
    life.step("people", "… plans a call", lambda: _plan_call(life, second), sent, E.TASK_CREATED)
    life.step("people", "… calls", lambda: _call(life, second), sent, E.TASK_DONE)

    for title, status, also in (
        ("… sees an opportunity", LeadStatus.OPPORTUNITY, (E.LEAD_OPPORTUNITY,)),
        ("… books a meeting", LeadStatus.MEETING_BOOKED, (E.LEAD_CONVERTED,)),
    ):
        judge = partial(_judge, life, status, second)
        life.step("people", title, judge, f"lead {status} of {other}", changed, *also)
    return life.results


def _put_forward(life: Life, what: str) -> str:
    """Put the lead's clock forward, to when it warns or is due."""
    now = timezone.now()
    clocks = ResponseClock.objects.filter(lead=life.lead_id, stopped_at__isnull=True)
    clocks.update(**{f"{what}_at": now, "next_attempt_at": now})
    Lead.objects.filter(pk=life.lead_id).update(**{f"response_{what}_at": now})
    return ""


def _answer(runner: Runner, life: Life, run: str) -> str:
    """Have somebody write by hand in SendPilot, to the profile that they looked up."""
    url = f"https://www.linkedin.com/in/kevin-okafor-{run}"
    update_lead(life.lead, changed_by=ChangedBy.USER, linkedin_url=url)
    source = runner.sources[ProviderSlug.SENDPILOT]
    payload = {
        "eventId": f"evt_life_{run}", "eventType": "message.sent", "timestamp": iso_timestamp(timezone.now()),
        "workspaceId": "ws_demo", "data": {"leadId": f"life-{run}", "linkedinUrl": url, "message": "Hello Kevin"},
    }  # fmt: skip
    answer = post(webhook_url(source, runner.base_url), *sign(source, compact(payload)))
    return str(answer.status_code)


def _judge(life: Life, status: LeadStatus, member: Member) -> str:
    set_status(life.lead, status=status, changed_by=ChangedBy.USER, by=member.user)
    return ""


def _plan_call(life: Life, member: Member) -> str:
    create_task(
        life.lead, kind=TaskKind.CALL, title="Call Kevin", due_in_working_minutes=120, assigned_to=member.user,
        by=member.user,
    )  # fmt: skip
    return ""


def _call(life: Life, member: Member) -> str:
    finish_task(Task.objects.get(lead=life.lead_id), outcome="Reached", by=member.user)
    return ""
