"""What was received: receipts with their filters, what was not recognised, and refused requests."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Account, Agency, Preference, Source
from tests.portal.browser import Browser
from tests.receiving import drain, receive, receive_sample, source_of
from webhooks.models import Receipt
from webhooks.portal import received
from webhooks.samples import load_sample


@pytest.fixture
def owner(sign_in: Browser, agency: Agency) -> Client:
    return sign_in()


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def with_status(source: Source, number: int, word: str) -> Receipt:
    body = load_sample("sendpilot", "lead_updated")
    return receive(source, {**body, "eventId": f"evt_{number}", "data": {**body["data"], "newStatus": word}})


def listed(page: str) -> list[str]:
    return [part.partition('"')[0] for part in page.split('href="/received/rct_')[1:]]


def test_receipts_are_found_by_source_status_event_and_account(agency: Agency, owner: Client) -> None:
    leads, accounts = source_of(agency, "sendpilot"), source_of(agency, "salesflow")
    one, two = with_status(leads, 1, "DONE"), with_status(leads, 2, "GHOSTED")
    three = receive_sample(accounts, "account_paused")
    drain()
    account = Account.objects.get()

    def numbers(query: str) -> set[str]:
        return set(listed(html(owner, f"/received?{query}")))

    everything = {str(receipt.pk) for receipt in (one, two, three)}
    assert numbers("") == everything
    assert numbers(f"source={accounts.pk}") == {str(three.pk)}
    assert numbers("status=quarantined") == {str(two.pk)}
    assert numbers("event=lead.updated") == {str(one.pk), str(two.pk)}
    assert numbers(f"account={account.pk}") == {str(three.pk)}
    assert numbers("status=nonsense") == everything
    assert f'href="/linkedin/{account.pk}"' in html(owner, "/received")


def test_a_filter_looks_through_so_many_receipts_and_no_more(
    agency: Agency, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(received, "MAX_FILTERED", 2)
    source = source_of(agency, "sendpilot")
    receipts = [with_status(source, number, "DONE") for number in range(3)]
    drain()
    assert listed(html(owner, "/received?event=lead.updated")) == [str(row.pk) for row in receipts[:0:-1]]


def test_a_receipt_shows_what_was_sent_what_it_says_and_what_became_of_it(agency: Agency, owner: Client) -> None:
    receipt = receive_sample(source_of(agency, "salesflow"), "account_paused", token="hush-hush")
    drain()
    page = html(owner, f"/received/{receipt.public_id}")
    assert "The account natalia@example.com is Action required." in page
    assert "ACCOUNT_PAUSED" in page
    assert "hush-hush" not in page
    assert f'href="/linkedin/{Account.objects.get().pk}"' in page
    for pk in ("rct_0", "rct_x", "7", "rct_" + "9" * 18, "rct_" + "9" * 40, f"rct_{receipt.pk}%0A"):
        assert owner.get(f"/received/{pk}").status_code == 404


def test_unknown_words_are_grouped_with_counts_and_treated_for_all_that_wait(
    agency: Agency, stranger: Agency, owner: Client
) -> None:
    source = source_of(agency, "sendpilot")
    for number in range(3):
        with_status(source, number, "GHOSTED")
    with_status(source, 3, "VANISHED")
    with_status(source_of(stranger, "sendpilot"), 4, "SECRETLY")
    drain()
    page = html(owner, "/received/unrecognised")
    assert page.index("GHOSTED") < page.index("VANISHED")
    assert "3 events wait" in page
    assert "SECRETLY" not in page
    answer = owner.post(
        f"/sources/{source.pk}/words", {"kind": "status", "word": "GHOSTED", "meaning": "NOT_INTERESTED"}, follow=True
    )
    text = answer.content.decode()
    assert "“GHOSTED” is treated as “Not interested”. 3 events are processed now." in text
    drain()
    assert Receipt.objects.filter(agency=agency, status="processed").count() == 3
    assert '<code class="word">GHOSTED' not in html(owner, "/received/unrecognised")


def test_the_buttons_that_treat_a_word_carry_the_pages_token(agency: Agency, owner: Client) -> None:
    receipt = with_status(source_of(agency, "sendpilot"), 1, "GHOSTED")
    drain()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = owner.cookies
    tokens = []
    for path in ("/received/unrecognised", f"/received/{receipt.public_id}"):
        form = html(strict, path).partition('class="press wide"')[2].partition("</form>")[0]
        tokens += re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert len(tokens) == 2
    for token in tokens:
        data = {"kind": "status", "word": "GHOSTED", "meaning": "DONE", "csrfmiddlewaretoken": token}
        assert strict.post(f"/sources/{receipt.source_id}/words", data).status_code == 302


def test_a_meaning_that_is_not_offered_is_refused(agency: Agency, owner: Client) -> None:
    source = source_of(agency, "sendpilot")
    bad: list[dict[str, Any]] = [{"meaning": "GONE"}, {"kind": "colour"}, {"word": ""}, {}]
    for change in bad:
        data = {"kind": "status", "word": "GHOSTED", "meaning": "DONE"} | change
        if not change:
            del data["meaning"]
        assert owner.post(f"/sources/{source.pk}/words", data).status_code == 302
        assert not source.word_mappings.exists()


def test_what_waits_for_something_else_says_for_what(agency: Agency, owner: Client) -> None:
    receive(source_of(agency, "welink"), {"request_id": "req-1", "status": "SUCCESS", "result": {}})
    drain()
    page = html(owner, "/received/unrecognised")
    assert "1 event waits" in page
    assert "The agency has not said what this We-Link request was for." in page
    assert "Treat as" not in page


def test_a_reader_sees_what_waits_and_changes_nothing(agency: Agency, sign_in: Browser) -> None:
    receipt = with_status(source_of(agency, "sendpilot"), 1, "GHOSTED")
    drain()
    reader = sign_in(Role.READ_ONLY)
    for path in ("/received/unrecognised", f"/received/{receipt.public_id}", f"/sources/{receipt.source_id}"):
        page = html(reader, path)
        assert "Treat as…" not in page
        assert "/reprocess" not in page
        assert "Send sample" not in page
        assert "/webhooks/" not in page


def test_a_receipt_is_processed_again(agency: Agency, owner: Client) -> None:
    receipt = with_status(source_of(agency, "sendpilot"), 1, "GHOSTED")
    drain()
    owner.post(f"/received/{receipt.public_id}/reprocess")
    receipt.refresh_from_db()
    assert receipt.status == "received"
    Receipt.objects.update(status="processed", body=b"")
    answer = owner.post(f"/received/{receipt.public_id}/reprocess", follow=True)
    assert "Its payload was erased" in answer.content.decode()


def test_the_lists_ask_no_more_for_more_rows(agency: Agency, owner: Client, django_assert_max_num_queries: Any) -> None:
    source = source_of(agency, "sendpilot")
    for number in range(12):
        with_status(source, number, f"WORD_{number}")
    drain()
    for path in ("/received", "/received/unrecognised", "/received/refused", "/sources", f"/sources/{source.pk}"):
        with django_assert_max_num_queries(23):
            html(owner, path)


def test_why_a_receipt_waits_is_said_in_the_readers_language(agency: Agency, owner: Client) -> None:
    receipt = receive_sample(source_of(agency, "welink"), "connection_sent")
    drain()
    assert "The request is not registered" in html(owner, f"/received/{receipt.public_id}")
    Preference.objects.update_or_create(user_id=owner.session["_auth_user_id"], defaults={"language": "de"})
    page = html(owner, f"/received/{receipt.public_id}")
    assert "Die Anfrage ist nicht registriert, und das Ergebnis sagt nicht, wofür sie war." in page
    assert "The request is not registered" not in page
