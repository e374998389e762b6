"""Campaigns stop with their account, and go on with it if it was Leadline that stopped them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts import services
from accounts.campaigns import service as campaigns
from accounts.campaigns.senders import map_sender, record_sender
from accounts.core.enums import AccountStatus as S
from accounts.core.enums import CampaignStatus, PausedBy, RequestAction
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Campaign, Event, Sender, Source
from accounts.tasks import resume_campaigns
from leads.models import Lead
from tests.reactions import react
from webhooks.processing.processor import register_request

T0 = datetime(2026, 3, 21, tzinfo=UTC)


def report(agency: Agency, status: S, minutes: int) -> Account:
    account = services.report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="7688", email="natalia@example.com"),
        status=status,
        origin=Origin(by="salesflow", at=T0 + timedelta(minutes=minutes), sequence=minutes),
    )
    react()
    return account


def another(agency: Agency, status: S) -> Account:
    return Account.objects.create(agency=agency, provider="salesflow", external_id="9", status=status, status_since=T0)


@pytest.fixture
def campaign(agency: Agency) -> Campaign:
    account = report(agency, S.ACTIVE, 0)
    campaign = campaigns.campaign_of(agency, provider="sendpilot", external_id="camp_1", name="Spring")
    return campaigns.update_campaign(campaign, account=account)


def recorded(agency: Agency) -> list[str]:
    events = Event.objects.filter(agency=agency).exclude(
        event_type="reauth_requested"
    )  # tests/accounts/reauth/test_prompts.py
    return list(events.order_by("id").values_list("event_type", flat=True))


@pytest.mark.parametrize("status", [status for status in S if status is not S.ACTIVE])
def test_a_campaign_is_paused_when_its_account_leaves_active(agency: Agency, campaign: Campaign, status: S) -> None:
    report(agency, status, 1)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by) == (CampaignStatus.PAUSED, PausedBy.SYSTEM)
    assert recorded(agency)[1:] == [f"linkedin_{status}", "campaign_paused"]
    payload = Event.objects.get(event_type="campaign_paused").payload
    assert (payload["paused_by"], payload["campaign_name"]) == ("system", "Spring")
    assert payload["pause_reason"] == campaign.pause_reason


def test_it_resumes_by_itself_when_the_account_is_back(agency: Agency, campaign: Campaign) -> None:
    report(agency, S.DISCONNECTED, 1)
    report(agency, S.BLOCKED, 2)
    report(agency, S.ACTIVE, 3)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by, campaign.pause_reason) == (CampaignStatus.ACTIVE, "", "")
    assert recorded(agency) == [
        "linkedin_connected",
        "linkedin_disconnected",
        "campaign_paused",
        "linkedin_blocked",
        "linkedin_reconnected",
        "campaign_resumed",
    ]


@pytest.mark.parametrize("by", [PausedBy.USER, PausedBy.API, PausedBy.PROVIDER])
def test_what_somebody_else_paused_stays_paused(agency: Agency, campaign: Campaign, by: PausedBy) -> None:
    campaigns.update_campaign(campaign, status=CampaignStatus.PAUSED, changed_by=by)
    report(agency, S.DISCONNECTED, 1)
    report(agency, S.ACTIVE, 2)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by) == (CampaignStatus.PAUSED, by)


@pytest.mark.parametrize("first", [S.DELETED, S.BLOCKED])
def test_a_deleted_accounts_campaigns_stay_paused_for_good(agency: Agency, campaign: Campaign, first: S) -> None:
    report(agency, first, 1)
    report(agency, S.DELETED, 2)
    report(agency, S.ACTIVE, 3)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.pause_reason) == (CampaignStatus.PAUSED, campaigns.FOR_GOOD)


def test_a_late_report_and_other_accounts_campaigns_change_nothing(
    agency: Agency, stranger: Agency, campaign: Campaign
) -> None:
    report(agency, S.ACTIVE, 10)
    report(agency, S.BLOCKED, 5)
    report(stranger, S.BLOCKED, 11)
    campaign.refresh_from_db()
    assert campaign.status == CampaignStatus.ACTIVE


def test_while_the_account_is_limited_its_campaigns_wait_and_then_resume_by_themselves(
    agency: Agency, campaign: Campaign
) -> None:
    now = T0 + timedelta(minutes=3)
    with time_machine.travel(now, tick=False) as clock:
        report(agency, S.DISCONNECTED, 1)
        Account.objects.update(rate_limited_until=now + timedelta(hours=1))
        report(agency, S.ACTIVE, 2)
        campaigns.resume_held()
        campaign.refresh_from_db()
        assert (campaign.status, campaign.paused_by) == (CampaignStatus.PAUSED, PausedBy.SYSTEM)

        clock.shift(timedelta(hours=1, seconds=1))
        resume_campaigns()
        campaign.refresh_from_db()
        assert (campaign.status, campaign.paused_by) == (CampaignStatus.ACTIVE, "")
        assert recorded(agency)[-1] == "campaign_resumed"
        assert campaigns.resume_held() == 0


def test_what_a_person_paused_or_a_deletion_ended_is_not_resumed_later(agency: Agency, campaign: Campaign) -> None:
    campaigns.update_campaign(campaign, status=CampaignStatus.PAUSED, changed_by=PausedBy.USER)
    assert campaigns.resume_held() == 0
    Campaign.objects.update(paused_by=PausedBy.SYSTEM, pause_reason=campaigns.FOR_GOOD)
    assert campaigns.resume_held() == 0


def by_patch(campaign: Campaign, account: Account) -> None:
    campaigns.update_campaign(campaign, account=account, changed_by=PausedBy.API)


def by_a_mapping(campaign: Campaign, account: Account) -> None:
    record_sender(campaign, "snd_1")
    map_sender(Sender.objects.get(), account)


def by_a_sender_that_is_mapped(campaign: Campaign, account: Account) -> None:
    Sender.objects.create(agency=campaign.agency, provider="sendpilot", external_id="snd_1", account=account)
    record_sender(campaign, "snd_1")
    assert campaign.account == account


def by_a_request(campaign: Campaign, account: Account) -> None:
    source = Source.objects.create(agency=campaign.agency, provider="welink")
    lead = Lead.objects.create(agency=campaign.agency, campaign=campaign, status_since=T0, received_at=T0)
    register_request(source, request_id="r1", action=RequestAction.CONNECT, account=account, lead=lead)


@pytest.mark.parametrize("give", [by_patch, by_a_mapping, by_a_sender_that_is_mapped, by_a_request])
def test_a_campaign_given_to_an_account_that_is_down_is_paused_until_it_is_back(
    agency: Agency, give: Callable[[Campaign, Account], None]
) -> None:
    report(agency, S.ACTIVE, 0)
    account = report(agency, S.DISCONNECTED, 1)
    campaign = campaigns.campaign_of(agency, provider="sendpilot", external_id="camp_1", name="Spring")
    give(campaign, account)
    campaign = Campaign.objects.get()
    assert (campaign.account, campaign.status, campaign.paused_by) == (account, "paused", PausedBy.SYSTEM)
    payload = Event.objects.get(event_type="campaign_paused").payload
    assert (payload["paused_by"], payload["linkedin_account_id"]) == ("system", account.pk)
    assert payload["pause_reason"] == campaign.pause_reason == "The account is disconnected."
    report(agency, S.ACTIVE, 2)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by, campaign.pause_reason) == ("active", "", "")
    assert recorded(agency)[-1] == "campaign_resumed"


@pytest.mark.parametrize("status", [S.BLOCKED, S.DELETED])
def test_given_to_an_account_that_works_it_goes_on_if_it_was_leadline_that_paused_it(
    agency: Agency, campaign: Campaign, status: S
) -> None:
    report(agency, status, 1)
    other = another(agency, S.ACTIVE)
    campaigns.update_campaign(campaign, account=other)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by, campaign.pause_reason) == ("active", "", "")
    assert Event.objects.get(event_type="campaign_resumed").payload["linkedin_account_id"] == other.pk


def test_moved_from_one_account_that_is_down_to_another_it_says_why_it_waits_now(
    agency: Agency, campaign: Campaign
) -> None:
    report(agency, S.DELETED, 1)
    other = another(agency, S.BLOCKED)
    campaigns.update_campaign(campaign, account=other)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.pause_reason) == ("paused", "The account is blocked by LinkedIn.")
    assert recorded(agency).count("campaign_paused") == 1


def test_what_a_person_paused_stays_so_whatever_account_it_is_given_to(agency: Agency, campaign: Campaign) -> None:
    campaigns.update_campaign(campaign, status=CampaignStatus.PAUSED, changed_by=PausedBy.USER, pause_reason="Holidays")
    other = another(agency, S.ACTIVE)
    campaigns.update_campaign(campaign, account=other)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by, campaign.pause_reason) == ("paused", "user", "Holidays")
