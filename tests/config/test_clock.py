"""The clock is set back by an hour: what is dated by the clock as it was does not wait for it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.campaigns import commands
from accounts.core.enums import EventType
from accounts.events import reactions
from accounts.events.outbox import record_event
from accounts.models import Agency, Campaign, CampaignCommand, Event, Reaction
from accounts.models.command import CommandStatus
from accounts.sources.service import create_source
from config.celery import HeartbeatScheduler, app
from config.ops.clock import MARGIN, release_future_rows
from leads.lead_sync import backfill, fetching, health_checks
from leads.models import Lead, LeadFetch, Pull
from notifications.delivery import claim, drain_deliveries, rate_limit
from notifications.models import Channel, Delivery, DeliveryStatus
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, work
from tests.notifications.happenings import Happen, MakeChannel
from tests.notifications.receiver import answering, receiver
from tests.reactions import react
from tests.receiving import receive_sample, source_of
from webhooks.models import Receipt
from webhooks.processing import processor
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
JUMP = timedelta(hours=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def test_a_receipt_that_was_never_tried_is_processed_at_once(agency: Agency, clock: time_machine.Traveller) -> None:
    source = source_of(agency, "salesflow")
    receive_sample(source, "account_blocked")
    clock.shift(-JUMP)
    assert process_due_receipts() == 1
    assert Receipt.objects.get().status == "processed"


def test_a_receipt_that_waits_for_another_try_waits_no_longer_than_its_step(
    agency: Agency, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(agency, "salesflow")
    receive_sample(source, "account_blocked")

    def fail(*_: object) -> None:
        raise ValueError

    with monkeypatch.context() as broken:
        broken.setattr(processor, "apply_event", fail)
        process_due_receipts()
    clock.shift(-JUMP)
    assert process_due_receipts() == 0
    release_future_rows()
    assert process_due_receipts() == 1


def test_a_reaction_that_was_never_tried_is_carried_out(agency: Agency, clock: time_machine.Traveller) -> None:
    receive_sample(source_of(agency, "salesflow"), "account_blocked")
    process_due_receipts()
    assert Reaction.objects.exists()
    clock.shift(-JUMP)
    assert reactions.carry_out_due_reactions() == 0
    release_future_rows()
    react()
    assert not Reaction.objects.exists()


def test_an_event_is_fanned_out_and_delivered(
    agency: Agency,
    webhook: MakeChannel,
    happen: Happen,
    clock: time_machine.Traveller,
) -> None:
    with receiver() as inbox:
        webhook(inbox.url)
        happen()
        clock.shift(-JUMP)
        release_future_rows()
        drain_deliveries()
        assert len(inbox.requests) == 1


def test_a_delivery_that_was_never_tried_and_one_that_is_leased_are_sent(
    agency: Agency,
    webhook: MakeChannel,
    happen: Happen,
    clock: time_machine.Traveller,
) -> None:
    with receiver() as inbox:
        webhook(inbox.url)
        happen()
        happen()
        from notifications.delivery import fan_out_due_events

        fan_out_due_events()
        leased = Delivery.objects.first()
        assert leased is not None
        Delivery.objects.filter(pk=leased.pk).update(leased_until=timezone.now() + claim.LEASE, attempts=1)
        clock.shift(-JUMP)
        release_future_rows()
        drain_deliveries()
        assert len(inbox.requests) == 2
    assert set(Delivery.objects.values_list("status", flat=True)) == {DeliveryStatus.DELIVERED}


def test_a_resting_channel_is_looked_at_again(
    agency: Agency,
    webhook: MakeChannel,
    happen: Happen,
    clock: time_machine.Traveller,
) -> None:
    with receiver(answering(200)) as inbox:
        channel = webhook(inbox.url)
        rest = timezone.now() + rate_limit.MAX_OPEN_TIME
        Channel.objects.filter(pk=channel.pk).update(
            consecutive_failures=rate_limit.FAILURES_TO_OPEN, circuit_open_until=rest, throttled_until=rest
        )
        happen()
        drain_deliveries()
        assert inbox.requests == []
        clock.shift(-JUMP)
        release_future_rows()
        drain_deliveries()
        assert len(inbox.requests) == 1


def test_a_leads_answers_are_fetched_and_it_is_told_of(agency: Agency, clock: time_machine.Traveller) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        notify(source, stand_in.world.submit())
        notify(source, stand_in.world.submit())
        process_due_receipts()
        first = LeadFetch.objects.order_by("pk").first()
        assert first is not None
        LeadFetch.objects.filter(pk=first.pk).update(leased_until=timezone.now() + fetching.LEASE, attempts=1)
        clock.shift(-JUMP)
        assert fetching.fetch_due() == 0
        release_future_rows()
        assert not LeadFetch.objects.filter(announce_by__gt=timezone.now() + MARGIN).exists()
        fetching.fetch_due()
    assert set(Lead.objects.values_list("details_pending", flat=True)) == {False}


def test_a_connection_is_checked_and_its_pull_goes_on(agency: Agency, clock: time_machine.Traveller) -> None:
    with linkedin() as stand_in:
        stand_in.world.submit_many(5)
        connected(agency)
        clock.shift(-JUMP)
        assert health_checks.check_due() is False
        release_future_rows()
        assert health_checks.check_due() is True
        Pull.objects.update(next_attempt_at=timezone.now() + JUMP)
        release_future_rows()
        backfill.pull_due()
    assert Pull.objects.exclude(position=0).exists() or Pull.objects.filter(finished_at__isnull=False).exists()


def test_a_campaign_command_is_carried_out(
    agency: Agency, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})
    monkeypatch.setattr(commands, "_ask_provider", lambda command: ("", False))
    for number in range(2):
        commands.issue_command(
            Campaign.objects.create(agency=agency, provider="sendpilot", external_id=f"c{number}", status="paused")
        )
    leased = CampaignCommand.objects.order_by("pk").first()
    assert leased is not None
    CampaignCommand.objects.filter(pk=leased.pk).update(leased_until=timezone.now() + commands.LEASE, attempts=1)
    clock.shift(-JUMP)
    assert commands.carry_out_due() == 0
    release_future_rows()
    commands.carry_out_due()
    assert set(CampaignCommand.objects.values_list("status", flat=True)) == {CommandStatus.DONE}


def test_what_is_to_wait_goes_on_waiting(agency: Agency, clock: time_machine.Traveller) -> None:
    """An ordinary day: nothing that was put off for a reason is released."""
    event = record_event(agency, EventType.TEST)
    Event.objects.update(attempts=3, next_attempt_at=NOW + timedelta(minutes=30))
    for hold, attempts in (("quiet_hours", 0), ("digest", 0), ("", 4)):
        Delivery.objects.create(
            agency=agency,
            event=event,
            recipient=f"{hold or 'tried'}@example.com",
            hold=hold,
            attempts=attempts,
            next_attempt_at=NOW + timedelta(hours=2),
        )
    assert release_future_rows() == 0


def test_the_schedule_goes_on_when_the_clock_is_set_back(
    clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    scheduler = HeartbeatScheduler(app, lazy=True)
    scheduler.setup_schedule()
    monkeypatch.setattr(scheduler, "_write_heartbeat", lambda: None)
    monkeypatch.setattr(scheduler, "apply_entry", lambda entry, producer=None: sent.append(entry.name))
    monkeypatch.setattr(HeartbeatScheduler, "producer", None)

    def tick_for(seconds: int) -> set[str]:
        sent.clear()
        for _ in range(seconds):
            clock.shift(1)
            while scheduler.tick() == 0:
                pass
        return set(sent)

    assert {"receipts", "deliveries"} <= tick_for(5)
    clock.shift(-JUMP)
    assert {"receipts", "deliveries", "clock", "purge"} <= tick_for(2)
    assert "receipts" in tick_for(3)
