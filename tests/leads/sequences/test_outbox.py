"""Every e-mail leaves at most once, whatever dies when; what is doubtful is held and shown."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_string
from itertools import pairwise
from random import Random
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import transaction
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.core.errors import FieldError, StateError
from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.enums import LeadStatus
from leads.models import EmailSender, Enrolment, Lead, OptOut, OutboundEmail, StepRun
from leads.pipeline.changes import create_lead
from leads.privacy.erasure import erase_lead
from leads.sequences import advancing, outbox, smtp
from leads.sequences.enrolments import enrol, pause_enrolment, resume_enrolment
from leads.sequences.opt_outs import has_opted_out
from leads.sequences.senders import request_verification, set_sender
from leads.sequences.smtp import Answer, Result
from notifications.channels.bounces import apply_notice, parse_notice
from tests.leads.sequences.world import confirm_sender, make_sequence, only_enrolment, reply, report, sent, work
from tests.reactions import react
from tests.smtp_server import smtp_server

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Killed(BaseException):
    """Ends a worker as a signal does: nothing catches it."""


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(MONDAY, tick=False) as traveller:
        yield traveller


@pytest.fixture
def lead(clock: time_machine.Traveller, agency: Agency) -> Lead:
    return create_lead(agency, name="Grace Hopper", email="grace@example.com")


@pytest.fixture
def due(agency: Agency, lead: Lead) -> OutboundEmail:
    """An e-mail that is due now."""
    enrol(lead, make_sequence(agency, {"email": "First"}, {"email": "Second", "delay": 1}))
    advancing.advance_due()
    return OutboundEmail.objects.get()


def die(*_: object, **__: object) -> None:
    raise Killed


@pytest.mark.parametrize("before_it_left", [True, False])
def test_a_worker_that_is_killed_while_sending_sends_nothing_twice_and_a_person_decides(
    due: OutboundEmail, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, before_it_left: bool
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_deliver_share" if before_it_left else "_record", die)
        with pytest.raises(Killed):
            outbox.send_due()
    clock.shift(outbox.LEASE)
    work()
    held = OutboundEmail.objects.get()
    assert (held.state, held.hold, len(sent())) == ("held", "doubtful", 0 if before_it_left else 1)
    assert StepRun.objects.get().state == "held"
    clock.shift(timedelta(days=30))
    work()
    assert len(sent()) == (0 if before_it_left else 1)
    (outbox.send_again if before_it_left else outbox.mark_sent)(held)
    work()
    assert sent()[:1] == ["First"]
    with pytest.raises(StateError):
        outbox.send_again(OutboundEmail.objects.get(pk=held.pk))
    clock.shift(timedelta(days=3))
    work()
    assert sent() == ["First", "Second"]


def test_restart_sends_nothing_again(due: OutboundEmail, clock: time_machine.Traveller) -> None:
    """A fault of others: after a restart what was sent was sent again."""
    work()
    OutboundEmail.objects.update(leased_until=None)
    Enrolment.objects.update(leased_until=None)
    for _ in range(3):
        work()
    assert sent() == ["First"]
    ids = [each.extra_headers["Message-ID"] for each in mail.outbox]
    assert ids == [f"<{due.pk}@northwind.example.com>"]


def test_a_wait_is_added_once_however_often_its_worker_dies(
    agency: Agency, lead: Lead, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of others: a wait was added again by each attempt."""
    enrol(lead, make_sequence(agency, {"kind": "wait", "delay": 2}, {"email": "After the wait", "delay": 1}))
    clock.shift(timedelta(days=2))
    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(advancing, "confirm", die)
            with pytest.raises(Killed):
                advancing.advance_due()
        clock.shift(advancing.LEASE)
    work()
    assert only_enrolment().due_at == MONDAY + timedelta(days=3)
    assert StepRun.objects.count() == 1
    clock.move_to(MONDAY + timedelta(days=3))
    work()
    assert sent() == ["After the wait"]


def test_silence_is_counted_from_the_confirmed_sending(
    due: OutboundEmail, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of others: "no reply for two days" ran before the message before it had left."""
    monkeypatch.setattr(smtp, "deliver", lambda mails, sender: [])
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "deliver", lambda mails, sender: [Result(Answer.TRY_LATER, "421")] * len(mails))
        work()
        clock.shift(timedelta(minutes=59))
    assert (OutboundEmail.objects.get().state, only_enrolment().due_at) == ("waiting", None)
    clock.shift(timedelta(days=2))
    work()
    assert sent() == ["First"]
    assert only_enrolment().due_at == timezone.now() + timedelta(days=1)


@pytest.mark.parametrize(
    ("answer", "state", "hold"),
    [
        (Answer.UNKNOWN, "held", "doubtful"),
        (Answer.TRY_LATER, "waiting", ""),
        (Answer.BAD_RECIPIENT, "cancelled", "bounced"),
    ],
)
def test_what_a_mail_server_says_is_followed(
    due: OutboundEmail, monkeypatch: pytest.MonkeyPatch, answer: Answer, state: str, hold: str
) -> None:
    monkeypatch.setattr(outbox, "deliver", lambda mails, sender: [Result(answer, "said so")] * len(mails))
    outbox.send_due()
    row = OutboundEmail.objects.get()
    assert (row.state, row.hold, sent()) == (state, hold, [])
    assert only_enrolment().reason == ("bounce" if answer is Answer.BAD_RECIPIENT else "")


def test_a_server_that_never_takes_a_mail_leaves_it_held_after_some_tries(
    due: OutboundEmail, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "deliver", lambda mails, sender: [Result(Answer.TRY_LATER, "421")] * len(mails))
    for _ in range(10):
        outbox.send_due()
        clock.shift(timedelta(hours=7))
    assert (OutboundEmail.objects.get().hold, EmailSender.objects.get().error) == ("refused", "421")


def test_without_a_confirmed_sender_mails_wait_until_there_is_one(due: OutboundEmail, agency: Agency) -> None:
    sender = set_sender(agency, address="new@northwind.example.com", name="Ada")
    work()
    assert OutboundEmail.objects.get(pk=due.pk).hold == "no_sender"
    assert [each.to for each in mail.outbox] == [["new@northwind.example.com"]]
    link = f"/verify/{sender.verification_token}"
    assert link in mail.outbox[0].body
    client = Client()
    assert client.get(link).status_code == 200
    assert EmailSender.objects.get().verified_at is None
    assert client.post(link).status_code == 200
    work()
    assert OutboundEmail.objects.get(pk=due.pk).state == "sent"
    assert mail.outbox[-1].from_email == "Ada <new@northwind.example.com>"


def test_a_link_in_the_mail_unsubscribes_with_one_click_for_good(
    due: OutboundEmail, agency: Agency, lead: Lead, clock: time_machine.Traveller
) -> None:
    work()
    headers = mail.outbox[0].extra_headers
    url = headers["List-Unsubscribe"].strip("<>")
    assert url in mail.outbox[0].body
    path = "/" + url.split("/", 3)[3]
    client = Client()
    assert client.get(path).status_code == 200
    assert not OptOut.objects.exists()
    assert client.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    react()
    assert only_enrolment().reason == "opt_out"
    erase_lead(lead)
    again = create_lead(agency, name="Somebody", email="GRACE@example.com")
    assert has_opted_out(again)
    with pytest.raises(StateError, match="no more messages"):
        enrol(again, agency.sequences.get())
    assert client.post(path).status_code == 200
    assert client.get("/unsubscribe/nonsense").status_code == 404
    assert lead.email not in url


def test_an_agencys_own_server_gets_the_mail_with_its_envelope(agency: Agency, lead: Lead) -> None:
    with smtp_server() as (port, taken), override_settings(OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"]):
        confirm_sender(agency, host="127.0.0.1", port=port, security="none")
        agency.refresh_from_db()
        enrol(lead, make_sequence(agency, {"email": "Over our own server"}))
        work()
    message = message_from_string(taken[0].text)
    assert (taken[0].sender, taken[0].recipients) == ("ada@northwind.example.com", ["grace@example.com"])
    assert message["Subject"] == "Over our own server"
    assert sent() == []


def test_an_agencys_server_is_never_one_of_ours(agency: Agency, lead: Lead) -> None:
    with smtp_server() as (port, taken):
        confirm_sender(agency, host="127.0.0.1", port=port, security="none")
        agency.refresh_from_db()
        enrol(lead, make_sequence(agency, {"email": "Hello"}))
        work()
    assert (taken, OutboundEmail.objects.get().state) == ([], "waiting")
    assert "outside the public internet" in OutboundEmail.objects.get().error


def test_a_password_is_stored_encrypted_and_never_handed_to_another_server(agency: Agency) -> None:
    sender = set_sender(agency, address="a@example.com", name="A", host="mail.example.com", password="hush")
    assert EmailSender.objects.get().password == "hush"
    assert "hush" not in str(EmailSender.objects.extra(select={"raw": "password"}).values_list("raw").get())
    set_sender(agency, address="a@example.com", name="A", host="mail.example.com")
    assert EmailSender.objects.get().password == "hush"
    set_sender(agency, address="a@example.com", name="A", host="evil.example.com")
    assert EmailSender.objects.get().password is None
    assert not request_verification(sender)
    for bad in ({"address": "nobody"}, {"address": "a@example.com", "port": 0}):
        with pytest.raises(FieldError):
            set_sender(agency, **{"name": "A", "host": "mail.example.com", **bad})  # type: ignore[arg-type]


OPERATIONS = ("advance", "send", "react", "hour", "day", "pause", "resume", "reply", "touch", "decide", "restart")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), steps=st.lists(st.sampled_from(OPERATIONS), min_size=15, max_size=50))
def test_in_whatever_order_things_happen_and_workers_die_nobody_is_written_to_twice(
    agency: Agency, clock: time_machine.Traveller, seed: int, steps: list[str]
) -> None:
    """At most one e-mail a step, one automated message in 24 hours, none after a reply."""
    mail.outbox.clear()
    clock.move_to(MONDAY)
    with transaction.atomic():
        _play(agency, clock, Random(seed), steps)
        transaction.set_rollback(True)


def _play(agency: Agency, clock: time_machine.Traveller, random: Random, steps: list[str]) -> None:
    make_sequence(agency, *({"email": f"Mail {n}", "delay": n % 2} for n in range(4)))
    lead = create_lead(agency, name="Grace", email="grace@example.com")
    enrol(lead, agency.sequences.get())
    replied_at: list[datetime] = []
    touches: list[datetime] = []
    happened: list[tuple[datetime, bool]] = []

    def note() -> None:
        """Write down what left since, in the order in which it happened."""
        known = [is_mail for _, is_mail in happened]
        happened.extend((at, False) for at in touches[known.count(False) :])
        happened.extend((timezone.now(), True) for _ in mail.outbox[known.count(True) :])

    with pytest.MonkeyPatch.context() as patch:
        for name in ("_prepare", "_deliver_share", "_record"):
            patch.setattr(outbox, name, fragile(getattr(outbox, name), random))
        for name in ("_begin", "confirm"):
            patch.setattr(advancing, name, fragile(getattr(advancing, name), random))
        for step in (*steps, *(["day", "advance", "send", "decide", "send"] * 3)):
            with suppress(Killed):
                _happen(step, lead, clock, replied_at, touches)
            note()
    ids = [each.extra_headers["Message-ID"] for each in mail.outbox]
    assert len(ids) == len(set(ids)) == len({each.subject for each in mail.outbox})
    for (earlier, _), (later, is_mail) in pairwise(happened):
        assert not is_mail or later - earlier >= timedelta(hours=24)
    assert all(at <= min(replied_at, default=at) for at, is_mail in happened if is_mail)


def fragile(function: Callable[..., Any], random: Random) -> Callable[..., Any]:
    """Die sometimes, before or after what the function does."""

    def inner(*args: Any, **options: Any) -> Any:
        chance = random.random()
        if chance < 0.15:
            raise Killed
        result = function(*args, **options)
        if chance > 0.85:
            raise Killed
        return result

    return inner


def _happen(
    step: str, lead: Lead, clock: time_machine.Traveller, replied_at: list[datetime], touches: list[datetime]
) -> None:
    enrolment = Enrolment.objects.get(lead=lead)
    plain: dict[str, Callable[[], object]] = {
        "advance": advancing.advance_due,
        "send": outbox.send_due,
        "react": react,
        "hour": lambda: clock.shift(timedelta(hours=1)),
        "day": lambda: clock.shift(timedelta(days=1, minutes=1)),
    }
    plain.get(step, lambda: None)()
    match step:
        case "pause" if enrolment.is_open:
            pause_enrolment(enrolment)
        case "resume" if enrolment.state == "paused":
            resume_enrolment(enrolment)
        case "reply" if not replied_at and len(touches) > 1:
            reply(lead, Origin(by="welink", at=timezone.now()))
            replied_at.append(timezone.now())
        case "touch" if len(touches) < 3:
            report(lead, LeadStatus.MESSAGE_SENT, Origin(by="welink", at=timezone.now()), text=f"Hi {len(touches)}")
            touches.append(timezone.now())
        case "restart":
            OutboundEmail.objects.update(leased_until=None)
            Enrolment.objects.update(leased_until=None)
        case "decide":
            arrived = {each.extra_headers["Message-ID"].strip("<").split("@")[0] for each in mail.outbox}
            for email in OutboundEmail.objects.filter(lead=lead, state="held", hold="doubtful"):
                (outbox.mark_sent if email.pk in arrived else outbox.send_again)(email)


@pytest.mark.parametrize(("kind", "reason"), [("hard", "bounce"), ("complaint", "opt_out"), ("soft", "")])
def test_a_bounce_notice_stops_the_sequence_of_the_address(due: OutboundEmail, kind: str, reason: str) -> None:
    work()
    message_id = mail.outbox[0].extra_headers["Message-ID"]
    notice = {"type": kind, "email": "Grace@Example.com", "message_id": message_id}
    for _ in range(2):
        apply_notice(parse_notice(notice))
    react()
    assert only_enrolment().reason == reason
