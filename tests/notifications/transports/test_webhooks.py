"""What an agency's webhook receives, and when it is tried again."""

import json
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest
import time_machine
from django.utils import timezone
from standardwebhooks import Webhook

from accounts.core.enums import EventType
from notifications.channels.service import rotate_secret
from notifications.delivery import drain_deliveries
from notifications.egress import session as egress
from notifications.models import Attempt, ChannelStatus, Delivery, DeliveryStatus
from tests.notifications.happenings import Happen, MakeChannel
from tests.notifications.receiver import answering, dripping, flooding, hanging, raw, receiver, resetting

UNREADABLE = "The receiver's answer is not HTTP that can be read."
START = datetime(2026, 3, 21, 0, 22, 16, tzinfo=UTC)
BACKOFF_STEPS = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]


def test_an_agency_receives_the_flat_body_with_the_documented_headers(webhook: MakeChannel, happen: Happen) -> None:
    with receiver() as inbox:
        webhook(inbox.url, headers={"Authorization": "Bearer abc", "X-Team": "north"})
        event = happen(EventType.LINKEDIN_AUTH_ERROR, location_id="tdIePnL9kWCtdO7z6Md5", error_detail="Token expired")
        drain_deliveries()
    [request] = inbox.requests
    assert json.loads(request.body) == {
        "event_type": "linkedin_auth_error",
        "event_id": event.pk,
        "ghl_company_id": "fhRhvcLbntMZs3hVo5L4",
        "ghl_location_id": "tdIePnL9kWCtdO7z6Md5",
        "linkedin_account_name": "John Doe",
        "error_detail": "Token expired",
        "timestamp": event.payload["timestamp"],
    }
    assert request.headers["webhook-id"] == event.pk
    assert request.headers["user-agent"] == "Leadline/0.1.0"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["authorization"] == "Bearer abc"
    assert request.headers["x-team"] == "north"
    assert "cookie" not in request.headers
    [attempt] = Attempt.objects.all()
    assert (attempt.status_code, attempt.error, attempt.response_excerpt) == (200, "", "ok")
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == (DeliveryStatus.DELIVERED, 1, None)


def test_an_independent_verifier_accepts_the_signature_with_either_secret_while_a_rotation_overlaps(
    webhook: MakeChannel, happen: Happen
) -> None:
    with receiver() as inbox:
        channel = webhook(inbox.url)
        [old] = [row.secret for row in channel.secrets.all()]
        new = rotate_secret(channel)
        happen()
        drain_deliveries()
        [request] = inbox.requests
        for secret in (old, new):
            Webhook(secret).verify(request.body, request.headers)
        assert len(request.headers["webhook-signature"].split()) == 2

        with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=1)):
            happen()
            drain_deliveries()
            later = inbox.requests[1]
            Webhook(new).verify(later.body, later.headers)
            assert len(later.headers["webhook-signature"].split()) == 1


def test_a_failing_receiver_is_tried_ten_times_by_the_schedule_and_then_the_delivery_has_failed(
    webhook: MakeChannel, happen: Happen
) -> None:
    with receiver(answering(500, body="we are mending it")) as inbox, time_machine.travel(START) as clock:
        webhook(inbox.url)
        event = happen()
        drain_deliveries()
        delivery = Delivery.objects.get(event=event)
        for count, step in enumerate(BACKOFF_STEPS, start=1):
            delivery.refresh_from_db()
            assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, count)
            last = delivery.attempt_log.latest("at")
            ended_at = last.at + timedelta(milliseconds=last.duration_ms)
            assert delivery.next_attempt_at is not None
            assert step <= (delivery.next_attempt_at - ended_at).total_seconds() <= step * 1.1
            clock.move_to(delivery.next_attempt_at - timedelta(seconds=1), tick=False)
            drain_deliveries()
            assert delivery.attempt_log.count() == count
            clock.move_to(delivery.next_attempt_at, tick=True)
            drain_deliveries()
        delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.next_attempt_at) == (DeliveryStatus.FAILED, 10, None)
    assert delivery.error == "The receiver answered 500."
    assert [request.message_id for request in inbox.requests] == [event.pk] * 10
    assert set(delivery.attempt_log.values_list("status_code", "response_excerpt")) == {(500, "we are mending it")}


@pytest.mark.once
@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, "120", 120),
        (503, "Sat, 21 Mar 2026 01:22:16 GMT", 3600),
        (503, "999999999", 86400),
        (429, "1", 5),
        (429, "soon", 5),
        (500, "120", 5),
    ],
)
def test_retry_after_counts_on_429_and_503_when_it_is_later_than_the_step(
    webhook: MakeChannel, happen: Happen, status: int, retry_after: str, seconds: int
) -> None:
    with receiver(answering(status, headers=f"Retry-After: {retry_after}\r\n")) as inbox:
        with time_machine.travel(START):
            webhook(inbox.url)
            happen()
            drain_deliveries()
            took = (timezone.now() - START).total_seconds()
        delivery = Delivery.objects.get()
    assert delivery.next_attempt_at is not None
    assert seconds - 1 <= (delivery.next_attempt_at - START).total_seconds() <= seconds * 1.1 + took


def test_a_receiver_that_answers_410_is_switched_off_at_once_and_what_was_due_is_kept(
    webhook: MakeChannel, happen: Happen
) -> None:
    with receiver(answering(410)) as gone, receiver() as other:
        channel = webhook(gone.url, name="Old CRM")
        webhook(other.url)
        happen()
        drain_deliveries()
    channel.refresh_from_db()
    assert (channel.status, channel.disabled_reason) == (
        ChannelStatus.DISABLED,
        "The receiver answered 410: it wants nothing any more.",
    )
    assert channel.deliveries.get().status == DeliveryStatus.CANCELLED
    assert len(gone.requests) == 1
    bodies = [json.loads(request.body) for request in other.requests]
    assert [body["event_type"] for body in bodies] == ["linkedin_disconnected", "channel_disabled"]
    assert (bodies[1]["channel_id"], bodies[1]["channel_name"]) == (channel.pk, "Old CRM")


def test_a_redirect_is_an_answer_and_is_not_followed(webhook: MakeChannel, happen: Happen) -> None:
    with receiver() as inside, receiver(answering(302, headers=f"Location: {inside.url}\r\n")) as outside:
        webhook(outside.url)
        happen()
        drain_deliveries()
    assert inside.connections == 0
    assert Delivery.objects.get().error == "The receiver answered 302."


@pytest.mark.once
@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (resetting, "The receiver closed the connection without an answer."),
        (raw(b""), "The receiver closed the connection without an answer."),
        (raw(b"SSH-2.0-OpenSSH\r\n\r\n"), UNREADABLE),
        (
            raw(b"HTTP/1.1 200 OK\r\n" + b"X-Much: " + b"y" * 5_000_000),
            UNREADABLE,
        ),
        (raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 800_000), UNREADABLE),
        (flooding, "The receiver answered 500."),
    ],
)
def test_a_receiver_that_misbehaves_is_tried_again_and_the_log_says_why(
    webhook: MakeChannel, happen: Happen, behaviour: object, reason: str
) -> None:
    with receiver(behaviour) as inbox:
        webhook(inbox.url)
        happen()
        drain_deliveries()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.error) == (DeliveryStatus.PENDING, 1, reason)
    assert len(delivery.attempt_log.get().response_excerpt) <= 4096


def test_an_excerpt_holds_four_kilobytes_of_whatever_bytes_came(webhook: MakeChannel, happen: Happen) -> None:
    with receiver(raw(b"HTTP/1.1 500 No\r\nContent-Length: 9999\r\n\r\n\x00\xff" + b"a" * 9997)) as inbox:
        webhook(inbox.url)
        happen()
        drain_deliveries()
    excerpt = Attempt.objects.get().response_excerpt
    assert excerpt == "\ufffd\ufffd" + "a" * 4094


def test_a_receiver_that_is_mended_gets_the_event_and_the_agency_is_told_once_each_way(
    webhook: MakeChannel, happen: Happen
) -> None:
    broken_then_mended = answering(500, 500, 500, 500, 500, 200)
    with receiver(broken_then_mended) as broken, receiver() as other, time_machine.travel(START) as clock:
        channel = webhook(broken.url, name="CRM")
        webhook(other.url)
        happen()
        drain_deliveries()
        while delivery := channel.deliveries.filter(status=DeliveryStatus.PENDING).first():
            assert delivery.next_attempt_at is not None
            clock.move_to(delivery.next_attempt_at)
            drain_deliveries()
    assert [json.loads(request.body)["event_type"] for request in other.requests] == [
        "linkedin_disconnected",
        "channel_failing",
        "channel_recovered",
    ]
    assert {json.loads(request.body)["event_type"] for request in broken.requests} == {"linkedin_disconnected"}
    channel.refresh_from_db()
    assert (channel.consecutive_failures, channel.failing_since) == (0, None)


@pytest.mark.one_backend
def test_twenty_hanging_receivers_do_not_hold_up_a_healthy_one(
    webhook: MakeChannel, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "TOTAL_TIMEOUT", 4)
    with receiver(hanging) as stuck, receiver(dripping) as slow, receiver() as good:
        for number in range(20):
            webhook((slow if number % 2 else stuck).url)
        healthy = webhook(good.url, event_types=["linkedin_disconnected"])
        for _ in range(10):
            happen()
        started = monotonic()
        drain_deliveries(run_seconds=0.5)
    assert healthy.deliveries.filter(status=DeliveryStatus.DELIVERED).count() == 10
    assert max(request.at for request in good.requests) - started < egress.TOTAL_TIMEOUT  # nobody was waited for
    assert len({request.message_id for request in good.requests}) == len(good.requests) == 10
    assert set(Attempt.objects.filter(status_code=None).values_list("error", flat=True)) == {
        "No answer within 4 seconds."
    }
