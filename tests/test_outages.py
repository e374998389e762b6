"""Work that the database's loss breaks off is done right after its return: no lease is waited for, no attempt lost."""

import sys

import pytest
from django.db import IntegrityError, OperationalError

from accounts.campaigns import commands
from accounts.core.connections import is_database_back, run_through_outages, undone_after_outage
from accounts.models import Account, Agency, Campaign, CampaignCommand, Event
from accounts.sources.service import create_source
from leads.lead_sync import backfill, fetching, health_checks
from leads.models import Lead, LeadFetch, LeadSync
from notifications.delivery import claim, drain_deliveries, worker
from notifications.models import Attempt, Delivery, DeliveryStatus
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, work
from tests.notifications.happenings import Happen, MakeChannel
from tests.notifications.receiver import receiver
from tests.outages import break_off, outage
from tests.receiving import receive_sample, source_of
from webhooks.models import Receipt
from webhooks.processing import processor

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_outage_uses_up_no_attempt_of_a_receipt(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(agency, "salesflow")
    for _ in range(3):
        receive_sample(source, "account_blocked")
    break_off(monkeypatch, processor, "prefetch", times=30)
    while run_through_outages(processor.process_due_receipts, seconds=30):
        pass
    assert list(Receipt.objects.values_list("status", "attempts", "error")) == [("processed", 1, "")] * 3
    assert Account.objects.get().status == "disconnected"


def test_what_was_sent_when_the_database_went_is_settled_and_not_sent_again(
    webhook: MakeChannel,
    happen: Happen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiver() as inbox:
        webhook(inbox.url)
        for _ in range(5):
            happen()
        break_off(monkeypatch, worker, "save_results", times=4)
        drain_deliveries()
        assert len(inbox.requests) == 5
    assert set(Delivery.objects.values_list("status", "attempts")) == {(DeliveryStatus.DELIVERED, 1)}
    assert Attempt.objects.count() == 5


def test_what_was_claimed_when_the_database_went_is_sent_at_once(
    webhook: MakeChannel,
    happen: Happen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiver() as inbox:
        webhook(inbox.url)
        happen()
        break_off(monkeypatch, claim, "prepare_deliveries", times=3)
        drain_deliveries()
        assert len(inbox.requests) == 1
    assert [(row.status, row.attempts) for row in Delivery.objects.all()] == [(DeliveryStatus.DELIVERED, 1)]


def test_a_fan_out_that_the_database_broke_off_is_held_against_no_event(
    webhook: MakeChannel,
    happen: Happen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with receiver() as inbox:
        webhook(inbox.url)
        happen()
        break_off(monkeypatch, sys.modules["notifications.delivery.fan_out"], "_enabled_channels", times=3)
        run_through_outages(drain_deliveries, seconds=30)
        assert len(inbox.requests) == 1
    assert set(Event.objects.values_list("attempts", "error")) == {(0, "")}


def test_a_leads_answers_come_at_once_when_the_database_is_back(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        notify(source, stand_in.world.submit())
        processor.process_due_receipts()
        break_off(monkeypatch, fetching, "store_answers", times=2)
        run_through_outages(fetching.fetch_due, seconds=30)
    assert Lead.objects.get().details_pending is False
    assert not LeadFetch.objects.filter(next_attempt_at__isnull=False).exists()


def test_what_a_long_outage_interrupted_is_given_back_by_the_next_task(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        notify(source, stand_in.world.submit())
        processor.process_due_receipts()
        break_off(monkeypatch, fetching, "store_answers", times=1)
        assert run_through_outages(fetching.fetch_due, seconds=0) is None
        assert run_through_outages(fetching.fetch_due, seconds=30) == 1
    assert Lead.objects.get().details_pending is False


def test_a_claim_that_cannot_be_given_back_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise IntegrityError

    with pytest.raises(OperationalError), undone_after_outage(fail):
        raise outage()
    assert is_database_back()
    assert is_database_back()
    assert len([record for record in caplog.records if "could not be given back" in record.getMessage()]) == 1


def test_a_pull_and_a_check_go_on_when_the_database_is_back(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    with linkedin() as stand_in:
        stand_in.world.submit_many(15)
        connected(agency)
        break_off(monkeypatch, health_checks, "reconcile", times=1)
        run_through_outages(health_checks.check_due, seconds=30)
        assert (LeadSync.objects.get().attempts, LeadSync.objects.get().checked_at is None) == (0, False)
        break_off(monkeypatch, backfill, "_go_on", times=2)
        while run_through_outages(backfill.pull_due, seconds=30):
            pass
    assert Lead.objects.count() == 15


def test_a_campaign_command_is_carried_out_again_when_the_database_is_back(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})
    campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id="camp_1", status="paused")
    monkeypatch.setattr(commands, "_ask_provider", lambda command: ("", False))
    commands.issue_command(campaign)
    break_off(monkeypatch, commands, "complete", times=1)
    run_through_outages(commands.carry_out_due, seconds=30)
    command = CampaignCommand.objects.get()
    assert (command.status, command.attempts, command.leased_until) == ("done", 1, None)
