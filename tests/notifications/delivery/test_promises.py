"""Nothing lost, nothing twice: leases, crashes, several workers at once."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Event
from accounts.tenancy.agencies import create_agency
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries, fan_out_due_events, worker
from notifications.delivery.claim import claim_due_deliveries
from notifications.delivery.concurrency import ConcurrencyLimits
from notifications.delivery.sender import DeliveryResult
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus
from tests.notifications.happenings import Killed
from tests.notifications.receiver import receiver

MakeChannel = Callable[..., Channel]
Happen = Callable[..., Event]


def test_an_attempt_whose_worker_died_is_made_again_under_the_same_id_when_its_lease_is_over(
    webhook: MakeChannel, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(results: object) -> None:
        raise Killed

    with receiver() as inbox:
        webhook(inbox.url)
        event = happen()
        with monkeypatch.context() as patch:
            patch.setattr(worker, "save_results", die)
            with pytest.raises(Killed):
                drain_deliveries()
        delivery = Delivery.objects.get()
        assert (delivery.status, delivery.attempts) == (DeliveryStatus.PENDING, 1)
        drain_deliveries()  # the lease still holds
        assert len(inbox.requests) == 1
        with time_machine.travel(timezone.now() + timedelta(seconds=61)):
            drain_deliveries()
    assert [request.message_id for request in inbox.requests] == [event.pk, event.pk]
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts) == (DeliveryStatus.DELIVERED, 2)


def test_a_delivery_that_kills_every_worker_ends_as_failed_and_others_go_on(
    webhook: MakeChannel, happen: Happen
) -> None:
    with receiver() as inbox, time_machine.travel(timezone.now()) as clock:
        webhook(inbox.url)
        happen()
        fan_out_due_events()
        for _ in range(10):
            assert len(claim_due_deliveries(ConcurrencyLimits())) == 1  # and then the process is gone
            clock.shift(61)
        happen()
        drain_deliveries()
    poison, good = Delivery.objects.order_by("pk")
    assert (poison.status, poison.attempts, poison.error) == (
        DeliveryStatus.FAILED,
        10,
        "Every attempt ended with the worker that made it.",
    )
    assert good.status == DeliveryStatus.DELIVERED
    assert [request.message_id for request in inbox.requests] == [good.event_id]


def test_what_is_leased_by_another_worker_is_left_alone(webhook: MakeChannel, happen: Happen) -> None:
    webhook("https://example.com/hook")
    happen()
    fan_out_due_events()
    assert len(claim_due_deliveries(ConcurrencyLimits())) == 1
    assert claim_due_deliveries(ConcurrencyLimits()) == []


def test_a_busy_receiver_takes_no_place_from_others(webhook: MakeChannel, happen: Happen) -> None:
    busy = webhook("https://busy.example.com/", event_types=["linkedin_disconnected"])
    for _ in range(300):
        happen()
    fan_out_due_events()
    fan_out_due_events()
    other = webhook("https://other.example.com/", event_types=["linkedin_blocked"])
    happen(EventType.LINKEDIN_BLOCKED)
    fan_out_due_events()
    taken = [prepared.channel for prepared in claim_due_deliveries(ConcurrencyLimits())]
    assert taken.count(busy) == 4
    assert taken.count(other) == 1


def test_a_lead_erased_while_its_event_was_on_its_way_holds_up_nothing(
    webhook: MakeChannel, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = worker.save_results  # type: ignore[attr-defined]

    def erase_first(results: list[DeliveryResult]) -> None:
        Event.objects.filter(pk=results[0].prepared.event.pk).delete()
        original(results)

    with receiver() as inbox:
        webhook(inbox.url)
        happen()
        monkeypatch.setattr(worker, "save_results", erase_first)
        drain_deliveries()
    assert not Delivery.objects.exists()
    assert len(inbox.requests) == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_nothing_twice(loopback: None) -> None:
    agency, _ = create_agency(name="Northwind")
    with receiver() as inbox, receiver() as second:
        create_channel(agency, kind="webhook", url=inbox.url)
        create_channel(agency, kind="webhook", url=second.url)
        events = [record_event(agency, EventType.LINKEDIN_DISCONNECTED).pk for _ in range(150)]
        workers = [threading.Thread(target=_work) for _ in range(2)]
        for thread in workers:
            thread.start()
        for thread in workers:
            thread.join()
    for box in (inbox, second):
        assert sorted(request.message_id for request in box.requests) == sorted(events)
    assert Delivery.objects.filter(status=DeliveryStatus.DELIVERED, attempts=1).count() == 300
    assert Attempt.objects.count() == 300


def _work() -> None:
    try:
        drain_deliveries()
    finally:
        connection.close()
