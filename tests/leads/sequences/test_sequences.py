"""A sequence from the enrolment to its end: what is sent when, and what stops it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from accounts.core.errors import FieldError, StateError
from accounts.events.ordering import Origin
from accounts.models import Agency, Campaign, Event
from leads.activities.tasks import delete_task, finish_task
from leads.enums import ChangedBy, LeadStatus
from leads.models import Enrolment, Lead, LeadReference, OutboundEmail, Sequence, StepRun, Task
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.pipeline.merge import merge_leads
from leads.pipeline.unmerge import unmerge
from leads.privacy.erasure import erase_lead
from leads.sequences import outbox
from leads.sequences.advancing import advance_due
from leads.sequences.enrolments import enrol, pause_enrolment, resume_enrolment, stop_enrolment
from leads.sequences.figures import figures_of
from leads.sequences.opt_outs import opt_out
from leads.sequences.outbox import send_again
from leads.sequences.senders import set_sender, verify_address
from leads.sequences.service import create_sequence, move_enrolments, planned_moves, update_sequence
from leads.sequences.templates import create_template, update_template
from tests.leads.sequences.world import make_sequence, only_enrolment, reply, report, sent, work

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TWO_MAILS = ({"email": "First"}, {"email": "Second", "delay": 2})


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def lead(clock: time_machine.Traveller, agency: Agency) -> Lead:
    return create_lead(agency, name="Grace Hopper", email="grace@example.com", company="Acme")


def now(by: str = "welink") -> Origin:
    return Origin(by=by, at=timezone.now())


def pass_days(clock: time_machine.Traveller, days: float) -> None:
    clock.shift(timedelta(days=days))
    work()


def test_mails_leave_in_their_order_and_the_agency_is_told_at_the_end(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency, *TWO_MAILS))
    work()
    assert sent() == ["First"]
    pass_days(clock, 1.9)
    assert sent() == ["First"]
    pass_days(clock, 0.2)
    assert sent() == ["First", "Second"]
    enrolment = only_enrolment()
    assert (enrolment.state, enrolment.reason) == ("finished", "completed")
    event = Event.objects.get(event_type="sequence_finished")
    assert (event.subject, event.payload["end_reason"]) == (lead.pk, "completed")
    first = mail.outbox[0]
    assert (first.from_email, first.to) == ("Ada of Northwind <ada@northwind.example.com>", ["grace@example.com"])
    assert first.body.startswith("Hello Grace")
    assert first.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    pass_days(clock, 30)
    assert len(sent()) == 2


def test_a_status_that_is_reached_puts_the_mail_into_the_outbox_at_once(agency: Agency, lead: Lead) -> None:
    make_sequence(agency, {"email": "Connected"}, trigger={"kind": "status_reached", "status": "CONNECTION_ACCEPTED"})
    report(lead, LeadStatus.CONNECTION_ACCEPTED, now())
    work()
    assert sent() == ["Connected"]
    report(lead, LeadStatus.CONNECTION_ACCEPTED, now())
    work()
    assert sent() == ["Connected"]


def test_the_brake_holds_a_mail_in_the_outbox_for_a_day_after_any_automations_message(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    make_sequence(agency, {"email": "Connected"}, trigger={"kind": "status_reached", "status": "CONNECTION_ACCEPTED"})
    report(lead, LeadStatus.CONNECTION_SENT, now())
    clock.shift(timedelta(hours=5))
    report(lead, LeadStatus.CONNECTION_ACCEPTED, now())
    work()
    email = OutboundEmail.objects.get()
    assert (sent(), email.state, email.next_attempt_at) == ([], "waiting", MONDAY + DAY)
    assert "24 hours" in email.error
    clock.shift(timedelta(hours=18, minutes=59))
    work()
    assert sent() == []
    clock.shift(timedelta(minutes=1))
    work()
    assert sent() == ["Connected"]


@pytest.mark.parametrize(
    ("trigger", "meets"),
    [
        ({"kind": "lead_created"}, True),
        ({"kind": "lead_created", "conditions": {"field": "company", "op": "equals", "value": "Acme"}}, True),
        ({"kind": "lead_created", "conditions": {"field": "company", "op": "equals", "value": "Other"}}, False),
        ({"kind": "lead_created", "conditions": {"field": "industry", "op": "equals", "value": "x"}}, False),
        ({"kind": "tag", "tag": "Hot"}, True),
        ({"kind": "tag", "tag": "cold"}, False),
        ({"kind": "hand"}, False),
    ],
)
def test_triggers_enrol_whom_they_name(agency: Agency, trigger: dict[str, Any], meets: bool) -> None:
    make_sequence(agency, {"kind": "wait", "delay": 1}, trigger=trigger)
    lead = create_lead(agency, name="Grace", company="Acme")
    update_lead(lead, tags=["hot"])
    work()
    assert Enrolment.objects.filter(lead=lead).exists() is meets


def test_leads_from_before_tests_and_erased_ones_are_not_enrolled(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    clock.shift(DAY)
    make_sequence(agency, {"kind": "wait", "delay": 1}, trigger={"kind": "lead_created"})
    update_lead(lead, company="Globex")
    create_lead(agency, name="Test", is_test=True)
    erase_lead(create_lead(agency, name="Gone"))
    work()
    assert not Enrolment.objects.exists()


STOPS: dict[str, Callable[[Lead], object]] = {
    "reply": lambda lead: reply(lead, now()),
    "opt_out": lambda lead: opt_out(lead, how="person"),
    "not_interested": lambda lead: set_status(lead, status=LeadStatus.NOT_INTERESTED, changed_by=ChangedBy.USER),
    "meeting_booked": lambda lead: set_status(lead, status=LeadStatus.MEETING_BOOKED, changed_by=ChangedBy.USER),
    "converted": lambda lead: set_status(lead, status=LeadStatus.OPPORTUNITY, changed_by=ChangedBy.USER),
    "stopped_by_person": lambda lead: stop_enrolment(only_enrolment()),
}


@pytest.mark.parametrize("reason", STOPS)
def test_what_stops_a_sequence_stops_it_at_once_and_for_good(
    agency: Agency, lead: Lead, clock: time_machine.Traveller, reason: str
) -> None:
    enrol(lead, make_sequence(agency, *TWO_MAILS))
    work()
    clock.shift(timedelta(hours=1))
    STOPS[reason](lead)
    work()
    enrolment = only_enrolment()
    assert (enrolment.state, enrolment.reason) == ("stopped", reason)
    pass_days(clock, 10)
    assert sent() == ["First"]


def test_an_erased_lead_leaves_nothing_of_its_sequence(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency, *TWO_MAILS))
    work()
    erase_lead(lead)
    assert not Enrolment.objects.exists()
    assert not StepRun.objects.exists()
    assert not OutboundEmail.objects.exists()
    pass_days(clock, 10)
    assert sent() == ["First"]


def test_a_reply_that_nobody_has_reacted_to_yet_is_seen_when_the_mail_is_sent(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency, *TWO_MAILS))
    work()
    clock.shift(timedelta(days=2))
    advance_due()
    assert OutboundEmail.objects.filter(state="waiting").count() == 1
    reply(lead, now())
    outbox.send_due()
    assert sent() == ["First"]
    assert only_enrolment().reason == "reply"


def test_a_reply_from_before_that_is_reported_late_stops_it_too(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency, *TWO_MAILS))
    work()
    reply(lead, Origin(by="welink", at=MONDAY - timedelta(minutes=2)))
    work()
    assert only_enrolment().reason == "reply"


def test_a_call_counts_once_it_is_done_or_called_off(agency: Agency, lead: Lead, clock: time_machine.Traveller) -> None:
    call = {"kind": "phone_task", "note": "Call {{ name }} of {{ company }}"}
    sequence = make_sequence(agency, call, {"email": "After the call", "delay": 1})
    enrol(lead, sequence)
    work()
    task = Task.objects.get()
    assert (task.title, task.kind, task.made_by) == ("Call Grace Hopper of Acme", "call", "step")
    pass_days(clock, 3)
    assert sent() == []
    finish_task(task, outcome="Reached")
    work()
    assert only_enrolment().due_at == timezone.now() + DAY
    pass_days(clock, 1)
    assert sent() == ["After the call"]
    other = create_lead(agency, name="Ann", email="ann@example.com")
    enrol(other, sequence)
    work()
    delete_task(Task.objects.get(lead=other))
    pass_days(clock, 1.1)
    pass_days(clock, 3)
    assert sent() == ["After the call"] * 2


def test_a_condition_that_is_not_met_skips_its_step(agency: Agency, lead: Lead) -> None:
    only_others = {"field": "company", "op": "equals", "value": "Globex"}
    enrol(lead, make_sequence(agency, {"email": "For Globex", "condition": only_others}, {"email": "For all"}))
    work()
    assert sent() == ["For all"]
    assert list(StepRun.objects.order_by("pk").values_list("state", flat=True)) == ["skipped", "done"]


def test_a_missing_value_holds_the_mail_until_it_is_there_and_somebody_sends_it(agency: Agency, lead: Lead) -> None:
    enrol(lead, make_sequence(agency, {"email": "Hello", "text": "How is {{ industry }}?"}))
    work()
    email = OutboundEmail.objects.get()
    assert (sent(), email.state, email.hold, email.error) == ([], "held", "missing_value", "industry")
    assert StepRun.objects.get().state == "held"
    Lead.objects.filter(pk=lead.pk).update(industry="Shipping")
    send_again(email)
    work()
    assert [each.body.split("\n")[0] for each in mail.outbox] == ["How is Shipping?"]


def test_who_has_no_address_or_a_bad_one_gets_nothing_and_is_shown(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    enrol(create_lead(agency, name="Ann"), make_sequence(agency, {"email": "Hello"}))
    work()
    assert (sent(), OutboundEmail.objects.get().hold) == ([], "no_address")


def test_a_person_is_in_one_sequence_at_a_time(agency: Agency, lead: Lead) -> None:
    first = make_sequence(agency, {"kind": "wait", "delay": 5})
    second = make_sequence(agency, {"kind": "wait", "delay": 5}, name="Other")
    enrol(lead, first)
    with pytest.raises(StateError, match="Follow-up"):
        enrol(lead, second)
    twin = create_lead(agency, name="G. Hopper", email="GRACE@example.com")
    with pytest.raises(StateError, match="Follow-up"):
        enrol(twin, second)
    stop_enrolment(only_enrolment())
    assert enrol(twin, second).state == "active"


def test_who_is_in_a_live_campaign_is_not_enrolled_and_the_refusal_says_so(agency: Agency, lead: Lead) -> None:
    campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id="c", name="Founders")
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="sendpilot", external_id="r", campaign=campaign, status_since=MONDAY
    )
    sequence = make_sequence(agency, {"kind": "wait", "delay": 5}, trigger={"kind": "tag", "tag": "hot"})
    with pytest.raises(StateError, match="campaign “Founders” of SendPilot"):
        enrol(lead, sequence)
    update_lead(lead, tags=["hot"])
    work()
    assert (only_enrolment().state, only_enrolment().reason) == ("stopped", "live_campaign")
    campaign.status = "finished"
    campaign.save()
    assert enrol(lead, sequence).state == "active"


def test_a_window_is_kept_in_the_leads_own_time_zone(agency: Agency, clock: time_machine.Traveller) -> None:
    west = create_lead(agency, name="Wendy", email="w@example.com", phone="+1 415 555 2671")
    office = {"from": "09:00", "to": "17:00"}
    enrol(west, make_sequence(agency, {"email": "Morning", "window": office}))
    work()
    assert sent() == []
    clock.move_to(datetime(2026, 3, 2, 16, 59, tzinfo=UTC))
    work()
    assert sent() == []
    clock.move_to(datetime(2026, 3, 2, 17, 0, tzinfo=UTC))  # 9:00 in San Francisco
    work()
    assert sent() == ["Morning"]


def test_a_pause_ends_by_itself_or_by_hand_and_nothing_is_lost(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency, *TWO_MAILS))
    work()
    pause_enrolment(only_enrolment(), until=MONDAY + 4 * DAY)
    pass_days(clock, 3)
    assert sent() == ["First"]
    pass_days(clock, 1)
    assert sent() == ["First", "Second"]
    other = create_lead(agency, name="Ann", email="ann@example.com")
    enrolment = enrol(other, Sequence.objects.get())
    pause_enrolment(enrolment)
    pass_days(clock, 30)
    assert len(sent()) == 2
    resume_enrolment(enrolment)
    work()
    assert len(sent()) == 3


def test_editing_makes_a_version_and_who_is_enrolled_keeps_theirs_until_moved(
    agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    sequence = make_sequence(agency, *TWO_MAILS)
    enrol(lead, sequence)
    work()
    first, second = sequence.versions.get().steps
    waits = [{"kind": "wait", "delay": days} for days in (3, 4)]
    changed = update_sequence(sequence, steps=[waits[0], first, waits[1], second])
    assert (changed.version, only_enrolment().version.number) == (2, 1)
    move = planned_moves(changed)[0]
    assert (move.step_before, move.step_after and move.step_after.kind) == (second["id"], "wait")
    assert only_enrolment().version.number == 1
    assert move_enrolments(sequence) == 1
    work()
    assert only_enrolment().version.number == 2
    pass_days(clock, 4)
    assert sent() == ["First"]
    pass_days(clock, 8)
    assert sent() == ["First", "Second"]
    assert update_sequence(sequence, name="Renamed").version == 2


def test_the_figures_of_a_step_say_what_became_of_it(agency: Agency, lead: Lead, clock: time_machine.Traveller) -> None:
    sequence = make_sequence(agency, *TWO_MAILS)
    other = create_lead(agency, name="Ann", email="ann@example.com")
    enrol(lead, sequence)
    enrol(other, sequence)
    work()
    reply(lead, Origin(by="welink", at=timezone.now() + timedelta(minutes=1)))
    work()
    first, second = (step["id"] for step in sequence.versions.get().steps)
    assert figures_of(sequence)[first] == {"sent": 2, "replied": 1, "stopped": 0, "held": 0, "skipped": 0}
    pass_days(clock, 3)
    assert figures_of(sequence)[second]["sent"] == 1


def test_merging_leaves_a_person_one_sequence(agency: Agency, lead: Lead, clock: time_machine.Traveller) -> None:
    sequence = make_sequence(agency, *TWO_MAILS)
    twin = create_lead(agency, name="Grace H.", email="other@example.com")
    enrol(lead, sequence)
    enrol(twin, make_sequence(agency, {"kind": "wait", "delay": 9}, name="Other"))
    work()
    kept = merge_leads(*Lead.objects.order_by("pk"))
    assert sorted(kept.enrolments.values_list("state", "reason")) == [("active", ""), ("stopped", "merged")]
    pass_days(clock, 3)
    assert sent() == ["First", "Second"]
    unmerge(agency, twin.pk)
    assert Enrolment.objects.filter(lead=lead).count() == 1


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ([], "steps"),
        ([{"kind": "linkedin_message", "template": "x"}], "steps.0.template"),
        ([{"kind": "linkedin_connect", "note": "a" * 201}], "steps.0.note"),
        ([{"kind": "linkedin_connect", "note": "{{ nickname }}"}], "steps.0.note"),
        ([{"kind": "email"}], "steps.0.template"),
        ([{"kind": "fax"}], "steps.0.kind"),
        ([{"kind": "wait"}], "steps.0.delay"),
        ([{"kind": "wait", "delay": 999}], "steps.0.delay"),
        ([{"kind": "wait", "delay": 1, "window": {"from": "17:00", "to": "09:00"}}], "steps.0.window"),
        ([{"kind": "phone_task"}], "steps.0.note"),
        ([{"kind": "phone_task", "note": "{{ nickname }}"}], "steps.0.note"),
        ([{"kind": "wait", "delay": 1, "condition": {"field": "nickname", "op": "exists"}}], "steps.0.condition"),
    ],
)
def test_a_step_that_cannot_run_is_refused_by_its_place(agency: Agency, steps: list[Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        make_sequence(agency, *steps)
    assert refused.value.field.startswith(field)
    assert not Sequence.objects.exists()


def test_a_template_in_use_names_its_sequence(agency: Agency) -> None:
    make_sequence(agency, {"email": "Hello"})
    template = agency.message_templates.get()
    with pytest.raises(FieldError, match="Follow-up"):
        update_template(template, channel="linkedin", subject="")


def test_mails_need_a_confirmed_address(agency: Agency) -> None:
    sender = set_sender(agency, address="ada@northwind.example.com", name="Ada")
    template = create_template(agency, name="Hello", channel="email", subject="Hello", text="Hello")
    made = {"name": "Mails", "trigger": {"kind": "hand"}, "steps": [{"kind": "email", "template": template.pk}]}
    with pytest.raises(FieldError, match="confirm the address") as refused:
        create_sequence(agency, active=True, **made)
    assert refused.value.field == "active"
    verify_address(sender.verification_token)
    assert create_sequence(agency, active=True, **made).active
