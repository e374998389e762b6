"""From a kept receipt to accounts, leads and events: every sample of every provider, and what goes wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.campaigns.service import campaign_of
from accounts.core.enums import RequestAction
from accounts.core.unit_of_work import UnitOfWork
from accounts.models import Account, Agency, Campaign, Event, SubAccount
from accounts.tenancy.agencies import create_agency
from leads.models import Lead
from leads.pipeline.changes import create_lead
from tests.receiving import drain, receive, receive_sample, source_of
from webhooks.models import Receipt, ReceiptStatus
from webhooks.processing import processor
from webhooks.processing.processor import register_request, reprocess_receipt
from webhooks.providers.events import ParsedRequest
from webhooks.samples import load_sample, sample_names

ORDER = {  # a sample that only means something after another
    "uninstall": 2,
    "lead_deleted": 2,
    "lead_updated": 1,
}
ATTEMPTS = len(processor.BACKOFF.steps) + 1


def recorded(agency: Agency) -> list[str]:
    events = Event.objects.filter(agency=agency).exclude(
        event_type="reauth_requested"
    )  # tests/accounts/reauth/test_prompts.py
    return list(events.order_by("id").values_list("event_type", flat=True))


# provider, sample --> receipt status, events of an agency that has seen nothing before
SAMPLES: dict[tuple[str, str], tuple[str, list[str]]] = {
    ("salesflow", "account_active"): ("processed", ["linkedin_connected"]),
    ("salesflow", "account_paused"): ("processed", ["linkedin_incomplete"]),
    ("salesflow", "account_blocked"): ("processed", ["linkedin_disconnected"]),
    ("salesflow", "account_deleted"): ("processed", ["linkedin_deleted"]),
    ("salesflow", "legacy_member_connected"): ("processed", ["lead_created", "lead_status_changed"]),
    ("welink", "login_success"): ("processed", ["linkedin_connected"]),
    ("welink", "account_restricted"): ("quarantined", []),
    ("welink", "connection_sent"): ("quarantined", []),
    ("welink", "login_failed"): ("quarantined", []),
    ("welink", "login_failed_error_model"): ("quarantined", []),
    ("welink", "login_pin_required"): ("quarantined", []),
    ("welink", "rate_limited"): ("quarantined", []),
    ("sendpilot", "campaign_paused"): ("processed", ["campaign_paused"]),
    ("sendpilot", "lead_status_changed"): ("processed", ["lead_created", "lead_status_changed", "lead_opportunity"]),
    ("sendpilot", "lead_updated"): ("processed", ["lead_created", "lead_status_changed"]),
    ("linkedin", "lead_created"): ("processed", ["lead_created"]),
    ("linkedin", "lead_created_event"): ("processed", ["lead_created"]),
    ("linkedin", "lead_deleted"): ("processed", []),
    ("linkedconnector", "install"): ("processed", ["install"]),
    ("linkedconnector", "uninstall"): ("processed", ["uninstall"]),
    ("linkedconnector", "linkedin_auth_error"): ("processed", ["linkedin_auth_error"]),
    ("linkedconnector", "linkedin_blocked"): ("processed", ["linkedin_blocked"]),
    ("linkedconnector", "linkedin_deleted"): ("processed", ["linkedin_deleted"]),
    ("linkedconnector", "linkedin_disconnected"): ("processed", ["linkedin_disconnected"]),
    ("linkedconnector", "linkedin_rate_limit"): ("processed", ["linkedin_rate_limit"]),
    ("linkedconnector", "linkedin_reconnected"): ("processed", ["linkedin_reconnected"]),
    ("highlevel", "install"): ("processed", ["install"]),
    ("highlevel", "uninstall"): ("processed", ["uninstall"]),
}


def test_every_sample_is_in_the_table() -> None:
    providers = {provider for provider, _ in SAMPLES}
    shipped = {(provider, name) for provider in providers for name in sample_names(provider)}
    assert shipped - {("linkedin", "api_lead_form_response")} == set(SAMPLES)


@pytest.mark.parametrize(("provider", "sample"), SAMPLES)
def test_a_sample_becomes_what_the_contract_says(agency: Agency, stranger: Agency, provider: str, sample: str) -> None:
    receipt = receive_sample(source_of(agency, provider), sample)
    drain()
    receipt.refresh_from_db()
    status, events = SAMPLES[provider, sample]
    assert (receipt.status, recorded(agency), recorded(stranger)) == (status, events, [])
    assert receipt.agency == agency
    assert Event.objects.exclude(receipt_id=receipt.public_id).count() == 0
    drain()
    assert recorded(agency) == events


@pytest.mark.once
@pytest.mark.parametrize(("provider", "sample"), [key for key in SAMPLES if key[0] == "linkedconnector"])
def test_the_body_agencies_get_has_every_field_of_the_providers(agency: Agency, provider: str, sample: str) -> None:
    receive_sample(source_of(agency, provider), sample)
    drain()
    payload = Event.objects.exclude(event_type="reauth_requested").get().payload
    assert {**payload, **load_sample(provider, sample)} == payload


@pytest.mark.parametrize("provider", ["salesflow", "sendpilot", "linkedin", "linkedconnector", "highlevel"])
def test_a_day_of_samples_twice_over_tells_nothing_twice(agency: Agency, provider: str) -> None:
    source = source_of(agency, provider)
    day = sorted((name for slug, name in SAMPLES if slug == provider), key=lambda name: (ORDER.get(name, 0), name))
    for name in day:
        receive_sample(source, name)
    drain()
    events = recorded(agency)
    assert events
    for name in day if provider != "salesflow" else day[-1:]:
        receive_sample(source, name)
    drain()
    assert recorded(agency) == events


# --- We-Link: what a request was for ---------------------------------------------------------------


@pytest.fixture
def jane(agency: Agency) -> Account:
    receive_sample(source_of(agency, "welink"), "login_success", request_id="req-0")
    drain()
    Event.objects.all().delete()
    return Account.objects.get()


LOGIN, CONNECT = RequestAction.LOGIN, RequestAction.CONNECT
OUTCOMES: list[tuple[str, RequestAction, str, list[str]]] = [
    ("login_failed", LOGIN, "auth_error", ["linkedin_auth_error"]),
    ("login_failed_error_model", LOGIN, "auth_error", ["linkedin_auth_error"]),
    ("login_pin_required", LOGIN, "incomplete", ["linkedin_incomplete"]),
    ("account_restricted", LOGIN, "blocked", ["linkedin_blocked"]),
    ("account_restricted", CONNECT, "blocked", ["linkedin_blocked"]),
    ("rate_limited", CONNECT, "active", ["linkedin_rate_limit"]),
    ("connection_sent", CONNECT, "active", ["lead_created", "lead_status_changed"]),
]


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize(("sample", "action", "status", "events"), OUTCOMES)
def test_an_answer_applies_to_the_account_of_its_request_even_if_that_is_registered_later(
    agency: Agency, jane: Account, sample: str, action: RequestAction, status: str, events: list[str], early: bool
) -> None:
    assert jane.source is not None
    request_id = load_sample("welink", sample)["request_id"]
    if early:
        register_request(jane.source, request_id=request_id, action=action, account=jane)
    receipt = receive_sample(jane.source, sample)
    drain()
    if not early:
        receipt.refresh_from_db()
        assert (receipt.status, receipt.reason) == ("quarantined", "unknown_request")
        assert recorded(agency) == []
        register_request(jane.source, request_id=request_id, action=action, account=jane)
        drain()
    receipt.refresh_from_db()
    jane.refresh_from_db()
    assert (receipt.status, jane.status, recorded(agency)) == ("processed", status, events)
    assert receipt.account_id == jane.id


def test_an_answer_is_about_the_account_of_an_earlier_one_with_its_request_id(agency: Agency, jane: Account) -> None:
    assert jane.source is not None
    receive_sample(jane.source, "account_restricted", request_id="req-0")
    drain()
    jane.refresh_from_db()
    assert jane.status == "blocked"


def test_a_sent_invitation_is_not_a_connection_and_belongs_to_the_registered_lead(
    agency: Agency, jane: Account
) -> None:
    assert jane.source is not None
    lead = Lead.objects.create(
        agency=agency, name="Target User", status_since=timezone.now(), received_at=timezone.now()
    )
    register_request(jane.source, request_id="req-67890", action=CONNECT, account=jane, lead=lead)
    receive_sample(jane.source, "connection_sent")
    drain()
    lead.refresh_from_db()
    assert (lead.status, lead.account) == ("CONNECTION_SENT", jane)
    assert lead.references.get().external_id == "target-user-456"
    assert Lead.objects.count() == 1


def test_a_registered_request_says_whose_account_a_campaign_runs_on(agency: Agency, jane: Account) -> None:
    assert jane.source is not None
    campaign = campaign_of(agency, provider="welink", external_id="c1", name="Founders")
    lead = create_lead(agency, name="Target User", campaign=campaign)
    register_request(jane.source, request_id="req-1", action=CONNECT, account=jane, lead=lead)
    campaign.refresh_from_db()
    assert campaign.account == jane

    other = Account.objects.create(agency=agency, provider="welink", external_id="x", status_since=timezone.now())
    register_request(jane.source, request_id="req-2", action=CONNECT, account=other, lead=lead)
    campaign.refresh_from_db()
    assert campaign.account == jane


def test_a_failed_invitation_is_a_remark_in_the_leads_history(agency: Agency, jane: Account) -> None:
    assert jane.source is not None
    lead = Lead.objects.create(agency=agency, status_since=timezone.now(), received_at=timezone.now())
    register_request(jane.source, request_id="req-1", action=CONNECT, account=jane, lead=lead)
    receive(jane.source, {"status": "FAILED", "request_id": "req-1", "error": "Weekly limit reached", "hash": ""})
    drain()
    change = lead.changes.get()
    assert (change.note, change.applied, change.new_status) == ("Weekly limit reached", False, "PENDING")
    jane.refresh_from_db()
    assert (jane.status, recorded(agency)) == ("active", [])


@pytest.mark.parametrize("code", ["PROXY_ERROR", "PROFILE_NOT_FOUND"])
def test_trouble_that_is_not_the_accounts_is_history_only(agency: Agency, jane: Account, code: str) -> None:
    assert jane.source is not None
    register_request(jane.source, request_id="req-1", action=LOGIN, account=jane)
    receive(jane.source, {"status": "FAILED", "request_id": "req-1", "error": code, "hash": ""})
    drain()
    row = jane.reports.latest("id")
    assert (row.note, row.applied, row.to_status, recorded(agency)) == (code, False, "active", [])


# --- whose it is ------------------------------------------------------------------------------------


def test_a_body_that_names_another_company_waits_in_quarantine(agency: Agency, stranger: Agency) -> None:
    source = source_of(agency, "linkedconnector")
    receipt = receive_sample(source, "linkedin_blocked", ghl_company_id=stranger.ghl_company_id)
    drain()
    receipt.refresh_from_db()
    assert (receipt.status, receipt.reason) == ("quarantined", "foreign_company")
    assert not Account.objects.exists()
    assert not Event.objects.exists()


def test_a_marketplace_source_finds_the_agency_by_company_then_by_location(agency: Agency, stranger: Agency) -> None:
    source = source_of(None, "highlevel")
    receive_sample(source, "install")
    drain()
    sub_account = SubAccount.objects.get()
    assert (sub_account.agency, sub_account.installed, sub_account.ghl_user_id) == (
        agency,
        True,
        "nX3qLLvKkGyo2z3lLxZk",
    )
    receive_sample(source, "uninstall", timestamp="2026-03-22T00:00:00.000Z")
    drain()
    sub_account.refresh_from_db()
    assert sub_account.installed is False
    assert (recorded(agency), recorded(stranger)) == (["install", "uninstall"], [])


def test_nobody_claims_another_agencys_location_by_naming_it(agency: Agency, stranger: Agency) -> None:
    marketplace = source_of(None, "highlevel")
    receive_sample(marketplace, "install")
    claim = {
        **load_sample("linkedconnector", "install"),
        "ghl_location_id": load_sample("highlevel", "install")["locationId"],
    }
    receive(source_of(stranger, "linkedconnector"), {**claim, "ghl_company_id": stranger.ghl_company_id})
    receive_sample(marketplace, "uninstall", timestamp="2026-03-22T00:00:00.000Z")
    drain()
    assert recorded(agency) == ["install", "uninstall"]
    assert recorded(stranger) == ["install"]


def test_an_unknown_company_waits_until_somebody_makes_the_agency(db: None) -> None:
    receipt = receive_sample(source_of(None, "highlevel"), "install", companyId="newCompany1")
    drain()
    receipt.refresh_from_db()
    assert (receipt.status, receipt.reason, receipt.agency) == ("quarantined", "unknown_company", None)
    agency, _ = create_agency(name="New", company_id="newCompany1")
    drain()
    receipt.refresh_from_db()
    assert (receipt.status, receipt.agency, recorded(agency)) == ("processed", agency, ["install"])


# --- words we do not know, clocks, failures ----------------------------------------------------------


def test_an_unknown_word_waits_for_a_mapping(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    from webhooks.providers import sendpilot

    source = source_of(agency, "sendpilot")
    data = {**load_sample("sendpilot", "lead_updated")["data"], "newStatus": "GHOSTED"}
    receipt = receive_sample(source, "lead_updated", data=data)
    drain()
    receipt.refresh_from_db()
    assert (receipt.status, receipt.reason) == ("quarantined", "unknown_status")
    assert "GHOSTED" in receipt.error
    monkeypatch.setitem(sendpilot.STATUSES, "GHOSTED", sendpilot.STATUSES["NOT_INTERESTED"])
    reprocess_receipt(receipt)
    drain()
    assert Lead.objects.get().status == "NOT_INTERESTED"


def test_an_unknown_field_is_processed_and_counted_as_drift(agency: Agency) -> None:
    source = source_of(agency, "salesflow")
    receipt = receive_sample(source, "account_active", SeatColour="green")
    drain()
    receipt.refresh_from_db()
    source.refresh_from_db()
    assert receipt.status == "processed"
    assert source.drift == {"SeatColour": 1}


@pytest.mark.parametrize(("ahead", "believed"), [(299, True), (301, False)])
def test_a_time_more_than_five_minutes_ahead_counts_as_the_time_of_receipt(
    agency: Agency, ahead: int, believed: bool
) -> None:
    now = timezone.now().replace(microsecond=0)
    stamp = now + timedelta(seconds=ahead)
    receive_sample(source_of(agency, "linkedconnector"), "linkedin_blocked", at=now, timestamp=stamp.isoformat())
    drain()
    assert Account.objects.get().status_since == (stamp if believed else now)


def test_a_receipt_that_fails_is_tried_again_later_and_then_stays_visible(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("no such luck")

    source = source_of(agency, "salesflow")
    receipt = receive_sample(source, "account_active")
    monkeypatch.setattr(processor, "apply_event", broken)
    for attempt in range(1, ATTEMPTS + 1):
        Receipt.objects.update(next_attempt_at=timezone.now())
        drain()
        receipt.refresh_from_db()
        assert receipt.attempts == attempt
        assert receipt.error == "RuntimeError: no such luck"
    assert receipt.status == ReceiptStatus.FAILED
    monkeypatch.undo()
    reprocess_receipt(receipt)
    drain()
    receipt.refresh_from_db()
    assert (receipt.status, receipt.error, Account.objects.get().status) == ("processed", "", "active")


def test_a_failing_receipt_holds_up_nobody_else(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    source = source_of(agency, "salesflow")
    bad = receive_sample(source, "account_active", LinkedInAccountId=666)
    good = [receive_sample(source, "account_active", LinkedInAccountId=number + 1) for number in range(5)]
    apply = processor.apply_event  # type: ignore[attr-defined]

    def broken_for_one(receipt: Receipt, event: Any, work: UnitOfWork) -> None:
        if receipt.pk == bad.pk:
            raise RuntimeError("no such luck")
        apply(receipt, event, work)

    monkeypatch.setattr(processor, "apply_event", broken_for_one)
    drain()
    assert Receipt.objects.filter(pk__in=[row.pk for row in good], status="processed").count() == 5
    bad.refresh_from_db()
    assert bad.status == "received"


@pytest.mark.parametrize("step", ["parsing", "applying"])
def test_a_receipt_that_kills_its_worker_is_counted_walks_alone_and_ends_as_failed(
    agency: Agency, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = source_of(agency, "salesflow")
    bad = receive_sample(source, "account_active", LinkedInAccountId=666)
    good = receive_sample(source, "account_active", LinkedInAccountId=1)
    apply, adapter = processor.apply_event, processor.PROVIDERS["salesflow"]  # type: ignore[attr-defined]
    parse = adapter.parse

    class Killed(BaseException):
        pass

    def kill_applying(receipt: Receipt, event: Any, work: UnitOfWork) -> None:
        if receipt.pk == bad.pk:
            raise Killed
        apply(receipt, event, work)

    def kill_parsing(request: Any, words: Any) -> ParsedRequest:
        if b"666" in request.body:
            raise Killed
        return parse(request, words)

    if step == "parsing":
        monkeypatch.setattr(adapter, "parse", kill_parsing)
    else:
        monkeypatch.setattr(processor, "apply_event", kill_applying)
    for _ in range(ATTEMPTS):
        with pytest.raises(Killed):
            drain()
    drain()
    bad.refresh_from_db()
    good.refresh_from_db()
    assert good.status == "processed"
    assert (bad.status, bad.error) == (
        "failed",
        "RuntimeError: Every attempt to process it ended with its worker.",
    )


def test_a_campaign_paused_by_the_providers_own_system_is_not_ours_to_resume(agency: Agency) -> None:
    data = {**load_sample("sendpilot", "campaign_paused")["data"], "pausedBy": "system"}
    receive_sample(source_of(agency, "sendpilot"), "campaign_paused", data=data)
    drain()
    campaign = Campaign.objects.get()
    assert (campaign.status, campaign.paused_by) == ("paused", "provider")
