"""`make seed`: believable agencies, consistent with what the services would have written."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import Count, F, Q
from django.test import Client
from django.utils import timezone

from accounts.core.enums import AccountStatus, CampaignStatus
from accounts.linkedin.advice import is_deliberate, needs_owner
from accounts.linkedin.uptime import account_spans, measure
from accounts.models import Account, AccountReport, Agency, Campaign, Event, Incident, Outage, ReauthPrompt
from config.demo.setup import COMPANY_ID
from config.seeding import Seeded, has_real_agencies, seed_agencies
from config.seeding.lead_stories import LEADS
from leads.models import (
    Assignment,
    Lead,
    LeadChange,
    LeadReference,
    LeadScore,
    PoolMember,
    ResponseClock,
    Task,
)
from leads.pipeline.history import apply_reports, status_reports_of
from notifications.models import Attempt, Channel, Delivery, DeliveryStatus
from tests.config.commands import run
from webhooks.models import ProviderRequest, Receipt, ReceiptStatus, RejectedRequest
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest

NOW = datetime(2026, 6, 16, 12, 30, tzinfo=UTC)  # a Tuesday


@pytest.mark.one_backend
def test_a_seeded_agency_is_as_the_services_would_have_left_it_and_every_page_shows_it(signed_in: Client) -> None:
    began = time.monotonic()
    seeded = seed_agencies(now=NOW)
    assert time.monotonic() - began < 90
    [agency] = seeded.agencies
    accounts, leads = list(agency.accounts.all()), list(agency.leads.all())
    assert (len(accounts), agency.campaigns.count(), len(leads)) == (60, 12, 810)
    assert len({account.provider for account in accounts}) == 3
    assert Lead.objects.filter(status="REPLY_RECEIVED").exists()
    assert Lead.objects.filter(priority="high").exists()
    assert not Event.objects.filter(fanned_out_at__isnull=True).exists()
    for model, column in ((Event, "created_at"), (Delivery, "created_at"), (LeadChange, "created_at")):
        assert not model.objects.filter(**{f"{column}__gt": NOW + timedelta(seconds=10)}).exists()
        assert model.objects.filter(**{f"{column}__lt": NOW - timedelta(days=50)}).exists()
    _check_accounts(accounts)
    _check_leads(leads)
    _check_team_work(agency)
    _check_deliveries()
    _check_receipts()
    with time_machine.travel(NOW + timedelta(minutes=1)):
        _check_pages(seeded, signed_in)


def _check_accounts(accounts: list[Account]) -> None:
    for account in accounts:
        reports = list(AccountReport.objects.filter(account=account, applied=True).order_by("id"))
        changes = [report for report in reports if report.from_status != report.to_status]
        assert [change.from_status for change in changes[1:]] == [change.to_status for change in changes[:-1]]
        assert (account.status, account.status_since) == (changes[-1].to_status, changes[-1].occurred_at)
        is_down = account.status not in (AccountStatus.ACTIVE, AccountStatus.DELETED) and not is_deliberate(account)
        assert Outage.objects.filter(account=account, back_at__isnull=True).exists() is is_down
        prompts = ReauthPrompt.objects.filter(account=account, closed_at__isnull=True)
        assert prompts.exists() is needs_owner(account)
        assert agency_lists_first(account)
    found = account_spans(accounts, NOW - timedelta(days=30), NOW)
    measured = measure(found, NOW - timedelta(days=30), NOW)
    assert measured.active > 10 * measured.down > 0
    assert Counter(incident.closed_at is None for incident in Incident.objects.all()) == {True: 1, False: 1}
    for incident in Incident.objects.all():
        assert incident.outages.filter(back_at__isnull=True).exists() is (incident.closed_at is None)
    by_us = Campaign.objects.filter(paused_by="system")
    assert by_us.exists()
    assert not by_us.filter(account__status=AccountStatus.ACTIVE).exists()
    running = Campaign.objects.filter(status=CampaignStatus.ACTIVE, account__isnull=False)
    assert not running.exclude(account__status=AccountStatus.ACTIVE).exists()
    assert any(account.rate_limited for account in accounts) or timezone.now() > NOW


def agency_lists_first(account: Account) -> bool:
    """Whether ids follow the time at which rows were made."""
    return not Account.objects.filter(
        pk__lt=account.pk, created_at__gt=account.created_at + timedelta(seconds=1)
    ).exists()


def _check_leads(leads: list[Lead]) -> None:
    references = {row.lead_id: row for row in LeadReference.objects.all()}
    last = {row.lead_id: row for row in LeadChange.objects.filter(applied=True).order_by("id")}
    for lead in leads:
        reference = references[lead.pk]
        assert lead.status == reference.status == last[lead.pk].new_status
        assert (lead.status_since, lead.campaign_id) == (reference.status_since, reference.campaign_id)
        assert lead.received_at <= lead.status_since <= lead.updated_at <= NOW
    for lead in leads[::40]:
        position = apply_reports(status_reports_of(references[lead.pk]))
        assert (position.status, position.since) == (lead.status, lead.status_since)
        events = Event.objects.filter(subject=lead.pk)
        assert events.order_by("id")[0].event_type == "lead_created"
        latest_change = events.filter(event_type="lead_status_changed").order_by("-id")[0]
        assert latest_change.payload["status"] == lead.status
    emails = [
        *Lead.objects.values_list("email", flat=True),
        *User.objects.exclude(is_staff=True).values_list("email", flat=True),
    ]
    assert all(email.endswith(".example.com") for email in emails if email)


def _check_team_work(agency: Agency) -> None:
    clocks = ResponseClock.objects.filter(agency=agency)
    shown = {lead.pk: lead.response_due_at for lead in agency.leads.filter(response_due_at__isnull=False)}
    assert shown == dict(clocks.filter(stopped_at__isnull=True).values_list("lead", "due_at"))
    for clock in clocks.filter(stopped_at__isnull=False).prefetch_related("segments"):
        assert clock.elapsed_seconds == pytest.approx(
            sum(segment.seconds for segment in clock.segments.all()), abs=0.01
        )
    assert {event: Event.objects.filter(event_type=event).count() for event in ("lead_due_soon", "lead_overdue")} == {
        "lead_due_soon": clocks.filter(warned_at__isnull=False).count(),
        "lead_overdue": clocks.filter(alerted_at__isnull=False).count(),
    }
    received = Counter(Assignment.objects.filter(lead__agency=agency).values_list("member", flat=True))
    places = PoolMember.objects.filter(pool__agency=agency)
    assert {place.member_id: place.received for place in places} == received
    assert sum(place.behind for place in places) == 0
    for model in (ResponseClock, Task):  # a worker has nothing to alert that was
        assert not model.objects.filter(next_attempt_at__lt=NOW).exists()
    assert LeadScore.objects.filter(agency=agency).count() == agency.leads.count()


def _check_deliveries() -> None:
    tried = Delivery.objects.annotate(stored=Count("attempt_log"))
    assert not tried.exclude(attempts=F("stored")).exists()
    states = Counter(Delivery.objects.values_list("status", flat=True))
    assert all(states[status] for status in DeliveryStatus)
    ended = Q(status=DeliveryStatus.PENDING, next_attempt_at__isnull=False) | ~Q(status=DeliveryStatus.PENDING)
    assert not Delivery.objects.exclude(ended).exists()
    assert not Delivery.objects.filter(next_attempt_at__lt=NOW).exists()
    assert Delivery.objects.filter(status=DeliveryStatus.FAILED, attempts=10).exists()
    assert not Attempt.objects.filter(at__gt=NOW).exists()
    assert Channel.objects.filter(consecutive_failures__gte=4, failing_since__isnull=False).count() == 1
    assert Event.objects.filter(event_type="channel_failing").count() == 1


def _check_receipts() -> None:
    states = Counter(Receipt.objects.values_list("status", flat=True))
    assert states[ReceiptStatus.QUARANTINED] == 13
    assert states[ReceiptStatus.FAILED] == 2
    assert states[ReceiptStatus.RECEIVED] == 0
    assert RejectedRequest.objects.count() == 2
    for receipt in Receipt.objects.filter(status=ReceiptStatus.PROCESSED).order_by("sequence")[::25]:
        request = SignedRequest(bytes(receipt.body), receipt.headers, receipt.received_at)
        assert PROVIDERS[receipt.provider].parse(request).events
        recorded = Event.objects.filter(receipt_id=receipt.public_id).exists()
        assert recorded or receipt.event_type in ("message.sent", "campaign.finished"), receipt.event_type
    known = set(ProviderRequest.objects.values_list("request_id", flat=True))
    asked = Receipt.objects.filter(provider="welink", status=ReceiptStatus.PROCESSED)
    assert set(asked.values_list("correlation", flat=True)) <= known
    order = list(Receipt.objects.order_by("sequence").values_list("received_at", flat=True))
    assert order == sorted(order)


def _check_pages(seeded: Seeded, staff: Client) -> None:
    owner = Client()
    owner.force_login(User.objects.get(username=seeded.owners[0]))
    lead, account = Lead.objects.order_by("-pk")[0], Account.objects.order_by("-pk")[0]
    failed = Delivery.objects.filter(status=DeliveryStatus.FAILED)[0]
    for path, words in {
        "/": seeded.agencies[0].name,
        "/leads": str(lead),
        f"/leads/{lead.pk}": lead.title,
        "/linkedin": str(account),
        f"/linkedin/{account.pk}": account.email,
        "/notifications": "Team mailbox",
        "/notifications/deliveries": "CRM",
        f"/notifications/deliveries/{failed.pk}": "The receiver answered 500.",
        "/team": seeded.owners[0],
        "/sources": "SendPilot",
        f"/search?q={lead.last_name}": lead.pk,
    }.items():
        answer = owner.get(path)
        assert answer.status_code == 200, path
        assert words in answer.content.decode().replace("&#x27;", "'"), path
    for page in (
        *("", "accounts/account/", "accounts/incident/", "accounts/campaign/", "accounts/event/", "leads/lead/"),
        *("leads/leadchange/", "notifications/delivery/", "notifications/channel/", "webhooks/receipt/"),
        f"accounts/account/{account.pk}/change/",
        f"leads/lead/{lead.pk}/change/",
    ):
        assert staff.get(f"/admin/{page}").status_code == 200, page


@pytest.mark.one_backend
def test_the_command_refuses_to_mix_with_agencies_of_others_unless_told_so_and_makes_the_same_of_the_same_seed(
    agency: Agency, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for provider, count in [*LEADS.items()]:
        monkeypatch.setitem(LEADS, provider, count // 10)

    def people(of: Agency) -> list[str]:
        return list(of.leads.order_by("received_at", "name").values_list("name", flat=True))

    def seed() -> Agency:
        answer = run(capsys, "seed", "--scale", "small", "--beside-real-data")
        [made] = answer["agencies"]
        assert Client().login(username=made["owner"], password=answer["password"])
        return Agency.objects.get(pk=made["agency_id"])

    assert agency.ghl_company_id == COMPANY_ID
    assert not has_real_agencies()
    Agency.objects.create(name="Real", ghl_company_id="real")
    with pytest.raises(CommandError, match="--beside-real-data"):
        call_command("seed")
    with pytest.raises(CommandError, match="A scale is"):
        call_command("seed", "--scale", "0")
    assert Lead.objects.count() == 0
    with time_machine.travel(NOW, tick=False):
        first, second = seed(), seed()
        name, here = first.name, people(first)
        assert len(here) == 81
        assert people(second) != here
        for made in (first, second):
            made.delete()
        User.objects.all().delete()
        again = seed()
        assert (again.name, people(again)) == (name, here)
