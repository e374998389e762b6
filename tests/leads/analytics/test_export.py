"""Leads as a file: whole, in the agency's own way to write times, harmless to spreadsheets, and of any length."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.core.enums import Role
from accounts.models import Agency, Campaign
from leads.analytics import export
from leads.enums import LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.privacy.erasure import erase_lead
from tests.portal.browser import Browser

pytestmark = pytest.mark.django_db
URL = "/leads/export"


def rows_of(answer: Any) -> list[dict[str, str]]:
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def many(agency: Agency, count: int, **fields: Any) -> None:
    now = timezone.now()
    Lead.objects.bulk_create(
        Lead(agency=agency, name=f"Lead {number}", status_since=now, received_at=now, **fields)
        for number in range(count)
    )


def test_the_file_has_the_persons_own_answers(agency: Agency, sign_in: Browser) -> None:
    lead = create_lead(
        agency,
        first_name="Kevin",
        last_name="Okafor",
        email="kevin@example.com",
        phone="+1 212 555 0199",
        title="Head of Growth",
        tags=["warm", "spring"],
        score=7,
        creation_locale="de_DE",
        answers=[
            {"question_id": "1", "predefined_field": "JOB_TITLE", "label": "Job title", "value": "Head of Growth"},
            {"question_id": "2", "predefined_field": "EMAIL", "label": "Private e-mail", "value": "k@example.com"},
            {"question_id": "3", "predefined_field": "", "label": "Budget?", "value": ["Up to $5,000", "More"]},
        ],
        consents=[{"consent_id": "0", "text": "I may be contacted.", "accepted": True}],
        hidden_fields=[{"name": "utm_campaign", "value": "spring"}],
    )
    [row] = rows_of(sign_in(Role.MANAGER).post(URL))
    assert list(row) == list(export.COLUMNS)
    assert (row["Name"], row["E-mail"], row["Job title"]) == ("Kevin Okafor", "kevin@example.com", "Head of Growth")
    assert (row["Phone"], row["Phone to dial"]) == ("+1 212 555 0199", "+12125550199")
    assert row["Answers"] == "Private e-mail: k@example.com\nBudget?: Up to $5,000, More"
    assert (row["Consents"], row["Hidden fields"]) == ("I may be contacted.: yes", "utm_campaign: spring")
    assert (row["Tags"], row["Score"], row["Status"], row["Id"]) == ("warm, spring", "7", "New", lead.pk)
    assert row["Language of the form"] == "German (DE)"
    assert (row["Account"], row["First response"]) == ("", "")


@pytest.mark.once
@pytest.mark.parametrize(
    "text", ["=1+1", "+49 30 x", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＠SUM(A1)", '=HYPERLINK("x")']
)
def test_no_cell_begins_as_a_formula(agency: Agency, sign_in: Browser, text: str) -> None:
    campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id="c", name=text)
    answer = {"question_id": "1", "predefined_field": "", "label": text, "value": text}
    create_lead(agency, name=text, company=text, campaign=campaign, tags=[text], answers=[answer])
    [row] = rows_of(sign_in().post(URL))
    assert row["Campaign"] == "'" + text.replace("\r", "").replace("\t=", "\t'=").replace("\n=", "\n'=")
    typed = "'" + re.sub(r"[\t\r\n]", " ", text)  # what people write has no lines
    assert [row[name] for name in ("Name", "Company", "Tags")] == [typed] * 3
    assert row["Answers"].startswith("'")


def test_test_leads_erased_ones_and_other_agencies_are_not_in_it(
    agency: Agency, stranger: Agency, sign_in: Browser
) -> None:
    create_lead(agency, name="Stays")
    create_lead(agency, name="Tried out", is_test=True)
    create_lead(stranger, name="Theirs")
    erase_lead(create_lead(agency, name="Erased"))
    assert [row["Name"] for row in rows_of(sign_in().post(URL))] == ["Stays"]


def test_who_is_erased_while_the_file_is_sent_is_not_in_what_follows(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", 1)
    first, second, third = (create_lead(agency, name=name) for name in ("First", "Second", "Third"))
    pieces = export.csv_chunks(agency, Lead.objects.all())
    assert "First response" in next(pieces)
    assert third.pk in next(pieces)
    erase_lead(second)
    assert [first.pk in piece for piece in pieces] == [True]


def test_the_file_has_what_the_list_shows(agency: Agency, sign_in: Browser) -> None:
    create_lead(agency, name="Ada", email="ada@example.com")
    create_lead(agency, name="Ben", status=LeadStatus.DONE)
    client = sign_in()
    assert [row["Name"] for row in rows_of(client.post(f"{URL}?status=DONE"))] == ["Ben"]
    assert [row["Name"] for row in rows_of(client.post(f"{URL}?q=ada@example.com"))] == ["Ada"]
    assert rows_of(client.post(f"{URL}?q=nobody@example.com")) == []
    assert f"{URL}?status=DONE&amp;q=" in client.get("/leads?status=DONE&q=").content.decode()
    assert URL not in sign_in(Role.READ_ONLY).get("/leads").content.decode()


def test_any_length_is_read_by_key_a_page_at_a_time(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE_SIZE", 50)
    many(agency, 125)
    with CaptureQueriesContext(connection) as asked:
        pieces = list(export.csv_chunks(agency, Lead.objects.all()))
    assert [piece.count("Lead ") for piece in pieces] == [0, 50, 50, 25]
    assert len(asked) == 3
    assert not [query for query in asked if re.search(r"OFFSET|COUNT\(", query["sql"])]
    ids = re.findall(r"lead_\w+", "".join(pieces))
    assert ids == sorted(set(ids), reverse=True)
    assert len(ids) == 125


def test_it_stands_in_the_audit_trail_who_took_it_along_and_nothing_of_whom(agency: Agency, sign_in: Browser) -> None:
    create_lead(agency, name="Ada", email="ada@example.com")
    client: Client = sign_in()
    client.get(URL)
    assert not LogEntry.objects.exists()
    answer = client.post(f"{URL}?q=ada@example.com")
    assert len(rows_of(answer)) == 1
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.object_id) == (f"owner@{agency.pk[-6:]}.example.com", agency.pk)
    assert (entry.object_repr, entry.change_message) == (agency.pk, "Downloaded leads (CSV).")
    assert re.fullmatch(r'attachment; filename="leads-\d{4}-\d\d-\d\d\.csv"', answer["Content-Disposition"])
    assert "no-store" in answer["Cache-Control"]


def test_the_files_name_has_the_day_where_the_agency_is(agency: Agency, sign_in: Browser) -> None:
    agency.timezone = "Pacific/Kiritimati"
    agency.save()
    there, answer = timezone.now() + timedelta(hours=14), sign_in().post(URL)
    assert rows_of(answer) == []
    assert f"leads-{there:%Y-%m-%d}.csv" in answer["Content-Disposition"]


def test_a_few_are_sent_at_a_time_and_who_has_to_wait_is_told(agency: Agency, sign_in: Browser) -> None:
    client = sign_in()
    first, second = client.post(URL), client.post(URL)
    refused = client.post(URL, follow=True)
    assert "Other downloads are under way. Try again in a minute." in refused.content.decode()
    assert LogEntry.objects.count() == 2
    assert rows_of(second) == []
    assert rows_of(client.post(URL)) == []
    assert rows_of(first) == []
    assert LogEntry.objects.count() == 3
