"""Steps over LinkedIn: an invitation, and a message once it is accepted, each sent at most once, whatever happens."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, pairwise
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus
from accounts.core.errors import StateError
from accounts.events.outbox import iso_timestamp
from accounts.models import Account, Agency, Campaign, Source
from accounts.sources.service import create_source
from leads.inbox import dispatch
from leads.inbox.sending import discard, mark_sent, send_again
from leads.models import Enrolment, Lead, LeadReference, Message, Sending, Sequence, StepRun
from leads.pipeline.changes import create_lead, update_lead
from leads.privacy.erasure import erase_lead
from leads.sequences import note_budget
from leads.sequences.advancing import advance_due
from leads.sequences.enrolments import enrol, stop_enrolment
from leads.sequences.service import create_sequence
from leads.sequences.templates import create_template
from tests.leads.sequences.world import only_enrolment
from tests.reactions import react
from tests.receiving import drain, receive
from tests.standins import StandIn, provider

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONNECT, SEND = "/v1/inbox/connect", "/v1/inbox/send"
NOTE = "Hello {{ first_name }}"
NUMBERS = count(1)
DONE: dict[str, Any] = {"success": True, "messageId": "m1"}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def api(settings: Settings) -> Iterator[StandIn]:
    with provider() as stand_in:
        settings.SENDPILOT_API_BASE, settings.WELINK_API_BASE = f"{stand_in.base}/v1", stand_in.base
        stand_in.answers[SEND] = stand_in.answers[CONNECT] = (200, DONE)
        yield stand_in


@pytest.fixture
def source(agency: Agency, clock: time_machine.Traveller) -> Source:
    return create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})[0]


@pytest.fixture
def account(agency: Agency, source: Source) -> Account:
    account = Account.objects.create(
        agency=agency, provider="sendpilot", external_id="ada", email="ada@example.com", status=AccountStatus.ACTIVE,
        status_since=timezone.now(), reported_at=timezone.now(),
    )  # fmt: skip
    set_senders(account, ["sender-1"])
    return account


def make_lead(account: Account, name: str = "Grace") -> Lead:
    return create_lead(
        account.agency, name=f"{name} Hopper", first_name=name, account=account,
        linkedin_url=f"https://www.linkedin.com/in/{name.lower()}",
    )  # fmt: skip


@pytest.fixture
def lead(account: Account, api: StandIn) -> Lead:
    return make_lead(account)


def make_sequence(agency: Agency, note: str = NOTE, **more: Any) -> Sequence:
    """Invite, and a day after it is known to be sent write a message."""
    template = create_template(agency, name="Thanks", channel="linkedin", text="Thank you, {{ first_name }}")
    steps = [
        {"kind": "linkedin_connect", "note": note},
        {"kind": "linkedin_message", "template": template.pk, "delay": 1},
    ]
    return create_sequence(agency, name="Outreach", trigger={"kind": "hand"}, steps=steps, active=True, **more)


def report(source: Source, lead: Lead, kind: str, **data: Any) -> None:
    """Deliver an event of SendPilot about the lead; its campaign has finished."""
    named = {"leadId": "l1", "campaignId": "c1", "linkedinUrl": lead.linkedin_url, "senderId": "sender-1"}
    receive(source, {
        "eventId": f"e{next(NUMBERS)}", "eventType": kind, "workspaceId": "w",
        "timestamp": iso_timestamp(timezone.now()), "data": {**named, **data},
    })  # fmt: skip
    drain()
    Campaign.objects.update(status="finished")
    react()


def work() -> None:
    while True:
        react()
        if not advance_due() + dispatch.send_due():
            return


def asked(api: StandIn, path: str) -> list[str]:
    return [call.body.get("message", "") for call in api.calls if call.path == path]


def test_an_invitation_and_after_its_acceptance_a_message(
    agency: Agency, source: Source, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency))
    work()
    (call,) = api.calls
    assert call.body == {
        "senderId": "sender-1", "recipientLinkedinUrl": "https://www.linkedin.com/in/grace", "message": "Hello Grace",
    }  # fmt: skip
    assert StepRun.objects.get().confirmed_at == MONDAY
    clock.shift(timedelta(days=2))
    work()
    enrolment = only_enrolment()
    assert (asked(api, SEND), enrolment.error) == ([], "The lead has not accepted an invitation yet.")
    report(source, lead, "connection.accepted")
    work()
    assert asked(api, SEND) == ["Thank you, Grace"]
    report(source, lead, "message.sent", message="Thank you, Grace")
    work()
    assert (only_enrolment().state, Message.objects.count()) == ("finished", 2)
    assert asked(api, CONNECT) == ["Hello Grace"]


def test_the_next_step_counts_from_the_time_at_which_the_provider_says_that_it_was_sent(
    agency: Agency, source: Source, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    api.answers[CONNECT] = (500, {})
    enrol(lead, make_sequence(agency))
    work()
    run = StepRun.objects.get()
    assert (run.state, run.reason, run.confirmed_at) == ("held", dispatch.UNCERTAIN, None)
    assert only_enrolment().error == dispatch.UNCERTAIN
    clock.shift(timedelta(days=3))
    work()
    assert (asked(api, CONNECT), only_enrolment().due_at) == (["Hello Grace"], None)  # not again by itself
    report(source, lead, "connection.sent")
    assert StepRun.objects.get().confirmed_at == timezone.now()
    assert only_enrolment().due_at == timezone.now() + timedelta(days=1)


def test_a_person_decides_about_an_invitation_of_which_nobody_knows(
    agency: Agency, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    api.answers[CONNECT] = (500, {})
    enrol(lead, make_sequence(agency))
    work()
    mark_sent(Message.objects.get())
    work()
    assert (StepRun.objects.get().state, asked(api, CONNECT)) == ("done", ["Hello Grace"])


def test_a_refused_step_is_held_sent_again_or_left_out(
    agency: Agency, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    api.answers[CONNECT] = (400, {})
    enrol(lead, make_sequence(agency))
    work()
    assert (StepRun.objects.get().state, StepRun.objects.get().reason) == ("held", dispatch.REFUSED)
    send_again(Message.objects.get())
    work()
    assert (StepRun.objects.get().state, len(asked(api, CONNECT))) == ("held", 2)
    discard(Message.objects.get())
    work()
    assert StepRun.objects.get().state == "cancelled"
    assert only_enrolment().next_step != StepRun.objects.get().step


def test_what_a_sequence_that_has_ended_did_not_send_is_not_sent_again(
    agency: Agency, lead: Lead, api: StandIn
) -> None:
    api.answers[CONNECT] = (400, {})
    enrol(lead, make_sequence(agency))
    work()
    stop_enrolment(only_enrolment())
    with pytest.raises(StateError, match="Write to the lead yourself"):
        send_again(Message.objects.get())
    work()
    assert (len(asked(api, CONNECT)), Message.objects.get().state) == (1, "failed")


def test_the_brake_and_a_live_campaign_have_a_step_wait(
    agency: Agency, source: Source, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    report(source, lead, "message.sent", message="Our offer", sequenceStep=1)
    clock.shift(timedelta(hours=5))
    enrol(lead, make_sequence(agency))
    work()
    assert (api.calls, "24 hours" in only_enrolment().error) == ([], True)
    Campaign.objects.update(status="active")
    clock.shift(timedelta(hours=20))
    work()
    assert (api.calls, only_enrolment().error) == ([], "The lead is in a campaign that goes on.")
    stop_enrolment(only_enrolment())
    with pytest.raises(StateError, match="both would write"):
        enrol(lead, Sequence.objects.get())


def test_what_happens_after_the_message_was_written_still_stops_it(
    agency: Agency, source: Source, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    enrol(lead, make_sequence(agency))
    advance_due()
    assert Message.objects.get().state == "queued"
    report(source, lead, "reply.received", reply="Please call me")
    work()
    assert (api.calls, only_enrolment().reason) == ([], "reply")
    assert not Sending.objects.exists()


def test_a_stopped_enrolment_and_an_erased_lead_get_nothing(agency: Agency, lead: Lead, api: StandIn) -> None:
    sequence = make_sequence(agency)
    stop_enrolment(enrol(lead, sequence))
    work()
    enrol(lead, sequence)
    advance_due()
    erase_lead(lead)
    work()
    assert (api.calls, Sending.objects.count(), Enrolment.objects.count()) == ([], 0, 0)


def test_the_notes_of_a_month_go_to_the_highest_scores_and_the_others_are_invited_bare(
    agency: Agency, account: Account, api: StandIn, clock: time_machine.Traveller
) -> None:
    sequence = make_sequence(agency)
    scores = {"Ann": 10, "Ben": 90, "Cem": 50, "Dora": 70, "Eva": 30}
    for name in scores:
        enrol(make_lead(account, name), sequence)
    react()  # which scores the leads
    for name, score in scores.items():
        Lead.objects.filter(first_name=name).update(score=score)
    work()
    assert sorted(asked(api, CONNECT)) == ["", "", "Hello Ben", "Hello Cem", "Hello Dora"]
    assert note_budget.notes_left(account.pk, timezone.now()) == 0
    clock.shift(note_budget.MONTH + timedelta(hours=1))
    enrol(make_lead(account, "Finn"), sequence)
    work()
    assert asked(api, CONNECT)[-1] == "Hello Finn"


def test_a_connection_is_not_invited_and_a_missing_value_waits_until_it_is_there(
    agency: Agency, source: Source, lead: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    report(source, lead, "connection.accepted")
    update_lead(lead, first_name="", name="Hopper")
    enrol(lead, make_sequence(agency))
    work()
    assert StepRun.objects.get().state == "skipped"
    clock.shift(timedelta(days=1))
    work()
    assert (api.calls, only_enrolment().error) == ([], "The lead has no value for a field of the text.")
    update_lead(Lead.objects.get(), first_name="Grace")
    clock.shift(timedelta(hours=1, minutes=1))
    work()
    assert asked(api, SEND) == ["Thank you, Grace"]


def test_welink_is_asked_to_connect_and_says_later_that_it_did(
    agency: Agency, api: StandIn, clock: time_machine.Traveller
) -> None:
    keys = {"api_key": "key", "api_secret": "secret"}
    source, _ = create_source(agency=agency, provider="welink", credentials=keys)
    now = timezone.now()
    account = Account.objects.create(
        agency=agency, provider="welink", external_id="ada", email="ada@example.com", api_id="ln-7",
        status=AccountStatus.ACTIVE, status_since=now, reported_at=now,
    )  # fmt: skip
    lead = create_lead(agency, name="Grace Hopper", account=account)
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="welink", external_id="ACoAAgrace", source=source, status_since=now
    )
    api.answers["/api/v1/connect"] = (200, {"requestId": "req-1"})
    enrol(lead, make_sequence(agency))
    work()
    assert [call.body for call in api.calls] == [
        {"accountId": "ln-7", "profile_id": "ACoAAgrace", "message": "Hello Grace"}
    ]
    assert StepRun.objects.get().state == "waiting"
    clock.shift(timedelta(minutes=10))
    receive(source, {"request_id": "req-1", "status": "SUCCESS", "result": {"profile_id": "ACoAAgrace"}})
    drain()
    work()
    assert (StepRun.objects.get().confirmed_at, Lead.objects.get().status) == (timezone.now(), "CONNECTION_SENT")


ANSWERS = {
    "ok": (200, DONE), "done but 500": (500, {}), "refused": (400, {}), "throttled": (429, {}), "no JSON": (200, None),
}  # fmt: skip
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["advance", "send", "killed before", "killed after", "react", "hour", "day"]),
        st.sampled_from([f"answer {name}" for name in ANSWERS]),
        st.sampled_from(["connection.sent", "connection.accepted", "message.sent"]),
    ),
    min_size=5,
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
@example(steps=["killed after"])
@example(steps=["killed before", "connection.sent", "connection.accepted", "day", "killed after"])
@example(steps=["answer done but 500", "advance", "send", "connection.sent", "react", "connection.sent", "day", "send"])
@example(steps=["answer throttled", "advance", "send", "hour", "answer ok", "killed after", "connection.accepted"])
def test_in_any_order_of_reports_sends_and_deaths_nobody_is_written_to_twice(
    agency: Agency, source: Source, account: Account, api: StandIn, steps: list[str]
) -> None:
    name = f"Grace{next(NUMBERS)}"
    api.calls.clear()
    api.answers[SEND] = api.answers[CONNECT] = (200, DONE)
    with time_machine.travel(MONDAY, tick=False) as clock:
        lead = make_lead(account, name)
        sequence = Sequence.objects.first() or make_sequence(agency)
        enrol(lead, sequence)
        taken: list[tuple[str, datetime]] = []
        for step in steps:
            before = len(api.calls)
            _play(step, source, lead, api, clock)
            taken += _taken(api, before)
        api.answers[SEND] = api.answers[CONNECT] = (200, DONE)
        for _ in range(4):
            clock.shift(timedelta(days=1))
            before = len(api.calls)
            work()
            taken += _taken(api, before)
    paths, times = [path for path, _ in taken], [at for _, at in taken]
    assert len(set(paths)) == len(paths)
    assert all(later - earlier >= timedelta(hours=24) for earlier, later in pairwise(times))
    erase_lead(lead)


def _taken(api: StandIn, before: int) -> list[tuple[str, datetime]]:
    """Return which calls the provider carried out since, and when: it was told to answer so."""
    return [(call.path, timezone.now()) for call in api.calls[before:] if api.answers[call.path][0] in (200, 500)]


def _play(step: str, source: Source, lead: Lead, api: StandIn, clock: time_machine.Traveller) -> None:
    if step.startswith("answer "):
        api.answers[SEND] = api.answers[CONNECT] = ANSWERS[step.removeprefix("answer ")]
    elif step.startswith("killed"):
        _send_and_die("ask_provider" if step == "killed before" else "_store_answer")
    elif "." in step:
        more = {"message": f"Thank you, {lead.first_name}"} if step == "message.sent" else {}
        report(source, lead, step, leadId=lead.pk, **more)
    else:
        actions: dict[str, Callable[[], object]] = {
            "advance": advance_due,
            "send": dispatch.send_due,
            "react": react,
            "hour": lambda: clock.shift(timedelta(hours=1)),
            "day": lambda: clock.shift(timedelta(days=1)),
        }
        actions[step]()


def _send_and_die(where: str) -> None:
    """Carry out what is due, and let the worker die before it asks the provider, or before it stores the answer."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    advance_due()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, where, die)
        try:
            dispatch.send_due()
        except KeyboardInterrupt:
            return
