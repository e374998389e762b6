"""Receipts that are processed together: the same comes of them as of each alone, and one that fails leaves nothing."""

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.campaigns import service as campaigns
from accounts.campaigns.service import campaign_of, update_campaign
from accounts.core.enums import RequestAction
from accounts.core.provider_key import ProviderKey
from accounts.core.unit_of_work import ReportBatch
from accounts.linkedin.matching import ACCOUNTS_BY_EXTERNAL_ID
from accounts.models import Account, AccountReport, Agency, Campaign, Event, Outage, ReauthPrompt, ReauthStep, Source
from leads.models import Lead, LeadChange, LeadReference
from leads.rules.active import active_rules
from leads.scoring.service import rules_for
from leads.sla.target_kind import KIND as TARGETS
from tests.reactions import react
from tests.receiving import drain, receive, receive_sample, source_of
from webhooks.models import Receipt
from webhooks.processing import processor
from webhooks.processing.processor import process_due_receipts, register_request

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
#: Ids and times of a row's own: what two agencies' rows never have in common.
OWN = {
    *("event_id", "ghl_company_id", "timestamp", "linkedin_account_id", "lead_id", "campaign_id"),
    "merged_lead_ids",
}
STATUSES = ("PENDING", "CONNECTION_SENT", "CONNECTION_ACCEPTED", "MESSAGE_SENT", "REPLY_RECEIVED", "DONE")


def salesflow(source: Source, dice: random.Random, number: int) -> None:
    status = dice.choice([*["ACCOUNT_ACTIVE", "ACCOUNT_BLOCKED"] * 4, "ACCOUNT_PAUSED", "ACCOUNT_DELETED", "ACCOUNT_X"])
    body = {
        "EventType": "ACCOUNT_STATUS_CHANGED",
        "Payload": {"Data": {"Status": status}},
        "LinkedInAccountId": dice.randrange(4),
        "LinkedInEmail": f"a{dice.randrange(3)}@example.com",
    }
    receive(source, body, at=NOON + timedelta(minutes=number))


def sendpilot(source: Source, dice: random.Random, number: int) -> None:
    who = dice.randrange(5)
    data = {
        "leadId": f"l{who}",
        "linkedinUrl": dice.choice(["", f"https://linkedin.com/in/p{who // 2}"]),
        "campaignId": f"c{dice.randrange(2)}",
        "campaignName": dice.choice(["Spring", "Summer"]),
        "newStatus": dice.choice(STATUSES),
        "previousStatus": dice.choice(STATUSES),
    }
    kinds = ["lead.status.changed", "lead.status.changed", "message.received", "campaign.paused", "campaign.resumed"]
    body = {"eventId": str(number), "eventType": dice.choice(kinds), "data": data}
    receive(source, {**body, "timestamp": (NOON + timedelta(minutes=dice.randrange(60))).isoformat()})


def linkedin(source: Source, dice: random.Random, number: int) -> None:
    sample = dice.choice(["lead_created", "lead_created", "lead_deleted"])
    at = int((NOON + timedelta(minutes=dice.randrange(60))).timestamp() * 1000)
    who = f"urn:li:leadGenFormResponse:{dice.randrange(4)}"
    receive_sample(source, sample, leadGenFormResponse=who, occurredAt=at)


def welink(source: Source, dice: random.Random, number: int) -> None:
    sample = dice.choice(["login_success", "login_failed", "connection_sent", "rate_limited", "account_restricted"])
    receive_sample(source, sample, request_id=f"r{dice.randrange(3)}", at=NOON + timedelta(minutes=5 * number))


MIXTURES = {write.__name__: write for write in (salesflow, sendpilot, linkedin, welink)}


def outcome(agency: Agency) -> dict[str, list[Any]]:
    """All that became of an agency's receipts."""

    def rows(found: Any, *names: str) -> list[Any]:
        return list(found.order_by("id").values_list(*names))

    events = Event.objects.filter(agency=agency).order_by("id")
    return {
        "accounts": rows(agency.accounts, "external_id", "email", "status", "status_reason", "reported_at"),
        "reports": rows(
            AccountReport.objects.filter(account__agency=agency),
            *("account__external_id", "from_status", "to_status", "applied", "note", "occurred_at"),
        ),
        "events": [{name: value for name, value in event.payload.items() if name not in OWN} for event in events],
        "prompts": rows(ReauthPrompt.objects.filter(account__agency=agency), "status", "closed_as", "recipients"),
        "steps": rows(ReauthStep.objects.filter(prompt__account__agency=agency), "kind", "recipient", "note"),
        "drops": [
            (*row[:-1], row[-1] is None)
            for row in rows(Outage.objects.filter(agency=agency), "account__external_id", "status", "cause", "back_at")
        ],
        "campaigns": rows(agency.campaigns, "external_id", "name", "status", "paused_by", "pause_reason"),
        "leads": rows(agency.leads, "linkedin_key", "status", "campaign__name", "status_since"),
        "references": rows(
            LeadReference.objects.filter(agency=agency), "external_id", "campaign__name", "status", "reported_at"
        ),
        "changes": rows(
            LeadChange.objects.filter(lead__agency=agency, sentence__isnull=True),
            *("reference__external_id", "previous_status", "new_status", "applied", "note", "occurred_at"),
        ),
        "merges": rows(
            LeadChange.objects.filter(lead__agency=agency, sentence__isnull=False), "lead__linkedin_key", "new_status"
        ),
        "receipts": list(
            agency.receipts.order_by("sequence").values_list("status", "reason", "event_type", "error", "attempts")
        ),
    }


def refused(*_: Any) -> None:
    """As if the database refused the batch: its receipts are processed one by one."""
    raise IntegrityError


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.fault) for seed in range(1, 8))])
@pytest.mark.parametrize("provider", MIXTURES)
def test_a_batch_does_what_its_receipts_do_one_by_one(
    agency: Agency, stranger: Agency, provider: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner in (agency, stranger):
        if owner == stranger:
            monkeypatch.setattr(processor, "prefetch", refused)
        source, dice = source_of(owner, provider), random.Random(seed)
        account = Account.objects.create(agency=owner, provider=provider, status="active", status_since=NOON)
        if provider == "welink":
            register_request(source, request_id="r1", action=RequestAction.CONNECT, account=account)
        with time_machine.travel(NOON + timedelta(hours=4)):
            count = 60 if seed else 36
            for numbers in (range(12), range(12, count)):  # of whom nothing is known, and then something
                for number in numbers:
                    MIXTURES[provider](source, dice, number)
                while process_due_receipts():
                    pass
                react()
    together, alone = outcome(agency), outcome(stranger)
    for name in together:
        assert together[name] == alone[name], name
    assert [status for status, *_ in together["receipts"] if status in ("received", "failed")] == []


def reports(source: Source, numbers: Iterable[int], status: str = "account_active") -> list[Receipt]:
    return [receive_sample(source, status, LinkedInAccountId=number) for number in numbers]


def test_a_receipt_that_fails_halfway_leaves_nothing_and_harms_none_of_its_batch(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_of(agency, "salesflow")
    reports(source, [1, 2, 3])
    drain()
    before = outcome(agency)["reports"]
    dropped = reports(source, [1, 2, 3], "account_blocked")
    again = reports(source, [2])
    pause_for = campaigns.pause_for

    def break_off(account: Account, **about: Any) -> None:
        if account.external_id == "2":  # after its row, its history and its event
            about["work"].flush()  # written, but within its savepoint
            raise RuntimeError("no such luck")
        pause_for(account, **about)

    monkeypatch.setattr(campaigns, "pause_for", break_off)
    process_due_receipts()
    react()
    assert [Receipt.objects.get(pk=row.pk).status for row in [*dropped, *again]] == [
        *("processed", "received", "processed", "processed")
    ]
    statuses = dict(Account.objects.values_list("external_id", "status"))
    assert statuses == {"1": "disconnected", "2": "active", "3": "disconnected"}
    written = [(who, old, new) for who, old, new, *_ in outcome(agency)["reports"][len(before) :]]
    assert written == [("1", "active", "disconnected"), ("3", "active", "disconnected"), ("2", "active", "active")]
    events = Event.objects.filter(event_type="linkedin_disconnected").values_list("subject", flat=True)
    down = Account.objects.filter(status="disconnected")
    assert sorted(events) == sorted(down.values_list("pk", flat=True))
    assert sorted(ReauthPrompt.objects.values_list("account", flat=True)) == sorted(events)


def test_what_the_database_refuses_of_a_batch_is_sorted_out_one_by_one(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = source_of(agency, "salesflow"), source_of(agency, "salesflow")
    prefetch = processor.prefetch  # type: ignore[attr-defined]
    reports(first, [1, 2])
    drain()
    receipts = reports(second, [2, 3, 4])

    def too_early(work: ReportBatch, source: Source, events: Any) -> None:
        """As if the other source's worker had made the account just after we looked."""
        prefetch(work, source, events)
        work.remember(ACCOUNTS_BY_EXTERNAL_ID, {ProviderKey(agency.pk, "salesflow", "2"): None})

    monkeypatch.setattr(processor, "prefetch", too_early)
    drain()
    assert {Receipt.objects.get(pk=row.pk).status for row in receipts} == {"processed"}
    assert list(Account.objects.order_by("external_id").values_list("external_id", flat=True)) == ["1", "2", "3", "4"]
    assert AccountReport.objects.count() == 5
    assert Event.objects.filter(event_type="linkedin_connected").count() == 4


def test_what_a_person_changes_between_two_batches_counts_in_the_second(agency: Agency) -> None:
    source = source_of(agency, "salesflow")
    reports(source, [1, 2])
    drain()
    campaign = campaign_of(agency, provider="salesflow", external_id="c1", name="Spring")
    update_campaign(campaign, account=Account.objects.get(external_id="1"))
    Account.objects.filter(external_id="2").update(status="blocked")
    reports(source, [1], "account_blocked")
    reports(source, [2])
    drain()
    assert Campaign.objects.get().status == "paused"
    moves = AccountReport.objects.filter(account__external_id="2").order_by("id").values_list("from_status", flat=True)
    assert list(moves) == ["", "blocked"]


def accounts_as_they_were(source: Source, numbers: range) -> None:
    reports(source, numbers)


def accounts_that_go_down(source: Source, numbers: range) -> None:
    Account.objects.update(status_since=timezone.now() - timedelta(days=1))
    reports(source, numbers, "account_blocked")


def new_accounts(source: Source, numbers: range) -> None:
    reports(source, [number + 1000 for number in numbers])


def lead_reports(source: Source, numbers: range, *, status: str, first: int = 0) -> None:
    for number in numbers:
        who = first + number
        data = {"leadId": f"l{who}", "linkedinUrl": f"https://linkedin.com/in/p{who}", "campaignId": "c1"}
        body = {
            "eventId": f"{status} {who}",
            "eventType": "lead.status.changed",
            "timestamp": timezone.now().isoformat(),
        }
        receive(source, {**body, "data": {**data, "newStatus": status}})


def leads_that_move(source: Source, numbers: range) -> None:
    lead_reports(source, numbers, status="REPLY_RECEIVED")


def new_leads(source: Source, numbers: range) -> None:
    lead_reports(source, numbers, status="CONNECTION_SENT", first=1000)


def sent_forms(source: Source, numbers: range) -> None:
    for number in numbers:
        receive_sample(source, "lead_created", leadGenFormResponse=f"urn:li:leadGenFormResponse:{number}")


#: Beside its savepoint, which is only made where there are any. A new lead's reference is written at once, because the
#: lead's history names its key; a form's asks who is connected to fetch the answers.
STATEMENTS: dict[Callable[[Source, range], None], tuple[str, int]] = {
    accounts_as_they_were: ("salesflow", 0),
    accounts_that_go_down: ("salesflow", 0),
    new_accounts: ("salesflow", 0),
    leads_that_move: ("sendpilot", 0),
    new_leads: ("sendpilot", 1),
    sent_forms: ("linkedin", 2),
}


@pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.__name__)
def test_a_receipt_more_in_a_batch_costs_at_most_two_statements_more(
    agency: Agency, kind: Callable[[Source, range], None]
) -> None:
    provider, most = STATEMENTS[kind]
    source = source_of(agency, provider)
    if provider == "salesflow":
        reports(source, range(1, 31))
    elif provider == "sendpilot":
        lead_reports(source, range(1, 31), status="CONNECTION_SENT")
    rules_for(agency)  # its starting set
    active_rules(TARGETS, agency)  # compiled once in a process
    drain()
    asked, reacted = [], []
    for numbers in (range(1, 11), range(11, 31)):
        kind(source, numbers)
        with CaptureQueriesContext(connection) as captured:
            process_due_receipts()
        statements = [query["sql"] or "SAVEPOINT" for query in captured.captured_queries]  # none: it was not said
        asked.append([sql for sql in statements if "SAVEPOINT" not in sql[:21]])
        with CaptureQueriesContext(connection) as captured:
            react()
        reacted.append(len(captured))
    assert Receipt.objects.exclude(status="processed").count() == 0
    assert reacted[1] == reacted[0]
    assert len(asked[1]) - len(asked[0]) == 10 * most, asked[1]
    assert Lead.objects.count() == {leads_that_move: 30, new_leads: 60, sent_forms: 30}.get(kind, 0)
