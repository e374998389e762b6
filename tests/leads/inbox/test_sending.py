"""Messages are sent through SendPilot and We-Link, whose APIs are programs of ours on 127.0.0.1, and nobody gets one
twice."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
import urllib3
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus, EventType
from accounts.core.errors import FieldError, StateError
from accounts.events.outbox import iso_timestamp
from accounts.models import Account, Agency, Event, Source
from accounts.providers import client
from accounts.sources.service import create_source
from leads.enums import MessageAuthor, MessageState
from leads.inbox import dispatch
from leads.inbox.dispatch import send_due
from leads.inbox.sending import discard, mark_sent, reply, send_again, send_to
from leads.inbox.service import WAITING
from leads.inbox.ways import NoWay
from leads.models import Lead, LeadReference, Message, ResponseClock, Sending, Thread
from leads.pipeline.changes import create_lead
from leads.privacy.erasure import erase_lead
from tests.reactions import react
from tests.receiving import drain, receive
from tests.standins import StandIn, provider

T0 = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
SEND = "/v1/inbox/send"
TO_PROFILE, TO_THREAD = "/api/v1/send_message_to_profile_id", "/api/v1/send_message_to_thread"
ACCOUNTS = "/api/v1/get_all_ln_accounts"
NUMBERS = count(1)


@pytest.fixture
def api(settings: Settings) -> Iterator[StandIn]:
    with provider() as stand_in:
        settings.SENDPILOT_API_BASE, settings.WELINK_API_BASE = f"{stand_in.base}/v1", stand_in.base
        stand_in.answers[SEND] = (200, {"success": True, "messageId": "m1", "status": "sent"})
        stand_in.answers[ACCOUNTS] = (200, [{"accountId": "ln-7", "email": "Ada@example.com"}])
        stand_in.answers[TO_PROFILE] = stand_in.answers[TO_THREAD] = (200, {"requestId": "req-1"})
        yield stand_in


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(T0, tick=False) as clock:
        yield clock


def make_account(agency: Agency, slug: str) -> Account:
    return Account.objects.create(
        agency=agency, provider=slug, external_id="ada", email="ada@example.com", status=AccountStatus.ACTIVE,
        status_since=timezone.now(), reported_at=timezone.now(),
    )  # fmt: skip


@pytest.fixture
def source(agency: Agency, clock: time_machine.Traveller) -> Source:
    return create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})[0]


@pytest.fixture
def account(agency: Agency, source: Source) -> Account:
    account = make_account(agency, "sendpilot")
    set_senders(account, ["sender-1"])
    return account


def report(source: Source, kind: str, **data: Any) -> None:
    """Deliver an event of SendPilot about the lead, and have everything follow from it."""
    named = {
        "leadId": "l1",
        "campaignId": "c1",
        "linkedinUrl": "https://www.linkedin.com/in/grace",
        "senderId": "sender-1",
    }
    receive(source, {
        "eventId": f"e{next(NUMBERS)}", "eventType": kind, "workspaceId": "w",
        "timestamp": iso_timestamp(timezone.now()), "data": {**named, **data},
    })  # fmt: skip
    drain()
    react()


@pytest.fixture
def thread(source: Source, account: Account, api: StandIn) -> Thread:
    """A conversation in which the lead has written."""
    report(source, "reply.received", reply="Tell me more")
    return Thread.objects.select_related("lead", "account").get()


def send(clock: time_machine.Traveller | None = None) -> None:
    while send_due():
        pass
    react()


def state(message: Message) -> str:
    return Message.objects.get(pk=message.pk).state


def is_waiting() -> bool:
    return Thread.objects.filter(WAITING).exists()


def open_clocks() -> int:
    return ResponseClock.objects.filter(stopped_at__isnull=True).count()


def texts_sent(api: StandIn, path: str = SEND) -> list[str]:
    return [call.body["message"] for call in api.calls if call.path == path]


def test_a_reply_is_answered_by_a_click_its_echo_is_recognised_and_the_clock_stops(
    source: Source, thread: Thread, api: StandIn, clock: time_machine.Traveller
) -> None:
    user = User.objects.create_user("anna")
    assert (is_waiting(), open_clocks()) == (True, 1)
    clock.shift(timedelta(minutes=4))
    message = reply(thread, "Tuesday at ten?", user=user)
    assert (state(message), is_waiting()) == ("queued", True)  # nothing is sent yet
    send()
    (call,) = [call for call in api.calls if call.path == SEND]
    assert call.headers["x-api-key"] == "sp-key"
    assert call.body == {
        "senderId": "sender-1", "recipientLinkedinUrl": "https://www.linkedin.com/in/grace",
        "message": "Tuesday at ten?", "campaignId": "c1", "leadId": "l1",
    }  # fmt: skip
    assert (state(message), is_waiting(), open_clocks()) == ("sent", False, 0)
    stopped = ResponseClock.objects.get()
    assert (stopped.stop_reason, stopped.stopped_by_id) == ("message", user.pk)
    clock.shift(timedelta(seconds=2))
    report(source, "message.sent", message="Tuesday at  ten?")
    assert list(thread.messages.values_list("author", "text")) == [
        ("lead", "Tell me more"),
        ("member", "Tuesday at ten?"),
    ]
    assert Sending.objects.get().echoed_at is not None
    send()
    assert texts_sent(api) == ["Tuesday at ten?"]


def test_the_same_words_later_are_another_message_and_no_echo(
    source: Source, thread: Thread, api: StandIn, clock: time_machine.Traveller
) -> None:
    reply(thread, "Hello")
    send()
    report(source, "message.sent", message="Hello")
    clock.shift(timedelta(hours=1))
    report(source, "message.sent", message="Hello")  # somebody wrote it in SendPilot
    assert thread.messages.filter(text="Hello").count() == 2


@pytest.mark.parametrize("by", [MessageAuthor.MEMBER, MessageAuthor.AUTOMATION])
def test_only_a_persons_message_stops_the_clock_also_when_its_echo_has_no_step(
    source: Source, thread: Thread, by: MessageAuthor
) -> None:
    reply(thread, "Hello", author=by)
    send()
    report(source, "message.sent", message="Hello")
    assert open_clocks() == (0 if by is MessageAuthor.MEMBER else 1)


@pytest.mark.parametrize("done_in", ["500", "time-out", "killed"])
def test_what_may_have_been_sent_is_never_sent_again_by_itself(
    thread: Thread, api: StandIn, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, done_in: str
) -> None:
    def hang(_: Any) -> dict[str, Any]:
        time.sleep(0.3)
        return {"success": True}

    if done_in == "500":
        api.answers[SEND] = (500, {"message": "Oops"})
    elif done_in == "time-out":
        monkeypatch.setattr(client, "_pool", urllib3.PoolManager(retries=False, timeout=0.1))
        api.answers[SEND] = (200, hang)
    message = reply(thread, "Hello")
    if done_in == "killed":
        with monkeypatch.context() as patch:
            patch.setattr(dispatch, "_store_answer", _die)
            with pytest.raises(KeyboardInterrupt):
                send_due()
        assert state(message) == "sending"
        clock.shift(dispatch.LEASE + timedelta(seconds=1))
    send()
    assert (state(message), len(texts_sent(api))) == ("unknown", 1)
    failed = Event.objects.get(event_type=EventType.MESSAGE_FAILED)
    assert (failed.payload["message_id"], failed.payload["error_detail"]) == (message.pk, dispatch.UNCERTAIN)
    clock.shift(timedelta(days=2))
    send()
    assert len(texts_sent(api)) == 1
    assert is_waiting()


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_an_echo_settles_what_nobody_knew(
    source: Source, thread: Thread, api: StandIn, clock: time_machine.Traveller
) -> None:
    api.answers[SEND] = (502, {})
    message = reply(thread, "Hello")
    send()
    clock.shift(timedelta(minutes=1))
    report(source, "message.sent", messagePreview="Hello")
    assert (state(message), is_waiting(), open_clocks()) == ("sent", False, 0)
    with pytest.raises(StateError):
        send_again(Message.objects.get(pk=message.pk))


def test_a_person_decides_about_what_nobody_knows(thread: Thread, api: StandIn) -> None:
    api.answers[SEND] = (500, {})
    first, second = reply(thread, "One"), reply(thread, "Two")
    send()
    api.answers[SEND] = (200, {"success": True})
    mark_sent(Message.objects.get(pk=first.pk))
    send_again(Message.objects.get(pk=second.pk))
    send()
    assert (state(first), state(second)) == ("sent", "sent")
    assert texts_sent(api) == ["One", "Two", "Two"]


def test_a_throttled_message_waits_as_long_as_the_provider_asks(
    thread: Thread, api: StandIn, clock: time_machine.Traveller
) -> None:
    api.answers[SEND], api.headers = (429, {}), {"Retry-After": "120"}
    message = reply(thread, "Hello")
    send()
    assert (state(message), Message.objects.get(pk=message.pk).error) == ("queued", dispatch.THROTTLED)
    api.answers[SEND] = (200, {"success": True})
    clock.shift(timedelta(seconds=119))
    send()
    assert len(texts_sent(api)) == 1
    clock.shift(timedelta(seconds=1))
    send()
    assert (state(message), len(texts_sent(api))) == ("sent", 2)


def test_a_provider_that_cannot_be_reached_is_asked_again(
    thread: Thread, settings: Settings, api: StandIn, clock: time_machine.Traveller
) -> None:
    base, settings.SENDPILOT_API_BASE = settings.SENDPILOT_API_BASE, "http://127.0.0.1:1/v1"
    message = reply(thread, "Hello")
    send()
    assert (state(message), Message.objects.get(pk=message.pk).error) == ("queued", dispatch.UNREACHABLE)
    settings.SENDPILOT_API_BASE = base
    clock.shift(timedelta(seconds=11))
    send()
    assert (state(message), texts_sent(api)) == ("sent", ["Hello"])


def test_a_refused_message_is_visible_and_can_be_repeated_or_discarded(thread: Thread, api: StandIn) -> None:
    api.answers[SEND] = (400, {"message": "Not connected"})
    first, second = reply(thread, "One"), reply(thread, "Two")
    send()
    assert (state(first), Message.objects.get(pk=first.pk).error) == ("failed", dispatch.REFUSED)
    assert Event.objects.filter(event_type=EventType.MESSAGE_FAILED).count() == 2
    discard(Message.objects.get(pk=second.pk))
    assert not Message.objects.filter(pk=second.pk).exists()
    api.answers[SEND] = (200, {"success": True})
    send_again(Message.objects.get(pk=first.pk))
    send()
    assert state(first) == "sent"


def test_a_message_waits_for_its_account(
    thread: Thread, account: Account, api: StandIn, clock: time_machine.Traveller
) -> None:
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.DISCONNECTED)
    thread = Thread.objects.select_related("lead", "account").get()
    with pytest.raises(StateError) as refused:
        reply(thread, "Hello", must_be_ready=True)
    assert [code for code, _ in refused.value.reasons] == ["status_disconnected"]
    message = reply(thread, "Hello")
    send()
    held = Message.objects.get(pk=message.pk)
    assert (held.state, held.error, texts_sent(api)) == ("held", "The account is disconnected.", [])
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.ACTIVE)
    clock.shift(dispatch.HOLD_INTERVAL)
    send()
    assert (state(message), texts_sent(api)) == ("sent", ["Hello"])


def test_a_message_that_waited_too_long_is_not_sent(
    thread: Thread, account: Account, api: StandIn, clock: time_machine.Traveller
) -> None:
    Account.objects.filter(pk=account.pk).update(status=AccountStatus.BLOCKED)
    message = reply(Thread.objects.get(), "Hello")
    send()
    clock.shift(dispatch.MAX_HOLD + timedelta(minutes=1))
    send()
    assert (state(message), texts_sent(api)) == ("failed", [])


def test_what_cannot_be_sent_is_refused_at_once(thread: Thread, source: Source, agency: Agency) -> None:
    for text in (" ", "Hello {{firstName}}", "a" * 8001):
        with pytest.raises(FieldError) as wrong:
            reply(thread, text)
        assert wrong.value.field == "text"
    with pytest.raises(NoWay) as unknown:
        send_to(create_lead(agency, name="Ann"), "Hello")
    assert unknown.value.code == "unknown_lead"
    Lead.objects.filter(pk=thread.lead_id).update(linkedin_url="https://www.linkedin.com/in/ACoAABcdEfGhIjK1234")
    with pytest.raises(NoWay) as nameless:
        reply(Thread.objects.get(), "Hello")
    assert nameless.value.code == "no_address"
    source.delete()
    with pytest.raises(NoWay) as keyless:
        reply(Thread.objects.get(), "Hello")
    assert keyless.value.code == "no_key"
    assert not Sending.objects.exists()


def test_a_double_click_sends_once(thread: Thread, api: StandIn) -> None:
    user = User.objects.create_user("anna")
    assert reply(thread, "Hello", user=user).pk == reply(thread, "Hello", user=user).pk
    send()
    assert texts_sent(api) == ["Hello"]


def test_an_erased_lead_gets_nothing(thread: Thread, api: StandIn) -> None:
    reply(thread, "Hello")
    erase_lead(thread.lead)
    send()
    assert (Sending.objects.count(), texts_sent(api)) == (0, [])


@pytest.fixture
def welink(agency: Agency, api: StandIn, clock: time_machine.Traveller) -> Source:
    keys = {"api_key": "key", "api_secret": "secret"}
    return create_source(agency=agency, provider="welink", credentials=keys)[0]


@pytest.fixture
def known(agency: Agency, welink: Source) -> Lead:
    """A lead of We-Link."""
    lead = create_lead(agency, name="Grace", account=make_account(agency, "welink"))
    LeadReference.objects.create(
        lead=lead, agency=agency, provider="welink", external_id="ACoAAgrace", source=welink, status_since=T0
    )
    return lead


def result(source: Source, **body: Any) -> None:
    receive(source, {"request_id": "req-1", **body})
    drain()
    react()


SENT = {"status": "SUCCESS", "result": {"thread_id": "t-9", "message_id": "m-9", "profile_id": "ACoAAgrace"}}


def test_welink_sends_and_says_later_that_it_did(known: Lead, welink: Source, api: StandIn) -> None:
    message = send_to(known, "Hello")
    send()
    (call,) = [call for call in api.calls if call.path == TO_PROFILE]
    assert (call.headers["x-api-key"], call.headers["x-api-secret"]) == ("key", "secret")
    assert call.body == {"accountId": "ln-7", "profile_id": "ACoAAgrace", "message": "Hello", "track_reply": True}
    assert state(message) == "sending"
    result(welink, **SENT)
    lead = Lead.objects.get(pk=known.pk)
    assert (state(message), lead.status, lead.first_response_at) == ("sent", "MESSAGE_SENT", T0)
    assert Message.objects.count() == 1
    send_to(lead, "And again")  # in the thread that We-Link has named; the account's id is known
    send()
    assert [call.body.get("thread_id") for call in api.calls if call.path == TO_THREAD] == ["t-9"]
    assert len([call for call in api.calls if call.path == ACCOUNTS]) == 1


def test_a_result_of_welink_may_be_faster_than_its_answer(known: Lead, welink: Source) -> None:
    message = send_to(known, "Hello")
    result(welink, **SENT)  # nobody knows the request yet
    send()
    drain()
    react()
    assert state(message) == "sent"


def test_a_failure_that_welink_reports_can_be_repeated(known: Lead, welink: Source) -> None:
    message = send_to(known, "Hello")
    send()
    result(welink, status="FAILED", error="Not a connection")
    failed = Message.objects.get(pk=message.pk)
    assert (failed.state, failed.error) == ("failed", "Not a connection")
    assert send_again(failed).state is MessageState.QUEUED


def test_a_result_that_never_comes_leaves_the_decision_to_a_person(
    known: Lead, api: StandIn, clock: time_machine.Traveller
) -> None:
    message = send_to(known, "Hello")
    send()
    clock.shift(dispatch.RESULT_TIMEOUT + timedelta(seconds=1))
    send()
    assert (state(message), len(texts_sent(api, TO_PROFILE))) == ("unknown", 1)


def test_each_message_of_a_lead_is_an_event(source: Source, thread: Thread, clock: time_machine.Traveller) -> None:
    clock.shift(timedelta(minutes=5))
    report(source, "message.received", reply="Are you there?")
    report(source, "reply.received", reply="Are you there?")
    events = Event.objects.filter(event_type=EventType.MESSAGE_RECEIVED).order_by("pk")
    assert [event.payload["text"] for event in events] == ["Tell me more", "Are you there?"]
    assert events[0].payload["thread_id"] == thread.pk
