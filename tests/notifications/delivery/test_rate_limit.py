"""A rate is kept by all workers together; a receiver that fails and fails is left alone, but not forgotten."""

from collections.abc import Callable
from datetime import timedelta
from time import monotonic

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.models import Agency, Event, Member
from notifications.channels.replay import resend_delivery
from notifications.channels.service import create_channel, disable_channel, send_test_event
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.delivery.claim import claim_due_deliveries
from notifications.delivery.concurrency import ConcurrencyLimits
from notifications.models import Attempt, Channel, ChannelStatus, Delivery, DeliveryStatus, Hold
from tests.notifications.receiver import Receiver, answering, receiver

MakeChannel = Callable[..., Channel]
Happen = Callable[..., Event]


def too_soon(inbox: Receiver, began: float, *, spacing: float) -> list[float]:
    """When requests came, in seconds, that came before their turn. A busy machine makes them later, never sooner."""
    times = [request.at - began for request in inbox.requests]
    return [at for place, at in enumerate(times) if at < 0.95 * spacing * place]


def test_slack_gets_one_message_a_second_and_nobody_else_waits_for_it(
    agency: Agency, webhook: MakeChannel, happen: Happen
) -> None:
    with receiver() as slack, receiver() as crm:
        create_channel(agency, kind="slack", url=slack.url)
        webhook(crm.url)
        for _ in range(4):
            happen()
        began = monotonic()
        drain_deliveries()
    assert len(slack.requests) == len(crm.requests) == 4
    assert too_soon(slack, began, spacing=1) == []
    assert crm.requests[-1].at < slack.requests[2].at
    assert set(Delivery.objects.values_list("status", "attempts", "hold")) == {("delivered", 1, "")}


def test_a_webhooks_own_rate_is_kept(webhook: MakeChannel, happen: Happen) -> None:
    with receiver() as inbox:
        webhook(inbox.url, rate_per_second=20)
        for _ in range(30):
            happen()
        began = monotonic()
        drain_deliveries()
    assert len({request.message_id for request in inbox.requests}) == len(inbox.requests) == 30
    assert too_soon(inbox, began, spacing=1 / 20) == []


def test_two_workers_keep_one_rate_and_what_waits_says_so_and_loses_no_attempt(
    webhook: MakeChannel, happen: Happen
) -> None:
    webhook("https://example.com/hook", rate_per_second=0.5)
    for _ in range(4):
        happen()
    fan_out_due_events()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert len(claim_due_deliveries(ConcurrencyLimits())) == 1
        assert claim_due_deliveries(ConcurrencyLimits()) == []
        waiting = Delivery.objects.filter(attempts=0).order_by("next_attempt_at")
        assert [
            (round((row.next_attempt_at - timezone.now()).total_seconds()), row.hold)  # type: ignore[operator]
            for row in waiting
        ] == [(seconds, "rate") for seconds in (2, 4, 6)]
        clock.shift(timedelta(seconds=2))
        [prepared] = claim_due_deliveries(ConcurrencyLimits())
        assert (prepared.delivery.attempts, prepared.delivery.hold) == (1, "")
        clock.shift(timedelta(hours=1))  # everybody slept: still not two at once
        assert len(claim_due_deliveries(ConcurrencyLimits())) == 1


def test_after_ten_failures_in_a_row_a_receiver_is_looked_after_by_one_request_at_a_time(
    webhook: MakeChannel, happen: Happen
) -> None:
    mended = answering(*[500] * 11, 200)
    with receiver(mended) as inbox, time_machine.travel(timezone.now()) as clock:
        channel = webhook(inbox.url)
        events = {happen().pk for _ in range(30)}
        drain_deliveries()
        assert len(inbox.requests) == 10
        channel.refresh_from_db()
        assert channel.consecutive_failures == 10
        waiting = Delivery.objects.filter(attempts=0)
        assert set(waiting.values_list("status", "hold")) == {(DeliveryStatus.PENDING, Hold.REST)}
        assert len(waiting) == 20
        assert set(waiting.values_list("next_attempt_at", flat=True)) == {channel.circuit_open_until}
        clock.shift(timedelta(seconds=20))
        drain_deliveries()
        assert len(inbox.requests) == 10
        clock.shift(timedelta(seconds=11))
        drain_deliveries()
        assert len(inbox.requests) == 11
        assert Attempt.objects.count() == 11
        clock.shift(timedelta(minutes=6))
        drain_deliveries()
    assert {request.message_id for request in inbox.requests} == events
    assert Delivery.objects.filter(status=DeliveryStatus.DELIVERED).count() == 30
    assert sum(Delivery.objects.values_list("attempts", flat=True)) == len(inbox.requests) == 41
    channel.refresh_from_db()
    assert (channel.consecutive_failures, channel.circuit_open_until) == (0, None)


def test_only_one_worker_looks_whether_a_resting_receiver_is_back(webhook: MakeChannel, happen: Happen) -> None:
    channel = webhook("https://example.com/hook")
    Channel.objects.update(consecutive_failures=12, circuit_open_until=timezone.now() - timedelta(seconds=1))
    for _ in range(5):
        happen()
    fan_out_due_events()
    assert len(claim_due_deliveries(ConcurrencyLimits())) == 1
    assert claim_due_deliveries(ConcurrencyLimits()) == []
    assert channel.deliveries.filter(attempts=0).filter(hold=Hold.REST).count() == 4


@pytest.mark.parametrize("act", ["test", "resend"])
def test_who_asks_for_a_delivery_does_not_wait_until_the_rest_is_over(
    webhook: MakeChannel, happen: Happen, act: str
) -> None:
    with receiver(answering(200)) as inbox:
        channel = webhook(inbox.url)
        happen()
        fan_out_due_events()
        Channel.objects.update(consecutive_failures=12, circuit_open_until=timezone.now() + timedelta(minutes=5))
        drain_deliveries()
        assert inbox.requests == []
        delivery = Delivery.objects.get()
        assert delivery.hold == Hold.REST
        if act == "test":
            send_test_event(channel)
        else:
            resend_delivery(delivery)
        drain_deliveries()
    assert len(inbox.requests) == (2 if act == "test" else 1)
    assert not Delivery.objects.exclude(status=DeliveryStatus.DELIVERED).exists()


def test_what_waited_for_a_channel_that_is_switched_off_says_that_instead(webhook: MakeChannel, happen: Happen) -> None:
    channel = webhook("https://example.com/hook", rate_per_second=0.1)
    for _ in range(2):
        happen()
    fan_out_due_events()
    claim_due_deliveries(ConcurrencyLimits())
    disable_channel(channel, "Maintenance.")
    assert set(Delivery.objects.values_list("status", "hold", "error")) == {
        ("cancelled", "", "The channel was off: Maintenance.")
    }


@pytest.mark.parametrize(
    ("status", "word", "reason"),
    [
        (410, "channel_is_archived", "The channel was archived in Slack."),
        (404, "channel_not_found", "The channel was deleted in Slack."),
        (404, "no_service", "The webhook was removed in Slack."),
    ],
)
def test_a_slack_channel_that_is_no_more_is_switched_off_with_its_reason(
    agency: Agency, loopback: None, happen: Happen, status: int, word: str, reason: str
) -> None:
    with receiver(answering(status, body=word)) as slack:
        channel, _ = create_channel(agency, kind="slack", url=slack.url)
        happen()
        drain_deliveries()
    channel.refresh_from_db()
    assert (channel.status, channel.disabled_reason) == (ChannelStatus.DISABLED, reason)
    assert channel.deliveries.get().status == DeliveryStatus.CANCELLED


def test_slack_being_down_switches_nothing_off(agency: Agency, loopback: None, happen: Happen) -> None:
    with receiver(answering(500, body="rollup_error")) as slack:
        channel, _ = create_channel(agency, kind="slack", url=slack.url)
        happen()
        drain_deliveries()
    channel.refresh_from_db()
    assert (channel.status, channel.deliveries.get().status) == (ChannelStatus.ENABLED, DeliveryStatus.PENDING)


def test_the_log_shows_why_something_waits(
    agency: Agency, webhook: MakeChannel, happen: Happen, admin_client: Client
) -> None:
    webhook("https://example.com/hook", rate_per_second=0.1)
    for _ in range(2):
        happen()
    fan_out_due_events()
    claim_due_deliveries(ConcurrencyLimits())
    delivery = Delivery.objects.get(attempts=0)
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    member = Client()
    member.force_login(owner)
    why = "waits its turn: the channel takes only so many a second"
    for browser, path in (
        (member, "/notifications/deliveries"),
        (member, f"/notifications/deliveries/{delivery.pk}"),
        (admin_client, f"/admin/notifications/delivery/{delivery.pk}/change/"),
    ):
        assert why in browser.get(path, follow=True).content.decode(), path


def test_a_backlog_for_a_resting_receiver_hides_nobody_behind_it(webhook: MakeChannel, happen: Happen) -> None:
    resting = webhook("https://resting.example.com/", event_types=["linkedin_disconnected"])
    Channel.objects.update(consecutive_failures=12, circuit_open_until=timezone.now() + timedelta(minutes=5))
    for _ in range(300):
        happen()
    while fan_out_due_events():
        pass
    other = webhook("https://other.example.com/", event_types=["linkedin_blocked"])
    happen(EventType.LINKEDIN_BLOCKED)
    fan_out_due_events()
    assert [prepared.channel for prepared in claim_due_deliveries(ConcurrencyLimits())] == [other]
    assert resting.deliveries.filter(hold=Hold.REST, attempts=0, next_attempt_at__gt=timezone.now()).count() == 300
