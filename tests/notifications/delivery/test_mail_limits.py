"""Nobody can have us flood an address, and a complaint of one agency's mail holds for all."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts.core.enums import EventType, Role
from accounts.events.outbox import record_event
from accounts.models import Account, Agency, BouncedAddress, MailCount, Member
from accounts.reauth.prompts import NotNeeded, ask, record_bounce
from accounts.reauth.recipients import (
    block_address,
    has_complained,
    reachable_addresses,
    unblock_address,
    unblock_bounced_before,
    unblock_unless_complained,
)
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.mail_limits import PER_AGENCY, PER_RECIPIENT, TooManyMails, count_mail, delete_old_counts
from accounts.tenancy.team import invite_member
from accounts.tenancy.verified_email import mark_email_verified
from notifications.channels.replay import resend_delivery
from notifications.channels.service import create_channel, send_test_event, update_channel
from notifications.delivery import drain_deliveries
from notifications.delivery.recipient_limit import MAX_PER_HOUR
from notifications.models import Delivery, Hold

pytestmark = pytest.mark.usefixtures("fresh_cache")

VICTIM = "victim@example.org"
PASSWORD = "a long and strange sentence"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel("2026-11-30T09:10:00Z", tick=False) as traveller:
        yield traveller


def api(agency: Agency) -> Client:
    return Client(headers={"Authorization": f"Bearer {create_api_key(agency)[1]}"})


def account_of(agency: Agency, number: int = 1, email: str = "") -> Account:
    return Account.objects.create(
        agency=agency,
        provider="welink",
        external_id=str(number),
        email=email,
        status="auth_error",
        status_since=timezone.now(),
    )


def mails_to(address: str) -> int:
    drain_deliveries()
    return sum(message.to == [address] for message in mail.outbox)


def ask_for_channels(agency: Agency) -> list[Any]:
    client = api(agency)
    spellings = [VICTIM, VICTIM.upper(), f"mailto:{VICTIM}", f"{VICTIM}.", f"V <{VICTIM}>"]
    return [
        client.post("/api/v1/channels", {"kind": "email", "email": spelling}, "application/json")
        for spelling in spellings * 4
    ]


def test_one_key_cannot_mail_a_stranger_more_than_a_few_times(agency: Agency, stranger: Agency) -> None:
    answers = ask_for_channels(agency)
    assert [answer.status_code for answer in answers] == [201] * 5 + [429] * 15
    assert answers[-1]["Retry-After"] == "3000"
    assert f"{VICTIM} has got several such mails already" in answers[-1].json()["detail"]
    assert mails_to(VICTIM) == PER_RECIPIENT.per_hour == 5
    assert [answer.status_code for answer in ask_for_channels(stranger)] == [429] * 20
    assert mails_to(VICTIM) == 5


def test_what_is_asked_in_different_ways_counts_together(agency: Agency) -> None:
    owner = User.objects.create_user("owner", password=PASSWORD)
    mark_email_verified(owner, "owner@example.com")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    create_channel(agency, kind="email", email=VICTIM)
    update_channel(create_channel(agency, kind="email", email="team@example.com", verified=True)[0], email=VICTIM)
    invite_member(agency, email=VICTIM, role=Role.OWNER)
    ask(account_of(agency), by="api", email=VICTIM)
    signed_in = Client()
    signed_in.post("/accounts/login/", {"login": "owner", "password": PASSWORD})
    signed_in.post("/accounts/email/", {"action_add": "", "email": VICTIM})
    assert mails_to(VICTIM) == 5
    for act in (
        lambda: create_channel(agency, kind="email", email=VICTIM),
        lambda: ask(account_of(agency, 2), by="staff", email=VICTIM),
    ):
        with pytest.raises(TooManyMails):
            act()
    answer = api(agency).post(
        f"/api/v1/accounts/{account_of(agency, 3).pk}/reauth", {"email": VICTIM}, "application/json"
    )
    assert answer.status_code == 429
    other = signed_in.post("/notifications/add/email", {"email": VICTIM, "listens": "all", "mode": "instant"})
    assert other.status_code in {422, 429}
    assert mails_to(VICTIM) == 5


def test_an_agency_mails_only_so_many_strangers_within_an_hour(agency: Agency, stranger: Agency, clock: Any) -> None:
    for number in range(PER_AGENCY.per_hour):
        count_mail(f"p{number}@example.org", agency=agency)
    with pytest.raises(TooManyMails, match="more have to wait"):
        create_channel(agency, kind="email", email="one.more@example.org")
    create_channel(stranger, kind="email", email="one.more@example.org")
    clock.shift(timedelta(hours=1))
    create_channel(agency, kind="email", email="another@example.org")


def test_the_count_of_a_day_is_kept_and_then_forgotten(agency: Agency, clock: Any) -> None:
    for _ in range(3):
        for _ in range(5):
            count_mail(VICTIM)
        with pytest.raises(TooManyMails):
            count_mail(VICTIM)
        clock.shift(timedelta(hours=1))
    with pytest.raises(TooManyMails) as refused:
        count_mail(VICTIM)
    assert refused.value.wait == timedelta(hours=20, minutes=50).total_seconds()
    clock.shift(timedelta(hours=21))
    count_mail(VICTIM)
    assert not MailCount.objects.filter(key__contains="victim").exists()
    clock.shift(timedelta(days=3))
    delete_old_counts()
    assert not MailCount.objects.exists()


def test_a_password_reset_is_not_used_up_by_others_and_floods_nobody(agency: Agency) -> None:
    ask_for_channels(agency)
    user = User.objects.create_user("victim")
    mark_email_verified(user, VICTIM)
    before = mails_to(VICTIM)
    answers = []
    for number in range(7):  # from many addresses
        client = Client(REMOTE_ADDR=f"203.0.113.{number}")
        answers.append(client.post("/accounts/password/reset/", {"email": VICTIM}).status_code)
    assert answers == [302] * 5 + [429] * 2
    assert mails_to(VICTIM) == before + 5
    unknown = [
        Client(REMOTE_ADDR=f"203.0.113.{number}")
        .post("/accounts/password/reset/", {"email": "nobody@example.org"})
        .status_code
        for number in range(7)
    ]
    assert unknown == answers


def test_tests_and_repetitions_are_limited_too(agency: Agency) -> None:
    channel, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    for _ in range(5):
        send_test_event(channel)
    with pytest.raises(TooManyMails):
        send_test_event(channel)
    create_channel(agency, kind="email", email=VICTIM)
    drain_deliveries()
    delivery = Delivery.objects.get(recipient=VICTIM)
    for _ in range(5):
        resend_delivery(delivery)
    answer = api(agency).post(f"/api/v1/deliveries/{delivery.pk}/resend", {}, "application/json")
    assert answer.status_code == 429


def test_an_address_to_which_many_mails_go_by_themselves_gets_them_in_turn(
    agency: Agency, stranger: Agency, clock: Any
) -> None:
    for number in range(2 * MAX_PER_HOUR + 5):
        record_event(
            (agency, stranger)[number % 2], EventType.REAUTH_REQUESTED, subject=f"acc_{number}", recipient=VICTIM
        )
    drain_deliveries()
    held = Delivery.objects.filter(hold=Hold.RECIPIENT)
    assert Delivery.objects.count() - held.count() == MAX_PER_HOUR
    due = held.order_by("next_attempt_at").values_list("next_attempt_at", flat=True)
    hours = [(at - timezone.now()) // timedelta(hours=1) for at in due if at]
    assert hours == [1] * MAX_PER_HOUR + [2] * 5
    assert held[0].reason == "It waits: its address has got many mails within the hour."
    record_event(agency, EventType.REAUTH_REQUESTED, subject="acc_x", recipient="other@example.org")
    drain_deliveries()
    assert Delivery.objects.get(recipient="other@example.org").hold == ""


def test_a_complaint_is_lifted_by_no_other_agency(agency: Agency, stranger: Agency, settings: Settings) -> None:
    settings.BOUNCE_TOKEN = "bounce-token-of-this-test"
    notice = json.dumps({"type": "complaint", "email": VICTIM})
    Client().post("/bounces", notice, "application/json", HTTP_AUTHORIZATION=f"Bearer {settings.BOUNCE_TOKEN}")
    assert has_complained("Victim@example.org")
    account = account_of(stranger)
    with pytest.raises(NotNeeded, match="wants no mail"):
        ask(account, by="staff", email=VICTIM)
    answer = api(stranger).post(f"/api/v1/accounts/{account.pk}/reauth", {"email": VICTIM}, "application/json")
    assert (answer.status_code, "wants no mail" in answer.json()["detail"]) == (409, True)
    record_bounce(VICTIM, reason="Mail to this address came back.")
    unblock_unless_complained(VICTIM)
    unblock_bounced_before(timezone.now() + timedelta(days=400))
    assert reachable_addresses([VICTIM]) == []
    assert mails_to(VICTIM) == 0
    create_channel(agency, kind="email", email=VICTIM)  # its owner may agree to a channel, and is asked once a day
    with pytest.raises(TooManyMails):
        create_channel(stranger, kind="email", email=VICTIM)
    unblock_address(VICTIM)
    assert reachable_addresses([VICTIM]) == [VICTIM]


def test_an_address_that_only_came_back_is_written_to_again_when_a_person_says_so(agency: Agency) -> None:
    block_address(VICTIM, reason="No such user.")
    assert reachable_addresses([VICTIM]) == []
    ask(account_of(agency), by="api", email=VICTIM)
    assert not BouncedAddress.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_so_many_come_through() -> None:
    def ask_once(_: int) -> bool:
        try:
            count_mail(VICTIM)
        except TooManyMails:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        came_through = list(threads.map(ask_once, range(24)))
    assert sum(came_through) == PER_RECIPIENT.per_hour
    assert sum(MailCount.objects.values_list("count", flat=True)) == PER_RECIPIENT.per_hour
