"""Outside text: joiners that scripts and emoji need stay, what nobody sees goes, and nothing is cut in two."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.core.csv_export import safe_cell
from accounts.core.enums import Scope
from accounts.core.markup import visible
from accounts.core.text import plain, safe_line, shorten
from accounts.models import Account, Agency, Member
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from tests.api.client import api_with
from tests.factories import furnish
from tests.notifications.receiver import receiver
from tests.reactions import react
from tests.receiving import receive_sample, source_of
from webhooks.processing.processor import process_due_receipts

#: Whole as they are: emoji of several, Persian, Hindi and Sinhala words, flags, marks.
READABLE = ["👩‍💻 Ada", "👩🏽‍🚀", "👨‍👩‍👧‍👦", "❤️‍🔥", "🏳️‍🌈", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🇩🇪🇫🇷", "می‌خواهم", "क्‍ष", "ශ්‍රී", "e\u0301", "Zoë"]
#: What is typed --> what is read.
GONE = {
    "Ann\u202egpj.exe": "Anngpj.exe",
    "\u2066Ann\u2069": "Ann",
    "A\u200bn\u00adn": "Ann",
    "Pay\u200cPal": "PayPal",  # a joiner that joins nothing
    "\u200dAnn\u200d": "Ann",
    "a\u200c\u200d\u200cb": "ab",
    "Ann\U000e0041\U000e0042": "Ann",  # tags outside a flag
    "\ufeffAnn\u200f": "Ann",
}


@pytest.mark.parametrize("text", READABLE)
def test_what_belongs_to_a_word_or_an_emoji_is_kept_everywhere(text: str) -> None:
    assert (plain(text), safe_line(text), safe_cell(text), visible(text)) == (text,) * 4


@pytest.mark.parametrize(("text", "read"), GONE.items())
def test_what_nobody_sees_goes_everywhere(text: str, read: str) -> None:
    assert (plain(text), safe_line(text), safe_cell(text)) == (read,) * 3
    assert visible(text).replace("\N{REPLACEMENT CHARACTER}", "") == read


def test_controls_become_blanks_in_a_line_and_go_where_lines_are_kept() -> None:
    assert safe_line("a\x00b\x1b[31mc\nd\te") == "a b [31mc d e"
    assert safe_cell("a\x00b\r\nc\x07") == "ab\nc"


@pytest.mark.parametrize("text", READABLE)
def test_nothing_is_cut_in_two(text: str) -> None:
    for limit in range(1, 2 * len(text) + 4):
        short = shorten(text + "x" + text, limit)
        assert len(short) <= limit
        rest = short.removesuffix("…")
        assert rest == text + "x" + text or rest in _beginnings(text + "x" + text, text), (limit, short)


def _beginnings(whole: str, text: str) -> set[str]:
    """Where a person would cut: between what reads as one character."""
    return {whole[:end].rstrip() for end in range(len(whole)) if not _inside(whole, end)}


def _inside(whole: str, end: int) -> bool:
    if end == 0:
        return False
    before, after = whole[end - 1], whole[end]
    joined = "\u200d" in (before, after) or after == "\u200c"
    mark = unicodedata.combining(after) or unicodedata.category(after) in {"Mn", "Mc"}
    skin_or_tag = "🏻" <= after <= "🏿" or "\U000e0020" <= after <= "\U000e007f"
    flag = "🇦" <= before <= "🇿" and "🇦" <= after <= "🇿" and sum("🇦" <= c <= "🇿" for c in whole[:end]) % 2 == 1
    return bool(joined or mark or skin_or_tag or flag)


def test_a_name_is_the_same_in_a_mail_in_slack_on_a_page_in_a_file_and_in_the_api(
    agency: Agency, settings: Settings
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    furnish(agency)
    with receiver() as slack:
        create_channel(agency, kind="slack", url=slack.url, conflation_seconds=0)
        api = api_with(agency, Scope.READ, Scope.WRITE)
        made = api.post(
            "leads", {"email": "a@example.com", "name": "👩‍💻 می‌خواهم\u202e\u2066 Ann", "tags": ["a\u202eb"]}
        )
        react()
        drain_deliveries()
    name = "👩‍💻 می‌خواهم Ann"
    assert (made.json()["name"], made.json()["tags"]) == (name, ["ab"])
    assert any(name in request.body.decode() for request in slack.requests)
    assert [message for message in mail.outbox if name in message.body]
    client = Client()
    client.force_login(Member.objects.get(agency=agency, role="owner").user)
    assert name in client.get(f"/leads/{made.json()['id']}").content.decode()
    answer: Any = client.post("/leads/export")
    assert name in b"".join(answer.streaming_content).decode()


def test_what_a_provider_named_is_read_without_what_nobody_sees(agency: Agency, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    lead = create_lead(agency, email="a@example.com")
    Lead.objects.filter(pk=lead.pk).update(name="A\u202enn 👩‍💻")
    with receiver() as slack:
        create_channel(agency, kind="slack", url=slack.url, conflation_seconds=0)
        lead.refresh_from_db()
        set_status(lead, status=LeadStatus.DONE, changed_by=ChangedBy.API)
        react()
        drain_deliveries()
    assert "Ann 👩‍💻" in json.loads(slack.requests[-1].body)["text"]


def test_what_providers_say_of_people_is_kept_without_what_nobody_sees(agency: Agency, admin_client: Client) -> None:
    source = source_of(agency, "linkedconnector")
    where = {"ghl_company_id": agency.ghl_company_id, "ghl_location_id": "loc-1"}
    for _ in range(2):  # the second is about the same account
        receive_sample(source, "linkedin_blocked", **where, linkedin_account_name="A\u202enn\u2066 👩‍💻")
    data = json.loads(Path("webhooks/samples/sendpilot/lead_updated.json").read_text())["data"]
    receive_sample(
        source_of(agency, "sendpilot"), "lead_updated", data={**data, "firstName": "B\u202eea", "company": "می‌خواهم"}
    )
    while process_due_receipts():
        pass
    assert Account.objects.get().name == "Ann 👩‍💻"
    assert "Ann 👩‍💻" in admin_client.get("/admin/accounts/account/").content.decode()
    assert "\u202e" not in admin_client.get("/admin/leads/lead/").content.decode()
