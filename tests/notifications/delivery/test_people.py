"""What people get, and when: held, gathered, conflated or cancelled; and that programs get everything at once."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from accounts.core.enums import AccountStatus, EventType
from accounts.events.ordering import Origin
from accounts.events.outbox import record_event
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Event
from accounts.reauth.reminders import remind_due
from accounts.services import report_status
from accounts.tenancy.agencies import create_agency
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status
from leads.privacy.erasure import erase_lead
from notifications.channels.replay import replay_deliveries, resend_delivery
from notifications.channels.service import (
    create_channel,
    disable_channel,
    enable_channel,
    send_test_event,
    update_channel,
)
from notifications.delivery import drain_deliveries, fan_out_due_events, worker
from notifications.delivery.digest import build_digests
from notifications.models import Channel, Delivery, DeliveryStatus, Hold
from tests.notifications.happenings import Killed
from tests.notifications.receiver import answering, receiver
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
NIGHT = {"start": "22:00", "end": "07:00"}
Happen = Callable[..., Event]
Clock = time_machine.Traveller


@pytest.fixture
def clock() -> Iterator[Clock]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        yield clock


@pytest.fixture
def account(agency: Agency) -> Account:
    return Account.objects.create(
        agency=agency,
        provider="salesflow",
        external_id="7",
        name="John Doe",
        status=AccountStatus.ACTIVE,
        status_since=MONDAY,
    )


@pytest.fixture
def go_down(agency: Agency, account: Account) -> Callable[..., Event]:
    """Let the account lose its connection, or whatever is said."""

    def go_down(event_type: EventType = EventType.LINKEDIN_DISCONNECTED, status: str = "disconnected") -> Event:
        Account.objects.filter(pk=account.pk).update(status=status)
        return record_event(
            agency, event_type, subject=account.pk, linkedin_account_id=account.pk, linkedin_account_name="John Doe"
        )

    return go_down


def mailbox(agency: Agency, **fields: Any) -> Channel:
    return create_channel(agency, kind="email", email="team@example.com", verified=True, **fields)[0]


def lead_of(agency: Agency, name: str = "Ada Lovelace") -> Lead:
    """A lead that nobody has still to hear of."""
    lead = create_lead(agency, name=name)
    Event.objects.filter(subject=lead.pk).delete()
    return lead


def moves(lead: Lead, *statuses: LeadStatus) -> None:
    for status in statuses:
        lead = set_status(lead, status=status, changed_by=ChangedBy.USER)


def sent() -> list[EmailMessage]:
    """What has arrived since it was last asked."""
    drain_deliveries()
    messages = list(mail.outbox)
    mail.outbox.clear()
    return messages


def subjects() -> list[str]:
    return [str(message.subject) for message in sent()]


def states() -> set[tuple[str, str]]:
    return set(Delivery.objects.values_list("status", "hold"))


# --- quiet hours and working days -----------------------------------------------------------------


def test_at_night_a_mail_waits_for_the_morning_and_says_so(agency: Agency, clock: Clock, happen: Happen) -> None:
    mailbox(agency, quiet_hours=NIGHT, timezone="Europe/Berlin")
    clock.move_to(datetime(2026, 3, 2, 21, tzinfo=UTC))  # ten in Berlin
    happen()
    assert sent() == []
    held = Delivery.objects.get()
    assert (held.status, held.hold, held.attempts) == (DeliveryStatus.PENDING, Hold.QUIET_HOURS, 0)
    assert held.next_attempt_at == datetime(2026, 3, 3, 6, tzinfo=UTC)
    clock.move_to(datetime(2026, 3, 3, 5, 59, 59, tzinfo=UTC))
    assert sent() == []
    clock.shift(1)
    assert subjects() == ["John Doe was disconnected from LinkedIn"]
    held.refresh_from_db()
    assert (held.status, held.hold, held.attempts) == (DeliveryStatus.DELIVERED, "", 1)
    assert sent() == []


def test_what_waited_through_the_weekend_is_one_mail_on_monday(agency: Agency, clock: Clock, happen: Happen) -> None:
    mailbox(agency, quiet_hours=NIGHT, working_days=["mon", "tue", "wed", "thu", "fri"])
    for hours in (13 + 4 * 24, 30 + 4 * 24, 5 * 24):  # Friday night, Saturday
        clock.move_to(MONDAY + timedelta(hours=hours))
        happen(linkedin_account_name=f"Account {hours}")
        assert sent() == []
    clock.move_to(datetime(2026, 3, 9, 7, tzinfo=UTC))
    [message] = sent()
    assert message.subject == "While you were away: 3 of 3 events need attention"
    assert Delivery.objects.filter(status=DeliveryStatus.DELIVERED, hold="").count() == 3


def test_the_agencys_time_zone_counts_where_the_channel_has_none(agency: Agency, clock: Clock, happen: Happen) -> None:
    agency.timezone = "America/New_York"
    agency.save()
    mailbox(agency, quiet_hours={"start": "03:00", "end": "06:00"})
    happen()
    assert sent() == []
    assert Delivery.objects.get().next_attempt_at == datetime(2026, 3, 2, 11, tzinfo=UTC)


def test_what_is_urgent_waits_for_nothing(agency: Agency, clock: Clock, happen: Happen) -> None:
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    channel = mailbox(agency, quiet_hours=NIGHT, mode="daily", urgent_event_types=["uninstall"])
    happen(EventType.LINKEDIN_BLOCKED)
    happen(EventType.UNINSTALL)
    happen(EventType.LINKEDIN_DISCONNECTED)
    send_test_event(channel)
    moves(lead_of(agency), LeadStatus.OPPORTUNITY)
    moves(lead_of(agency, "Bob"), LeadStatus.REPLY_RECEIVED)
    assert sorted(subjects()) == [
        "Ada Lovelace is an opportunity",
        "LinkedIn blocked John Doe",
        "Test: team@example.com works",
        "The app was removed",
    ]
    waiting = Delivery.objects.filter(status=DeliveryStatus.PENDING)
    assert set(waiting.values_list("event__event_type", "hold")) == {
        ("linkedin_disconnected", "digest"),
        ("lead_status_changed", "digest"),
        ("lead_replied", "digest"),
    }


def test_a_mail_whose_retry_falls_into_the_quiet_hours_waits_for_their_end(
    agency: Agency, clock: Clock, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox(agency, quiet_hours=NIGHT)
    clock.move_to(datetime(2026, 3, 2, 21, 59, 58, tzinfo=UTC))
    happen()
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert sent() == []
    clock.shift(10)
    assert sent() == []
    held = Delivery.objects.get()
    assert (held.hold, held.attempts) == (Hold.QUIET_HOURS, 1)
    clock.move_to(datetime(2026, 3, 3, 7, tzinfo=UTC))
    assert subjects() == ["John Doe was disconnected from LinkedIn"]


def refuse(self: object, messages: object) -> int:
    raise ConnectionRefusedError


# --- summaries ------------------------------------------------------------------------------------


def test_a_daily_summary_says_what_changed_and_what_needs_somebody(
    agency: Agency, clock: Clock, account: Account, go_down: Happen
) -> None:
    channel = mailbox(agency, mode="daily", timezone="Europe/Berlin")
    ada, bob = lead_of(agency), lead_of(agency, "Bob")
    go_down()
    moves(ada, LeadStatus.CONNECTION_SENT, LeadStatus.CONNECTION_ACCEPTED, LeadStatus.MESSAGE_SENT)
    clock.shift(3600)
    moves(bob, LeadStatus.REPLY_RECEIVED)
    record_event(agency, EventType.INSTALL, location_id="berlin")
    assert sent() == []
    assert states() == {("pending", "digest")}
    clock.move_to(datetime(2026, 3, 3, 7, tzinfo=UTC))  # eight in Berlin
    [message] = sent()
    assert message.subject == "Your day: 2 of 4 events need attention"
    needs, _, rest = str(message.body).partition("\nLeads\n")
    assert "John Doe was disconnected from LinkedIn" in needs
    assert f"/linkedin/{account.pk}" in needs
    assert "Bob replied" in needs
    assert "Ada Lovelace: Message sent (3 changes: New → Invitation sent → Connected → Message sent)" in rest
    assert f"/leads/{ada.pk}" in rest
    assert f"/unsubscribe/{channel.unsubscribe_token}" in rest
    assert "03/02/2026 11:00 AM CET" in str(message.body)
    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]
    assert f'/leads/{ada.pk}">Ada Lovelace: Message sent</a>' in html
    assert states() == {("delivered", "")}
    assert sent() == []


def test_an_hourly_summary_goes_out_every_hour_and_an_empty_one_never(
    agency: Agency, clock: Clock, happen: Happen
) -> None:
    mailbox(agency, mode="hourly")
    for minute in (10, 20):
        clock.move_to(MONDAY + timedelta(minutes=minute))
        happen(linkedin_account_name=f"Account {minute}")
        assert sent() == []
    clock.move_to(MONDAY + timedelta(hours=1))
    assert subjects() == ["The last hour: 2 of 2 events need attention"]
    happen()
    fan_out_due_events()
    clock.move_to(MONDAY + timedelta(hours=2))
    assert subjects() == ["John Doe was disconnected from LinkedIn"]  # alone it speaks for itself
    clock.move_to(MONDAY + timedelta(hours=30))
    assert sent() == []


def test_a_worker_that_dies_after_sending_a_summary_sends_the_same_one_again(
    agency: Agency, clock: Clock, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox(agency, mode="hourly")
    happen(linkedin_account_name="First")
    happen(linkedin_account_name="Second")
    fan_out_due_events()
    clock.shift(3600)
    with monkeypatch.context() as patch:
        patch.setattr(worker, "save_results", die)
        with pytest.raises(Killed):
            drain_deliveries()
    happen(linkedin_account_name="Third")
    clock.shift(61)
    drain_deliveries()
    first, again = mail.outbox
    assert first.extra_headers["Message-ID"] == again.extra_headers["Message-ID"]
    assert first.body == again.body
    assert "Third" not in str(first.body)
    assert Delivery.objects.filter(status=DeliveryStatus.DELIVERED).count() == 2
    mail.outbox.clear()
    clock.shift(3600)
    assert subjects() == ["Third was disconnected from LinkedIn"]


def die(results: object) -> None:
    raise Killed


def test_a_summary_that_is_refused_is_tried_again_whole(
    agency: Agency, clock: Clock, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox(agency, mode="hourly")
    happen()
    happen(linkedin_account_name="Second")
    fan_out_due_events()
    clock.shift(3600)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert sent() == []
    carrier = Delivery.objects.get(carrier=None)
    carried = Delivery.objects.get(carrier=carrier)
    assert (carrier.attempts, carried.attempts, carried.status) == (1, 0, "pending")
    clock.shift(6)
    assert len(sent()) == 1
    assert states() == {("delivered", "")}
    assert carrier.attempt_log.count() == 2


def test_a_summary_that_can_never_arrive_fails_whole(
    agency: Agency, clock: Clock, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox(agency, mode="hourly")
    happen()
    happen(linkedin_account_name="Second")
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        for _ in range(11):
            clock.shift(timedelta(hours=27))
            drain_deliveries()
    assert states() == {("failed", "")}
    errors = set(Delivery.objects.values_list("error", flat=True))
    assert len(errors) == 1
    assert "The mail server did not take it" in errors.pop()


def test_what_waits_when_a_channel_is_switched_off_is_kept_and_replayed_as_one(
    agency: Agency, clock: Clock, happen: Happen
) -> None:
    channel = mailbox(agency, mode="daily")
    for name in ("First", "Second"):
        happen(linkedin_account_name=name)
    fan_out_due_events()
    disable_channel(channel, "Holidays.")
    assert {status for status, _ in states()} == {"cancelled"}
    clock.shift(timedelta(days=2))
    assert sent() == []
    replay_deliveries(enable_channel(channel), since=MONDAY)
    assert len(sent()) == 1
    [again] = [delivery for delivery in Delivery.objects.all() if delivery.carrier_id is None]
    mail.outbox.clear()
    assert replay_deliveries(channel, since=MONDAY) == 1
    assert len(sent()) == 1
    resend_delivery(Delivery.objects.get(carrier=again))
    assert subjects() in (["First was disconnected from LinkedIn"], ["Second was disconnected from LinkedIn"])


def test_a_person_who_sends_again_does_not_wait_for_the_morning(agency: Agency, clock: Clock, happen: Happen) -> None:
    mailbox(agency, quiet_hours=NIGHT)
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    happen()
    assert sent() == []
    resend_delivery(Delivery.objects.get())
    assert len(sent()) == 1


def test_other_rules_hold_for_what_waits_already(agency: Agency, clock: Clock, happen: Happen) -> None:
    channel = mailbox(agency, mode="daily")
    happen()
    assert sent() == []
    update_channel(channel, digest_at="17:30")
    assert Delivery.objects.get().next_attempt_at == MONDAY + timedelta(hours=8, minutes=30)
    update_channel(channel, mode="hourly")
    assert Delivery.objects.get().next_attempt_at == MONDAY + timedelta(hours=1)
    update_channel(channel, mode="instant")
    assert len(sent()) == 1


def test_slack_gets_summaries_too(agency: Agency, clock: Clock, happen: Happen, loopback: None) -> None:
    with receiver(answering(200)) as slack:
        create_channel(agency, kind="slack", url=slack.url, mode="hourly")
        happen(linkedin_account_name="<!channel> *Bold*")
        happen(EventType.LEAD_CREATED, lead_name="Ada")
        drain_deliveries()
        assert slack.requests == []
        clock.shift(3600)
        drain_deliveries()
    [request] = slack.requests
    text = json.dumps(json.loads(request.body)["blocks"], ensure_ascii=False)
    assert "The last hour: 1 of 2 events needs attention" in text
    assert "New lead: Ada" in text
    assert "<!channel>" not in text
    assert "*Bold*" not in text


def test_a_summary_shows_hostile_names_harmlessly_and_stays_short(agency: Agency, clock: Clock, happen: Happen) -> None:
    mailbox(agency, mode="hourly")
    for number in range(60):
        happen(EventType.LEAD_CREATED, lead_name=f"<script>alert({number})</script>\u202e\r\nBcc: x{'y' * 5000}")
    fan_out_due_events()
    clock.shift(3600)
    [message] = sent()
    html = str(message.alternatives[0][0])  # type: ignore[attr-defined]
    assert "<script" not in html
    assert "\u202e" not in html + str(message.body)
    assert "\n" not in str(message.subject)
    assert str(message.body).count("New lead") == 30
    assert "… and 30 more" in str(message.body)
    assert len(html) < 30_000


# --- programs -------------------------------------------------------------------------------------


def test_a_program_gets_every_event_at_once_whatever_people_chose(
    agency: Agency, clock: Clock, loopback: None, go_down: Happen
) -> None:
    mailbox(agency, mode="daily", quiet_hours=NIGHT)
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    lead = lead_of(agency)
    with receiver() as inbox:
        create_channel(agency, kind="webhook", url=inbox.url)
        go_down()
        moves(lead, LeadStatus.CONNECTION_SENT, LeadStatus.PENDING, LeadStatus.REPLY_RECEIVED)
        go_down(EventType.LINKEDIN_RECONNECTED, status="active")
        assert sent() == []
    types = [json.loads(request.body)["event_type"] for request in inbox.requests]
    assert sorted(types) == [
        "lead_replied",
        "lead_status_changed",
        "lead_status_changed",
        "lead_status_changed",
        "linkedin_disconnected",
        "linkedin_reconnected",
    ]
    assert Delivery.objects.filter(channel__kind="webhook", status=DeliveryStatus.DELIVERED).count() == 6


# --- conflation -----------------------------------------------------------------------------------


def test_changes_of_one_lead_within_a_minute_are_one_mail(agency: Agency, clock: Clock) -> None:
    mailbox(agency)
    lead = lead_of(agency)
    for status in (LeadStatus.CONNECTION_SENT, LeadStatus.CONNECTION_ACCEPTED, LeadStatus.MESSAGE_SENT):
        moves(lead, status)
        assert sent() == []
        clock.shift(20)
    assert states() == {("pending", "conflation")}
    [message] = sent()
    assert message.subject == "Ada Lovelace: Message sent"
    assert "moved from “New” to “Message sent”" in str(message.body)
    assert "Changes: 3 changes: New → Invitation sent → Connected → Message sent" in str(message.body)
    assert states() == {("delivered", "")}


def test_a_change_after_the_minute_is_a_mail_of_its_own(agency: Agency, clock: Clock) -> None:
    mailbox(agency)
    lead = lead_of(agency)
    moves(lead, LeadStatus.CONNECTION_SENT)
    assert sent() == []
    clock.shift(60)
    assert subjects() == ["Ada Lovelace: Invitation sent"]
    moves(lead, LeadStatus.CONNECTION_ACCEPTED)
    fan_out_due_events()
    clock.shift(59)
    assert sent() == []
    clock.shift(1)
    assert subjects() == ["Ada Lovelace: Connected"]


def test_a_lead_that_ends_where_it_began_is_no_mail(agency: Agency, clock: Clock) -> None:
    mailbox(agency)
    moves(lead_of(agency), LeadStatus.CONNECTION_SENT, LeadStatus.PENDING)
    fan_out_due_events()
    clock.shift(60)
    assert sent() == []
    assert set(Delivery.objects.values_list("status", "error")) == {
        ("cancelled", "Nothing to tell: the lead is back where it was.")
    }


@pytest.mark.parametrize(
    ("status", "subject"),
    [
        (LeadStatus.REPLY_RECEIVED, "Ada Lovelace replied"),
        (LeadStatus.OPPORTUNITY, "Ada Lovelace is an opportunity"),
    ],
)
def test_an_answer_waits_for_nothing_and_takes_along_what_does(
    agency: Agency, clock: Clock, status: LeadStatus, subject: str
) -> None:
    mailbox(agency)
    lead = lead_of(agency)
    moves(lead, LeadStatus.MESSAGE_SENT)
    assert sent() == []
    clock.shift(10)
    moves(lead, status)
    [message] = sent()
    assert message.subject == subject
    assert f"2 changes: New → Message sent → {status.label}" in str(message.body)
    assert states() == {("delivered", "")}
    assert Delivery.objects.count() == 3


def test_a_channel_that_hears_only_of_changes_gets_an_answer_at_once_too(agency: Agency, clock: Clock) -> None:
    mailbox(agency, event_types=["lead_status_changed"], quiet_hours=NIGHT)
    moves(lead_of(agency), LeadStatus.REPLY_RECEIVED)
    assert subjects() == ["Ada Lovelace: Replied"]
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    moves(lead_of(agency, "Bob"), LeadStatus.OPPORTUNITY)
    assert subjects() == ["Bob: Opportunity"]


def test_two_leads_and_two_campaigns_are_told_apart(agency: Agency, clock: Clock) -> None:
    mailbox(agency)
    moves(lead_of(agency), LeadStatus.CONNECTION_SENT)
    lead = lead_of(agency, "Bob")
    for campaign, before, after in (("a", "PENDING", "MESSAGE_SENT"), ("b", "MESSAGE_SENT", "PENDING")):
        record_event(
            agency,
            EventType.LEAD_STATUS_CHANGED,
            subject=lead.pk,
            lead_name="Bob",
            campaign_id=campaign,
            previous_status=before,
            status=after,
            status_label=after.title(),
        )
    fan_out_due_events()
    clock.shift(60)
    assert sorted(subjects()) == ["Ada Lovelace: Invitation sent", "Bob: Message sent", "Bob: New"]


def test_without_a_window_every_change_is_a_mail_at_once(agency: Agency, clock: Clock) -> None:
    mailbox(agency, conflation_seconds=0)
    lead = lead_of(agency)
    for status in (LeadStatus.CONNECTION_SENT, LeadStatus.PENDING, LeadStatus.REPLY_RECEIVED):
        clock.shift(1)
        moves(lead, status)
    fan_out_due_events()
    clock.shift(5)
    assert sorted(subjects()) == ["Ada Lovelace replied", "Ada Lovelace: Invitation sent", "Ada Lovelace: New"]


def test_a_lead_erased_while_its_mail_waits_is_not_told(agency: Agency, clock: Clock) -> None:
    mailbox(agency, event_types=["lead_status_changed"], conflation_seconds=3600)
    lead = lead_of(agency)
    moves(lead, LeadStatus.CONNECTION_SENT)
    fan_out_due_events()
    erase_lead(Lead.objects.get(pk=lead.pk))
    clock.shift(3600)
    assert sent() == []
    assert Delivery.objects.get().error == "Not sent: the lead was erased."


@pytest.mark.parametrize("erased", [0, 1])
def test_a_lead_erased_after_it_was_gathered_takes_nobody_along(agency: Agency, clock: Clock, erased: int) -> None:
    mailbox(agency, mode="hourly", event_types=["lead_status_changed"])
    leads = [lead_of(agency), lead_of(agency, "Bob"), lead_of(agency, "Eve")]
    for lead in leads:
        moves(lead, LeadStatus.CONNECTION_SENT)
    fan_out_due_events()
    clock.shift(3600)
    build_digests()
    erase_lead(Lead.objects.get(pk=leads[erased].pk))
    [message] = sent()
    named = [name for name in ("Ada Lovelace", "Bob", "Eve") if name in str(message.body)]
    assert len(named) == 2
    assert message.subject == "The last hour: 2 events"
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["cancelled", "delivered", "delivered"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_make_one_message(db: None) -> None:
    with time_machine.travel(MONDAY, tick=True) as clock:
        agency, _ = create_agency(name="Northwind")
        for number in range(3):
            create_channel(agency, kind="email", email=f"{number}@example.com", verified=True, mode="hourly")
        for _ in range(20):
            record_event(agency, EventType.LINKEDIN_DISCONNECTED)
        fan_out_due_events()
        clock.shift(3600)
        workers = [threading.Thread(target=_work) for _ in range(2)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
    assert sorted(message.to[0] for message in mail.outbox) == ["0@example.com", "1@example.com", "2@example.com"]
    assert Delivery.objects.filter(status=DeliveryStatus.DELIVERED).count() == 60


def _work() -> None:
    try:
        drain_deliveries()
    finally:
        connection.close()


# --- what became irrelevant -----------------------------------------------------------------------


def test_an_alert_is_cancelled_when_the_account_is_back_before_it_went_out(
    agency: Agency, clock: Clock, loopback: None, go_down: Happen
) -> None:
    mailbox(agency, quiet_hours=NIGHT)
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    with receiver() as inbox:
        create_channel(agency, kind="webhook", url=inbox.url)
        down = go_down()
        go_down(EventType.LINKEDIN_RECONNECTED, status="active")
        assert sent() == []
        clock.move_to(datetime(2026, 3, 3, 7, tzinfo=UTC))
        assert subjects() == ["John Doe is back on LinkedIn"]
    cancelled = Delivery.objects.get(channel__kind="email", event=down)
    assert (cancelled.status, cancelled.error) == (
        DeliveryStatus.CANCELLED,
        "No longer needed: the account is connected again.",
    )
    assert len(inbox.requests) == 2


def test_an_alert_that_waits_for_the_mail_server_is_cancelled_too(
    agency: Agency, clock: Clock, go_down: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailbox(agency)
    go_down()
    fan_out_due_events()
    clock.shift(60)  # alerts of drops wait
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert sent() == []
    go_down(EventType.LINKEDIN_RECONNECTED, status="active")
    clock.shift(10)
    assert subjects() == ["John Doe is back on LinkedIn"]
    assert Delivery.objects.filter(status=DeliveryStatus.CANCELLED, attempts=1).count() == 1


@pytest.mark.parametrize("also", [EventType.UNINSTALL, None])
def test_a_summary_that_waits_for_the_mail_server_leaves_out_who_is_back(
    agency: Agency, clock: Clock, go_down: Happen, monkeypatch: pytest.MonkeyPatch, also: EventType | None
) -> None:
    mailbox(agency, mode="hourly")
    go_down()
    go_down(EventType.LINKEDIN_INCOMPLETE, "incomplete")
    if also:
        record_event(agency, also)
    fan_out_due_events()
    clock.shift(3600)
    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", refuse)
        assert sent() == []
    Account.objects.update(status="active")
    clock.shift(10)
    assert subjects() == (["The app was removed"] if also else [])
    cancelled = Delivery.objects.filter(status=DeliveryStatus.CANCELLED)
    assert cancelled.count() == (1 if also else 2)  # one of them carried the message
    assert set(cancelled.values_list("error", flat=True)) == {"No longer needed: the account is connected again."}
    assert not Delivery.objects.filter(status=DeliveryStatus.PENDING).exists()


def test_an_account_that_is_still_gone_is_told_in_the_morning(agency: Agency, clock: Clock, go_down: Happen) -> None:
    mailbox(agency, quiet_hours=NIGHT)
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    go_down()
    go_down(EventType.LINKEDIN_RECONNECTED, status="active")
    go_down()
    fan_out_due_events()
    clock.move_to(datetime(2026, 3, 3, 7, tzinfo=UTC))
    [message] = sent()
    assert message.subject == "John Doe was disconnected from LinkedIn"
    assert "Changes: 3 changes" in str(message.body)


def test_a_source_that_works_again_before_the_morning_is_no_alert(agency: Agency, clock: Clock, happen: Happen) -> None:
    mailbox(agency, quiet_hours=NIGHT, event_types=["source_rejected", "source_silent"])
    clock.move_to(datetime(2026, 3, 2, 23, tzinfo=UTC))
    for source, event_type in (
        ("src_a", EventType.SOURCE_REJECTED),
        ("src_b", EventType.SOURCE_REJECTED),
        ("src_a", EventType.SOURCE_RECOVERED),
    ):
        record_event(agency, event_type, subject=source, source_id=source, source_name=source)
        clock.shift(60)
    fan_out_due_events()
    clock.move_to(datetime(2026, 3, 3, 7, tzinfo=UTC))
    [message] = sent()
    assert "src_b" in str(message.body)
    assert Delivery.objects.filter(status=DeliveryStatus.CANCELLED).get().event.subject == "src_a"


# --- accounts that flap ---------------------------------------------------------------------------


@pytest.fixture
def reports(agency: Agency, account: Account, clock: Clock) -> Callable[..., None]:
    """Let Salesflow report statuses of the account, one a minute."""

    def reports(*statuses: AccountStatus) -> None:
        for status in statuses:
            clock.shift(60)
            drain_deliveries()  # alerts of drops wait so long
            clock.shift(1)
            report_status(
                agency,
                provider="salesflow",
                identity=AccountIdentity(external_id="7"),
                status=status,
                origin=Origin(by="salesflow", at=timezone.now()),
            )
            react()
            drain_deliveries()

    return reports


UP, DOWN = AccountStatus.ACTIVE, AccountStatus.DISCONNECTED


def test_an_account_that_flaps_says_so_once_and_then_where_it_came_to_rest(
    agency: Agency, clock: Clock, loopback: None, reports: Callable[..., None]
) -> None:
    mailbox(agency)
    with receiver() as inbox:
        create_channel(agency, kind="webhook", url=inbox.url)
        reports(DOWN, UP, DOWN, UP)
        assert len(sent()) == 4
        reports(DOWN, UP, DOWN, UP, DOWN)
        assert subjects() == ["John Doe keeps losing its connection to LinkedIn"]
        assert states() == {("delivered", ""), ("pending", "flapping")}
        clock.shift(timedelta(minutes=29))
        assert sent() == []
        clock.shift(timedelta(minutes=1))
        assert subjects() == ["John Doe was disconnected from LinkedIn"]
    types = [json.loads(request.body)["event_type"] for request in inbox.requests]
    assert [types.count(f"linkedin_{word}") for word in ("disconnected", "reconnected", "flapping")] == [5, 4, 1]


def test_an_account_that_settles_connected_is_told_as_that(
    agency: Agency, clock: Clock, reports: Callable[..., None]
) -> None:
    mailbox(agency)
    reports(DOWN, UP, DOWN, UP, DOWN, UP)
    sent()
    clock.shift(timedelta(minutes=31))
    assert subjects() == ["John Doe is back on LinkedIn"]
    assert Delivery.objects.filter(status=DeliveryStatus.CANCELLED).count() == 1


def test_an_account_that_flaps_anew_after_it_had_settled_says_so_again(
    agency: Agency, clock: Clock, reports: Callable[..., None]
) -> None:
    for _ in range(2):
        reports(DOWN, UP, DOWN, UP, DOWN, UP, DOWN, UP)
        clock.shift(timedelta(hours=2))
    assert Event.objects.filter(event_type=EventType.LINKEDIN_FLAPPING).count() == 2


def test_the_owner_of_an_account_that_flaps_is_asked_when_it_has_settled(
    agency: Agency, account: Account, clock: Clock, reports: Callable[..., None]
) -> None:
    Account.objects.filter(pk=account.pk).update(email="john@example.com")
    reports(DOWN, UP, DOWN, UP)
    assert [message.to for message in sent()] == [["john@example.com"]] * 2
    reports(DOWN, UP, DOWN)
    clock.shift(timedelta(minutes=29))
    remind_due()
    assert sent() == []
    clock.shift(timedelta(minutes=2))
    remind_due()
    [message] = sent()
    assert message.to == ["john@example.com"]
    assert "reminder" not in str(message.body).lower()


def test_losses_over_a_day_are_told_one_by_one(agency: Agency, clock: Clock, reports: Callable[..., None]) -> None:
    for _ in range(5):
        reports(DOWN, UP)
        clock.shift(timedelta(minutes=40))
    assert not Event.objects.filter(event_type=EventType.LINKEDIN_FLAPPING).exists()


def test_a_block_is_told_at_once_although_the_account_flaps(
    agency: Agency, clock: Clock, reports: Callable[..., None]
) -> None:
    mailbox(agency)
    reports(DOWN, UP, DOWN, UP, DOWN)
    sent()
    reports(AccountStatus.BLOCKED)
    clock.shift(60)
    assert subjects() == ["LinkedIn blocked John Doe"]
