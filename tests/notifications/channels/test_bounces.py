"""A mail server says that a mail came back: who must not get more gets no more, and people can read why."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import AccountStatus, Role
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Agency, Event, Member
from accounts.reauth.recipients import mail_problem
from accounts.services import report_status
from accounts.tasks import run_jobs
from notifications.channels.service import create_channel, enable_channel
from notifications.delivery import drain_deliveries
from notifications.models import Channel, ChannelStatus, Delivery, DeliveryStatus
from tests.reactions import react

Happen = Callable[..., Event]
TOKEN = "bounce-token-of-this-test"


@pytest.fixture(autouse=True)
def open_to_notices(settings: Settings) -> None:
    settings.BOUNCE_TOKEN = TOKEN


def post(notice: Any, *, authorization: str = f"Bearer {TOKEN}", **headers: Any) -> Any:
    body = notice if isinstance(notice, bytes) else json.dumps(notice).encode()
    return Client(enforce_csrf_checks=True).post(
        "/bounces", body, content_type="application/json", HTTP_AUTHORIZATION=authorization, **headers
    )


def message_id(to: str = "team@example.com") -> str:
    """The id of the newest mail to this address."""
    return next(str(sent.extra_headers["Message-ID"]) for sent in reversed(mail.outbox) if sent.to == [to])


def test_a_hard_bounce_switches_the_recipient_off_with_the_servers_words(
    mailbox_channel: Channel, happen: Happen, stranger: Agency
) -> None:
    elsewhere, _ = create_channel(stranger, kind="email", email="Team@Example.com")
    drain_deliveries()  # the confirmation of that one
    happen()
    drain_deliveries()
    answer = post(
        {"type": "hard", "email": "TEAM@example.com", "message_id": message_id(), "reason": "550 5.1.1 No such\nuser"}
    )
    assert (answer.status_code, answer.json()) == (200, {"status": "accepted", "channels_disabled": 2})
    for channel in (mailbox_channel, elsewhere):
        channel.refresh_from_db()
        assert (channel.status, channel.disabled_reason) == (
            ChannelStatus.DISABLED,
            "Mail to this address came back: 550 5.1.1 No such user",
        )
    delivery = mailbox_channel.deliveries.get()
    assert (delivery.status, delivery.error) == (DeliveryStatus.FAILED, mailbox_channel.disabled_reason)
    events = Event.objects.filter(event_type="channel_disabled")
    assert events.count() == 1
    again = post({"type": "hard", "email": "team@example.com", "message_id": message_id()})
    assert again.json() == {"status": "accepted", "channels_disabled": 0}
    assert events.count() == 1


def test_who_complains_gets_no_more_and_has_to_agree_before_it_starts_again(
    agency: Agency, mailbox_channel: Channel, happen: Happen
) -> None:
    owner = User.objects.create_user("owner", email="owner@example.com")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    assert post({"type": "complaint", "email": "team@example.com", "reason": "abuse"}).status_code == 200
    mailbox_channel.refresh_from_db()
    assert mailbox_channel.disabled_reason == "The recipient reported our mail as unwanted."
    happen()
    drain_deliveries()
    assert [(message.subject, message.to) for message in mail.outbox] == [
        ("Team inbox was disabled", ["owner@example.com"])
    ]
    assert enable_channel(mailbox_channel).status == ChannelStatus.UNVERIFIED


def test_a_soft_bounce_shows_at_its_mail_and_switches_nothing_off(mailbox_channel: Channel, happen: Happen) -> None:
    happen()
    drain_deliveries()
    notice = {"type": "soft", "email": "team@example.com", "message_id": message_id(), "reason": "452 mailbox full"}
    assert post(notice).json()["channels_disabled"] == 0
    mailbox_channel.refresh_from_db()
    assert mailbox_channel.status == ChannelStatus.ENABLED
    assert mailbox_channel.deliveries.get().error == "Mail to this address came back: 452 mailbox full"


def test_a_mail_to_one_person_is_shown_as_failed_and_only_by_a_notice_about_its_own_address(agency: Agency) -> None:
    create_channel(agency, kind="email", email="new@example.com")
    drain_deliveries()
    for email, status in (("other@example.com", "delivered"), ("new@example.com", "failed")):
        post({"type": "soft", "email": email, "message_id": message_id("new@example.com")})
        assert Delivery.objects.get().status == status


def test_an_address_that_never_confirmed_is_not_asked_again_by_itself(agency: Agency) -> None:
    channel, _ = create_channel(agency, kind="email", email="typo@example.com")
    post({"type": "hard", "email": "typo@example.com"})
    channel.refresh_from_db()
    assert (channel.status, channel.disabled_reason) == (ChannelStatus.DISABLED, "Mail to this address came back.")


@pytest.mark.once
@pytest.mark.parametrize(
    ("notice", "detail"),
    [
        ({"type": "hard"}, "email: Give the address that the mail went to."),
        ({"type": "hard", "email": "nobody"}, "email: Give the address that the mail went to."),
        ({"type": "gone", "email": "a@example.com"}, "type: Use one of hard, soft, complaint."),
        ({"type": "hard", "email": "a@example.com", "agency": "x"}, "agency: There is no such field."),
        ({"type": "hard", "email": "a@example.com", "reason": 550}, "reason: Give a text."),
        ([], "Send one JSON object."),
        (b"{", "Send one JSON object."),
        (b"\xff", "Send one JSON object."),
        (b"[" * 100_000, "A notice has at most 64 KiB."),
        (b"[" * 60_000, "Send one JSON object."),
    ],
)
def test_a_notice_that_cannot_be_read_is_refused_by_name(db: None, notice: Any, detail: str) -> None:
    answer = post(notice)
    assert answer.status_code == (413 if "64 KiB" in detail else 400)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"] == detail


@pytest.mark.once
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic !!", "Token x", f"Bearer {TOKEN}x"])
def test_only_who_has_the_token_may_say_so(mailbox_channel: Channel, authorization: str) -> None:
    answer = post({"type": "hard", "email": "team@example.com"}, authorization=authorization)
    assert answer.status_code == 401
    mailbox_channel.refresh_from_db()
    assert mailbox_channel.status == ChannelStatus.ENABLED


def test_a_service_that_knows_only_passwords_sends_the_token_as_one(mailbox_channel: Channel) -> None:
    basic = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    answer = post({"type": "hard", "email": "team@example.com"}, authorization=f"Basic {basic}")
    assert answer.json() == {"status": "accepted", "channels_disabled": 1}


def test_without_a_token_nobody_may(mailbox_channel: Channel, settings: Settings) -> None:
    settings.BOUNCE_TOKEN = ""
    for authorization in ("", "Bearer ", "Bearer"):
        assert post({"type": "hard", "email": "team@example.com"}, authorization=authorization).status_code == 404
    assert Client().get("/bounces").status_code == 405


@pytest.mark.parametrize(("kind", "blocked"), [("hard", True), ("complaint", True), ("soft", False)])
def test_the_owner_of_an_account_is_not_asked_where_mail_came_back(agency: Agency, kind: str, blocked: bool) -> None:
    account = report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="7688", email="ada@example.com"),
        status=AccountStatus.DISCONNECTED,
        origin=Origin(by="salesflow", at=timezone.now()),
    )
    react()
    drain_deliveries()
    assert [message.to for message in mail.outbox] == [["ada@example.com"]]
    assert post({"type": kind, "email": "ada@example.com", "message_id": message_id("ada@example.com")}).json() == {
        "status": "accepted",
        "channels_disabled": 0,
    }
    assert (mail_problem(account) != "") is blocked
    with time_machine.travel(timezone.now() + timedelta(hours=4, seconds=1)):
        run_jobs("receipts")
        drain_deliveries()
    assert len(mail.outbox) == (1 if blocked else 2)
