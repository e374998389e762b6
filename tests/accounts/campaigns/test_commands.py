"""Campaigns are paused and resumed at SendPilot too, whose API is a program of ours on 127.0.0.1."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import services
from accounts.campaigns import commands
from accounts.campaigns import service as campaigns
from accounts.campaigns.commands import BACKOFF, carry_out_due
from accounts.campaigns.senders import set_senders
from accounts.core.enums import AccountStatus as S
from accounts.core.jobs import claim_due
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Campaign, CampaignCommand, Event, Source
from accounts.sources.service import create_source, update_source
from accounts.tenancy.api_keys import create_api_key
from tests.reactions import react
from tests.receiving import receive
from tests.standins import StandIn, provider
from webhooks.processing.processor import process_due_receipts

T0 = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
PATH = "/v1/campaigns/camp_xyz789"
SEQUENCE = count(1)
EVENTS = count(1)


@pytest.fixture
def sendpilot(settings: Settings) -> Iterator[StandIn]:
    with provider() as stand_in:
        settings.SENDPILOT_API_BASE = f"{stand_in.base}/v1"
        stand_in.answers[PATH] = (200, {"success": True, "newStatus": "paused"})
        yield stand_in


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(T0, tick=False) as clock:
        yield clock


@pytest.fixture
def source(agency: Agency) -> Source:
    return create_source(agency=agency, provider="sendpilot", credentials={"api_key": "sp-key"})[0]


@pytest.fixture
def campaign(agency: Agency, source: Source, clock: time_machine.Traveller) -> Campaign:
    report_campaign_event(source, "started")
    campaign = Campaign.objects.get()
    return campaigns.update_campaign(campaign, account=report(agency, S.ACTIVE))


def report(agency: Agency, status: S) -> Account:
    account = services.report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="7688"),
        status=status,
        origin=Origin(by="salesflow", at=timezone.now(), sequence=next(SEQUENCE)),
    )
    react()
    return account


def report_campaign_event(source: Source, what: str, by: str = "", *, at: datetime | None = None) -> None:
    """SendPilot's webhook about the campaign."""
    now = (at or timezone.now()).isoformat().replace("+00:00", "Z")
    data = {"campaignId": "camp_xyz789", "campaignName": "Q1", **({f"{what}By": by, f"{what}At": now} if by else {})}
    report_event(source, f"campaign.{what}", data, now)


def report_event(source: Source, what: str, data: dict[str, str], now: str) -> None:
    envelope = {"eventId": f"evt_{next(EVENTS)}", "eventType": what, "timestamp": now, "workspaceId": "ws_1"}
    receive(source, {**envelope, "data": data}, at=timezone.now())
    while process_due_receipts():
        pass


def asked(sendpilot: StandIn) -> list[Any]:
    return [call.body["action"] for call in sendpilot.calls if call.method == "PATCH"]


def state(campaign: Campaign) -> tuple[str, str]:
    campaign.refresh_from_db()
    return campaign.status, campaign.paused_by


def recorded() -> list[str]:
    events = Event.objects.filter(event_type__in=["campaign_paused", "campaign_resumed"]).order_by("id")
    return list(events.values_list("event_type", flat=True))


def test_a_drop_pauses_at_the_provider_and_the_return_resumes(
    agency: Agency, campaign: Campaign, sendpilot: StandIn
) -> None:
    report(agency, S.DISCONNECTED)
    assert carry_out_due() == 1
    assert carry_out_due() == 0
    [call] = sendpilot.calls
    assert (call.method, call.path, call.body) == ("PATCH", PATH, {"action": "pause"})
    assert call.headers["x-api-key"] == "sp-key"
    assert (campaign.command.action, CampaignCommand.objects.get().status) == ("pause", "done")
    report(agency, S.ACTIVE)
    carry_out_due()
    assert asked(sendpilot) == ["pause", "resume"]


def test_our_own_echo_changes_nothing_whenever_it_comes(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    report(agency, S.DISCONNECTED)
    carry_out_due()
    clock.shift(5)
    echo_at = timezone.now()
    report(agency, S.ACTIVE)
    carry_out_due()
    clock.shift(30)
    report_campaign_event(source, "paused", "api", at=echo_at)
    assert state(campaign) == ("active", "")
    report_campaign_event(source, "resumed", "api")
    assert recorded() == ["campaign_paused", "campaign_resumed"]
    assert asked(sendpilot) == ["pause", "resume"]
    assert campaign.calls.filter(echoed_at=None).count() == 0


def test_an_echo_leaves_the_pause_the_systems_so_that_it_resumes_by_itself(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    report(agency, S.DISCONNECTED)
    carry_out_due()
    clock.shift(2)
    report_campaign_event(source, "paused", "api")
    assert state(campaign) == ("paused", "system")
    report(agency, S.ACTIVE)
    assert state(campaign) == ("active", "")


@pytest.mark.parametrize("by", ["user", "system"])
def test_what_somebody_else_does_there_counts(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller, by: str
) -> None:
    clock.shift(5)
    report_campaign_event(source, "paused", by)
    assert state(campaign) == ("paused", {"user": "user", "system": "provider"}[by])
    assert carry_out_due() == 0
    assert sendpilot.calls == []


def test_each_call_has_one_echo_and_a_second_pause_by_api_is_somebody_elses(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    report(agency, S.DISCONNECTED)
    carry_out_due()
    clock.shift(1)
    report_campaign_event(source, "paused", "api")
    report(agency, S.ACTIVE)
    carry_out_due()
    clock.shift(1)
    report_campaign_event(source, "resumed", "api")
    clock.shift(1)
    report_campaign_event(source, "paused", "api")
    assert state(campaign) == ("paused", "api")


def test_a_provider_that_is_down_is_asked_again_later_and_later(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    sendpilot.answers[PATH] = (503, {})
    report(agency, S.DISCONNECTED)
    for number, wait in enumerate(BACKOFF.steps, 1):
        assert (carry_out_due(), carry_out_due()) == (1, 0)
        command = CampaignCommand.objects.get()
        assert (command.status, command.attempts, command.next_attempt_at) == ("pending", number, timezone.now() + wait)
        clock.shift(wait)
    carry_out_due()
    command = CampaignCommand.objects.get()
    assert (command.status, command.next_attempt_at) == ("failed", None)
    assert command.error == "SendPilot answered 503."
    assert state(campaign) == ("paused", "system")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((401, {}), "SendPilot did not accept the API key that is stored for its source."),
        ((404, {}), "SendPilot knows no such campaign."),
        ((400, {"message": "Validation failed"}), "SendPilot answered 400."),
    ],
)
def test_what_cannot_heal_fails_at_once_and_a_person_tries_it_again(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, answer: Any, error: str
) -> None:
    sendpilot.answers[PATH] = answer
    report(agency, S.DISCONNECTED)
    carry_out_due()
    assert carry_out_due() == 0
    client = Client(headers={"authorization": f"Bearer {create_api_key(agency)[1]}"})
    body = client.get(f"/api/v1/campaigns/{campaign.pk}/at-provider").json()["order"]
    assert [row["id"] for row in client.get("/api/v1/campaigns?order=failed").json()["results"]] == [campaign.pk]
    assert body == {"action": "pause", "status": "failed", "attempts": 1, "error": error, "next_attempt_at": None}
    sendpilot.answers[PATH] = (200, {})
    url = f"/api/v1/campaigns/{campaign.pk}/retry"
    assert client.post(url, content_type="application/json").status_code == 202
    assert client.post(url, content_type="application/json").status_code == 409
    carry_out_due()
    assert client.get(f"/api/v1/campaigns/{campaign.pk}/at-provider").json()["order"]["status"] == "done"


@pytest.mark.once
@pytest.mark.parametrize("status", ["PAUSED", "paused", "FINISHED", "draft"])
def test_a_refused_pause_of_what_does_not_run_is_done(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, status: str
) -> None:
    sendpilot.answers[PATH] = (400, {"message": "Bad Request"})
    sendpilot.answers[f"GET {PATH}"] = (200, {"id": "camp_xyz789", "status": status})
    report(agency, S.DISCONNECTED)
    carry_out_due()
    assert [(call.method, call.path) for call in sendpilot.calls] == [("PATCH", PATH), ("GET", PATH)]
    assert sendpilot.calls[1].headers["x-api-key"] == "sp-key"
    assert CampaignCommand.objects.get().status == "done"


def test_a_refused_resumption_of_what_runs_is_done(agency: Agency, campaign: Campaign, sendpilot: StandIn) -> None:
    report(agency, S.DISCONNECTED)
    carry_out_due()
    sendpilot.answers[PATH] = (409, {})
    sendpilot.answers[f"GET {PATH}"] = (200, {"status": "STARTED"})
    report(agency, S.ACTIVE)
    carry_out_due()
    assert CampaignCommand.objects.get().status == "done"


@pytest.mark.once
@pytest.mark.parametrize(
    "body", [(200, {"status": "STARTED"}), (200, {"status": None}), (200, ["PAUSED"]), (404, {"status": "PAUSED"})]
)
def test_a_refusal_is_a_failure_where_the_campaign_is_not_as_it_is_to_be(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, body: Any
) -> None:
    sendpilot.answers[PATH] = (400, {"message": "Campaign is already paused"})
    sendpilot.answers[f"GET {PATH}"] = body
    report(agency, S.DISCONNECTED)
    carry_out_due()
    command = CampaignCommand.objects.get()
    assert (command.status, command.error) == ("failed", "SendPilot answered 400.")


def test_only_the_latest_wish_is_carried_out(agency: Agency, campaign: Campaign, sendpilot: StandIn) -> None:
    report(agency, S.DISCONNECTED)
    report(agency, S.ACTIVE)
    report(agency, S.BLOCKED)
    carry_out_due()
    assert asked(sendpilot) == ["pause"]


def test_a_wish_that_comes_during_the_call_is_next(agency: Agency, campaign: Campaign, sendpilot: StandIn) -> None:
    report(agency, S.DISCONNECTED)
    with under_way():
        report(agency, S.ACTIVE)
        assert carry_out_due() == 0  # one call at a time
    assert asked(sendpilot) == ["pause"]
    assert CampaignCommand.objects.get().status == "pending"
    assert carry_out_due() == 1
    assert asked(sendpilot) == ["pause", "resume"]
    assert CampaignCommand.objects.get().status == "done"


def test_a_wish_that_overtakes_what_the_provider_reports_during_the_call_is_next(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    report(agency, S.DISCONNECTED)
    clock.shift(5)
    with under_way():
        report_campaign_event(source, "resumed", "user")
        assert CampaignCommand.objects.get().status == "cancelled"
        report(agency, S.BLOCKED)
        assert carry_out_due() == 0
    assert CampaignCommand.objects.get().status == "pending"
    assert carry_out_due() == 1
    assert CampaignCommand.objects.get().status == "done"


@contextmanager
def under_way() -> Iterator[None]:
    """A worker has claimed a command; what it makes of it comes after the block."""
    with claim_due(CampaignCommand.objects.select_related("campaign"), limit=1, lease=commands.LEASE) as [command]:
        yield
        commands._carry_out(command)


def test_a_worker_that_dies_during_the_call_is_replaced_after_its_lease(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    report(agency, S.DISCONNECTED)
    with claim_due(CampaignCommand.objects.all(), limit=1, lease=commands.LEASE):
        pass
    assert carry_out_due() == 0
    clock.shift(61)
    assert carry_out_due() == 1
    assert CampaignCommand.objects.get().attempts == 2


def test_a_change_that_the_provider_reports_makes_a_waiting_order_void(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    report(agency, S.DISCONNECTED)
    clock.shift(5)
    report_campaign_event(source, "resumed", "user")
    assert state(campaign) == ("active", "")
    assert carry_out_due() == 0
    assert CampaignCommand.objects.get().status == "cancelled"


def test_without_a_key_nothing_is_asked(agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn) -> None:
    update_source(source, credentials={})
    report(agency, S.DISCONNECTED)
    assert not CampaignCommand.objects.exists()
    assert state(campaign) == ("paused", "system")


def test_a_key_that_is_gone_by_then_is_said_so(
    agency: Agency, source: Source, campaign: Campaign, sendpilot: StandIn
) -> None:
    report(agency, S.DISCONNECTED)
    update_source(source, credentials={})
    carry_out_due()
    command = CampaignCommand.objects.get()
    assert (command.status, command.error) == ("failed", commands.NO_KEY)
    assert sendpilot.calls == []


def test_another_agencys_key_is_never_used(
    agency: Agency, stranger: Agency, source: Source, campaign: Campaign, sendpilot: StandIn
) -> None:
    update_source(source, credentials={})
    create_source(agency=stranger, provider="sendpilot", credentials={"api_key": "not-ours"})
    report(agency, S.DISCONNECTED)
    carry_out_due()
    assert sendpilot.calls == []


def test_a_person_who_pauses_here_pauses_there(agency: Agency, campaign: Campaign, sendpilot: StandIn) -> None:
    client = Client(headers={"authorization": f"Bearer {create_api_key(agency)[1]}"})
    url = f"/api/v1/campaigns/{campaign.pk}"
    client.patch(url, json.dumps({"status": "paused"}), content_type="application/json")
    carry_out_due()
    assert asked(sendpilot) == ["pause"]


def test_the_key_is_in_no_answer_and_no_log(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    sendpilot.answers[PATH] = (500, {"message": "sp-key"})
    report(agency, S.DISCONNECTED)
    carry_out_due()
    assert "sp-key" not in caplog.text
    assert "sp-key" not in CampaignCommand.objects.get().error


# --- whose campaign it is -----------------------------------------------------------------------------


def first_message(source: Source, *, campaign: str = "camp_1", sender: str = "sender_1") -> None:
    data = {"leadId": "lead_1", "campaignId": campaign, "senderId": sender, "linkedinUrl": "linkedin.com/in/ada"}
    report_event(source, "connection.sent", data, timezone.now().isoformat())


def test_a_mapped_sender_gives_its_campaigns_their_account(
    agency: Agency, source: Source, clock: time_machine.Traveller
) -> None:
    account = report(agency, S.ACTIVE)
    first_message(source)
    campaign = Campaign.objects.get()
    assert (campaign.sender_id, campaign.account) == ("sender_1", None)
    client = Client(headers={"authorization": f"Bearer {create_api_key(agency)[1]}"})
    unprotected = [row["id"] for row in client.get("/api/v1/campaigns?protected=false").json()["results"]]
    assert unprotected == [campaign.pk]
    url = f"/api/v1/accounts/{account.pk}/senders"
    answer = client.post(url, json.dumps({"sender_ids": ["sender_1", "sender_9"]}), content_type="application/json")
    assert answer.json() == client.get(url).json() == {"sender_ids": ["sender_1", "sender_9"]}
    campaign.refresh_from_db()
    assert campaign.account == account
    assert client.get("/api/v1/campaigns?protected=false").json()["results"] == []
    first_message(source, campaign="camp_2", sender="sender_9")
    assert Campaign.objects.get(external_id="camp_2").account == account
    report(agency, S.BLOCKED)
    assert set(Campaign.objects.values_list("status", "paused_by")) == {("paused", "system")}


def test_a_mapping_taken_away_leaves_what_a_person_chose(
    agency: Agency, source: Source, clock: time_machine.Traveller
) -> None:
    account = report(agency, S.ACTIVE)
    first_message(source)
    first_message(source, campaign="camp_2")
    set_senders(account, ["sender_1"])
    other = services.report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="other"),
        status=S.ACTIVE,
        origin=Origin(by="salesflow", at=T0),
    )
    campaigns.update_campaign(Campaign.objects.get(external_id="camp_2"), account=other)
    set_senders(account, [])
    assert dict(Campaign.objects.values_list("external_id", "account")) == {"camp_1": None, "camp_2": other.pk}


def test_another_agencys_sender_of_the_same_name_is_another(
    agency: Agency, stranger: Agency, source: Source, clock: time_machine.Traveller
) -> None:
    theirs = create_source(agency=stranger, provider="sendpilot")[0]
    set_senders(report(agency, S.ACTIVE), ["sender_1"])
    first_message(theirs)
    assert Campaign.objects.get(agency=stranger).account is None


def test_finished_campaigns_need_no_protection(agency: Agency, source: Source, clock: time_machine.Traveller) -> None:
    report_campaign_event(source, "started")
    clock.shift(timedelta(seconds=1))
    report_campaign_event(source, "finished")
    assert not Campaign.objects.filter(campaigns.UNPROTECTED).exists()


def test_a_resumption_waits_for_its_account_and_a_pause_does_not(
    agency: Agency, campaign: Campaign, sendpilot: StandIn, clock: time_machine.Traveller
) -> None:
    until = timezone.now() + timedelta(hours=1)
    Account.objects.update(rate_limited_until=until)
    campaigns.update_campaign(campaign, status="paused")
    carry_out_due()
    campaigns.update_campaign(campaign, status="active")
    assert (carry_out_due(), carry_out_due()) == (1, 0)
    command = CampaignCommand.objects.get()
    assert (command.next_attempt_at, command.attempts) == (until, 0)
    assert command.error == "LinkedIn limits this account for now."
    assert asked(sendpilot) == ["pause"]

    clock.shift(timedelta(hours=1, seconds=1))
    assert carry_out_due() == 1
    assert asked(sendpilot) == ["pause", "resume"]
