"""A word that Leadline does not know is treated as one that it knows, for what waits and for what comes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.utils import timezone

from accounts.core.enums import RequestAction, WordKind
from accounts.core.errors import FieldError
from accounts.models import Account, Agency, Event, Source, SubAccount
from leads.models import Lead
from tests.receiving import drain, receive, receive_sample, source_of
from webhooks.models import Receipt, WordMapping
from webhooks.processing import word_mappings
from webhooks.processing.processor import register_request
from webhooks.processing.quarantine import release_understood
from webhooks.processing.word_mappings import map_word, release_mapped, remove_mapping
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest, UnknownVocabulary
from webhooks.samples import load_sample

EVENT, STATUS = WordKind.EVENT, WordKind.STATUS
MONDAY = "2026-03-02T09:00:00.000Z"


@dataclass(frozen=True)
class Case:
    """A body with a word that its adapter does not know, and what it does once the word is mapped."""

    provider: str
    kind: WordKind
    word: str
    meaning: str
    body: Callable[[Agency], dict[str, Any]]
    effect: Callable[[], object]
    expected: object

    def __str__(self) -> str:
        return f"{self.provider} {self.kind}"


def salesflow(**changes: Any) -> dict[str, Any]:
    return {**load_sample("salesflow", "account_paused"), **changes}


def sendpilot(sample: str, event: str, **data: Any) -> dict[str, Any]:
    body = load_sample("sendpilot", sample)
    return {**body, "eventType": event, "data": {**body["data"], **data}}


def account_status() -> str:
    return Account.objects.get().status


def lead_status() -> str:
    return Lead.objects.get().status


CASES = [
    Case(
        *("salesflow", STATUS, "ACCOUNT_SUSPENDED", "blocked"),
        lambda _: salesflow(Payload={"Data": {"Status": "ACCOUNT_SUSPENDED"}}),
        lambda: (account_status(), Account.objects.get().status_reason),
        ("blocked", "ACCOUNT_SUSPENDED"),
    ),
    Case(
        *("salesflow", EVENT, "ACCOUNT_STATUS_UPDATED", "ACCOUNT_STATUS_CHANGED"),
        lambda _: salesflow(EventType="ACCOUNT_STATUS_UPDATED"),
        account_status,
        "incomplete",
    ),
    Case(
        *("sendpilot", STATUS, "GHOSTED", "NOT_INTERESTED"),
        lambda _: sendpilot("lead_updated", "lead.updated", newStatus="GHOSTED"),
        lead_status,
        "NOT_INTERESTED",
    ),
    Case(
        *("sendpilot", EVENT, "reply.detected", "reply.received"),
        lambda _: sendpilot("lead_updated", "reply.detected"),
        lead_status,
        "REPLY_RECEIVED",
    ),
    Case(
        *("welink", STATUS, "ACCOUNT_LOCKED", "ACCOUNT_RESTRICTED"),
        lambda _: {"request_id": "req-known", "status": "ACCOUNT_LOCKED", "message": ""},
        lambda: (account_status(), Account.objects.get().status_reason),
        ("blocked", "ACCOUNT_LOCKED"),
    ),
    Case(
        *("welink", EVENT, "LOGIN_REFUSED", "LOGIN_FAILED"),
        lambda _: {"request_id": "req-known", "event": "LOGIN_REFUSED", "status": "FAILED", "error": "No."},
        account_status,
        "auth_error",
    ),
    Case(
        *("linkedin", STATUS, "SUBMITTED", "CREATED"),
        lambda _: {**load_sample("linkedin", "lead_created"), "leadAction": "SUBMITTED"},
        lead_status,
        "PENDING",
    ),
    Case(
        *("linkedin", EVENT, "LEAD_EVENT", "LEAD_ACTION"),
        lambda _: {**load_sample("linkedin", "lead_created"), "type": "LEAD_EVENT"},
        lead_status,
        "PENDING",
    ),
    Case(
        *("linkedconnector", EVENT, "linkedin_suspended", "linkedin_blocked"),
        lambda agency: {
            **load_sample("linkedconnector", "linkedin_blocked"),
            "event_type": "linkedin_suspended",
            "ghl_company_id": agency.ghl_company_id,
        },
        lambda: (account_status(), Event.objects.filter(event_type="linkedin_blocked").count()),
        ("blocked", 1),
    ),
    Case(
        *("highlevel", EVENT, "APP_INSTALL", "INSTALL"),
        lambda agency: {
            **load_sample("highlevel", "install"),
            "type": "APP_INSTALL",
            "companyId": agency.ghl_company_id,
            "locationId": "loc-words",
        },
        lambda: SubAccount.objects.get(location_id="loc-words").installed,
        True,
    ),
]


def wait(agency: Agency, case: Case) -> tuple[Source, Receipt]:
    """A receipt that waits for the case's word, at a source whose We-Link request is registered."""
    source = source_of(agency, case.provider)
    if case.provider == "welink":
        account = Account.objects.create(
            agency=agency,
            provider="welink",
            external_id="known",
            source=source,
            status="active",
            status_since=timezone.now(),
        )
        register_request(source, request_id="req-known", action=RequestAction.LOGIN, account=account)
    receipt = receive(source, case.body(agency))
    drain()
    return source, receipt


def state(receipt: Receipt) -> tuple[str, str]:
    receipt.refresh_from_db()
    return receipt.status, receipt.reason


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_waits_for_a_word_is_processed_once_somebody_says_what_it_means(agency: Agency, case: Case) -> None:
    source, receipt = wait(agency, case)
    assert state(receipt)[0] == "quarantined"
    assert (receipt.reason, receipt.correlation) == (f"unknown_{case.kind}".replace("event", "event_type"), case.word)
    _, released = map_word(source, kind=case.kind, word=case.word, meaning=case.meaning)
    drain()
    assert (released, state(receipt)) == (1, ("processed", ""))
    assert case.effect() == case.expected


def test_every_provider_that_has_words_is_among_the_cases() -> None:
    kinds = {(slug, kind) for slug, provider in PROVIDERS.items() for kind in provider.meanings}
    assert kinds == {(case.provider, case.kind) for case in CASES}


def test_an_unknown_word_with_a_meaning_of_no_adapter_stays_unknown(agency: Agency) -> None:
    for case in CASES:
        provider = PROVIDERS[case.provider]
        receipt = receive(source_of(agency, case.provider), case.body(agency))
        with pytest.raises(UnknownVocabulary) as unknown:
            provider.parse(request_of(receipt), {(case.kind, case.word): "nothing that the adapter knows"})
        assert unknown.value.word == case.word
        assert provider.parse(request_of(receipt), {(case.kind, case.word): case.meaning}).events


def request_of(receipt: Receipt) -> SignedRequest:
    return SignedRequest(bytes(receipt.body), receipt.headers, receipt.received_at)


def ghosted(source: Source, number: int, word: str = "GHOSTED") -> Receipt:
    return receive(source, {**sendpilot("lead_updated", "lead.updated", newStatus=word), "eventId": f"evt_{number}"})


def test_a_mapping_concerns_its_own_source_and_word_alone(agency: Agency, stranger: Agency) -> None:
    ours, theirs = source_of(agency, "sendpilot"), source_of(stranger, "sendpilot")
    receipts = [ghosted(ours, 1), ghosted(ours, 2, "VANISHED"), ghosted(theirs, 3)]
    drain()
    assert map_word(ours, kind=STATUS, word="GHOSTED", meaning="DONE")[1] == 1
    drain()
    assert [state(receipt)[0] for receipt in receipts] == ["processed", "quarantined", "quarantined"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_word_may_be_ignored(agency: Agency, case: Case) -> None:
    source, receipt = wait(agency, case)
    events = Event.objects.count()
    map_word(source, kind=case.kind, word=case.word, meaning="ignored")
    drain()
    assert (state(receipt), Event.objects.count()) == (("processed", ""), events)
    source.refresh_from_db()
    assert source.drift == {}


def test_what_comes_later_is_read_at_once_and_no_longer_after_the_mapping_is_removed(agency: Agency) -> None:
    source = source_of(agency, "sendpilot")
    mapping, released = map_word(source, kind=STATUS, word="GHOSTED", meaning="DONE")
    first = ghosted(source, 1)
    drain()
    assert (released, state(first)) == (0, ("processed", ""))
    remove_mapping(mapping)
    second = ghosted(source, 2)
    drain()
    assert state(second) == ("quarantined", "unknown_status")


def test_a_previous_status_is_understood_too_and_counts_as_no_gap(agency: Agency) -> None:
    source = source_of(agency, "sendpilot")
    map_word(source, kind=STATUS, word="GHOSTED", meaning="DONE")
    ghosted(source, 1)
    body = sendpilot("lead_updated", "lead.updated", previousStatus="GHOSTED", newStatus="OPPORTUNITY")
    receive(source, {**body, "eventId": "evt_2", "timestamp": timezone.now().isoformat()})
    drain()
    source.refresh_from_db()
    assert (lead_status(), source.gaps, source.drift.get("data.previousStatus")) == ("OPPORTUNITY", 0, None)


def test_many_that_wait_leave_quarantine_a_batch_at_a_time(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_mappings, "BATCH", 2)
    source = source_of(agency, "sendpilot")
    receipts = [ghosted(source, number) for number in range(5)]
    drain()
    mapping, released = map_word(source, kind=STATUS, word="GHOSTED", meaning="DONE")
    assert (released, word_mappings.waiting_for(mapping).count()) == (2, 3)
    assert [release_mapped(), release_mapped(), release_mapped()] == [1, 1, 1]
    drain()
    mapping.refresh_from_db()
    assert ([state(receipt)[0] for receipt in receipts], mapping.released) == (["processed"] * 5, 5)
    assert release_mapped() == 0  # it looks once more in a minute
    late = ghosted(source, 9)
    Receipt.objects.filter(pk=late.pk).update(status="quarantined", reason="unknown_status", correlation="GHOSTED")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        assert [release_mapped(), release_mapped(), release_mapped()] == [1, 1, 0]
    drain()
    assert state(late) == ("processed", "")


def test_a_word_is_mapped_anew_and_who_did_it_is_in_the_audit_log(agency: Agency, staff: User) -> None:
    source = source_of(agency, "sendpilot")
    map_word(source, kind=STATUS, word="GHOSTED", meaning="DONE", by=staff)
    mapping, _ = map_word(source, kind=STATUS, word="GHOSTED", meaning="NOT_INTERESTED", by=staff)
    remove_mapping(mapping, by=staff)
    assert WordMapping.objects.count() == 0
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        "Word mapped: “GHOSTED” → DONE.",
        "Word mapped: “GHOSTED” → NOT_INTERESTED.",
        "Mapping removed: “GHOSTED” → NOT_INTERESTED.",
    ]


@pytest.mark.parametrize(("word", "meaning", "field"), [("GHOSTED", "GONE", "meaning"), (" ", "DONE", "word")])
def test_a_mapping_to_nothing_or_of_nothing_is_refused(agency: Agency, word: str, meaning: str, field: str) -> None:
    with pytest.raises(FieldError) as refusal:
        map_word(source_of(agency, "sendpilot"), kind=STATUS, word=word, meaning=meaning)
    assert refusal.value.field == field


def test_receipts_of_an_earlier_release_learn_which_word_they_wait_for(agency: Agency) -> None:
    source = source_of(agency, "sendpilot")
    receipt = ghosted(source, 1)
    drain()
    Receipt.objects.update(correlation="")
    assert (release_understood(), state(receipt), receipt.correlation) == (
        0,
        ("quarantined", "unknown_status"),
        "GHOSTED",
    )
    WordMapping.objects.create(source=source, kind="status", word="GHOSTED", meaning="DONE")
    assert release_understood() == 1


def test_a_sample_without_an_unknown_word_waits_for_none(agency: Agency) -> None:
    receipt = receive_sample(source_of(agency, "sendpilot"), "lead_updated", data={"leadId": "1"})
    drain()
    assert (state(receipt), receipt.correlation) == (("quarantined", "missing_field"), "")
