"""Tables for spreadsheets, read back as each program reads them: whatever it takes for a delimiter, nothing runs."""

import csv
import io
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.core.csv_export import NAMED_DELIMITERS, csv_lines, delimiter_for, safe_cell
from accounts.models import Agency, Member
from leads.analytics.export import COLUMNS
from leads.pipeline.changes import create_lead
from tests.factories import furnish

READ_WITH = [",", ";", "\t", "|"]
#: What a spreadsheet runs when a cell begins with it, after blanks too.
RUNS = tuple("=+-@＝＋－＠")
HOSTILE = [
    "x;=1+1;",
    "x,=1+1",
    "x\t=1+1",
    "x|@SUM(A1)",
    'x;"=1+1"',
    'x;""=1+1',
    "x; =1+1",
    "x\n=1+1",
    "x;\n;=1+1",
    '=HYPERLINK("https://example.com";"a")',
    "\t=1",
    "\r=1",
    "＝1+1",
    "-2+3+cmd|' /C calc'!A0",
    '";=1+1;"',
    '";"=1+1',
    "x;+1-212-555-0199*2",
    "+44 20 7946 0018;=1",
    "\u200b=1",
    "x;\u202e=1",
    "\x00=1",
]


def cells(text: str, delimiter: str) -> list[str]:
    return [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]


def runs(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula: a number to dial is text with blanks, or a number."""
    text = cell.strip(" \t\r\n\u00a0")
    digits = text.removeprefix("+").replace(" ", "")
    return text.startswith(RUNS) and not (text.startswith("+") and digits.isdecimal())


@pytest.mark.parametrize("read_with", READ_WITH)
@pytest.mark.parametrize("written_with", NAMED_DELIMITERS.values())
@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_runs_whatever_a_program_takes_for_a_delimiter(text: str, written_with: str, read_with: str) -> None:
    table = [["Anna", text, text, 7], [text, "", "x", text]]
    assert [cell for cell in cells("".join(csv_lines(table, written_with)), read_with) if runs(cell)] == []


@given(
    st.lists(st.text(st.sampled_from(list("=+-@＝;,\t|\"' \n\rax1\u200b\u202e")), max_size=12), min_size=1, max_size=4),
    st.sampled_from(list(NAMED_DELIMITERS.values())),
    st.sampled_from(READ_WITH),
)
@settings(max_examples=500, deadline=None)
def test_no_made_up_cell_runs_either(row: list[str], written_with: str, read_with: str) -> None:
    text = "".join(csv_lines([row, row], written_with))
    assert [cell for cell in cells(text, read_with) if runs(cell)] == []


@pytest.mark.parametrize("delimiter", NAMED_DELIMITERS.values())
def test_columns_stay_columns(delimiter: str) -> None:
    row = ["a;b", "c,d", "e\tf", 'g "h"', "i\nj", "k|l", 3, -1.5, None]
    [read] = csv.reader(io.StringIO("".join(csv_lines([row], delimiter)), newline=""), delimiter=delimiter)
    assert read == ["a;b", "c,d", "e\tf", 'g "h"', "i\nj", "k|l", "3", "-1.5", ""]


@pytest.mark.parametrize(
    ("phone", "cell"),
    [
        ("+442079460018", "+442079460018"),
        ("+44 20 7946 0018", "+44 20 7946 0018"),
        ("+1-212-555-0199", "+1 212 555 0199"),  # a spreadsheet would compute it
        ("+49 (0)30/901820", "+49 30 901820"),
        ("+1 (212) 555.0199", "+1 212 555 0199"),
        ("030 1234567", "030 1234567"),
        ("+1*2", "'+1*2"),
        ("+1+2+3+4+5+6+7+8", "'+1+2+3+4+5+6+7+8"),
    ],
)
def test_telephone_numbers_can_be_imported(phone: str, cell: str) -> None:
    assert safe_cell(phone) == cell


@pytest.mark.parametrize(
    "text", ["Up to $5,000, More", "Smith & Co", "a - b", "C++", "ann@example.com", "x, y; z", "5-10"]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


@pytest.mark.parametrize(
    ("locale", "delimiter"),
    [
        *[(locale, ",") for locale in ("en-US", "en-GB", "ja-JP", "es-MX", "he-IL", "")],
        *[
            (locale, ";")
            for locale in ("de-DE", "fr-FR", "es-ES", "it-IT", "nl-NL", "pt-BR", "pl_PL", "de-CH", "en-ZA")
        ],
    ],
)
def test_each_country_has_its_delimiter(locale: str, delimiter: str) -> None:
    assert delimiter_for(locale or "en") == delimiter


def download(agency: Agency, **choice: str) -> str:
    client = Client()
    client.force_login(Member.objects.get(agency=agency, role="owner").user)
    answer: Any = client.post("/leads/export", choice)
    return b"".join(answer.streaming_content).decode()


@pytest.mark.once
@pytest.mark.parametrize(
    ("locale", "choice", "delimiter"),
    [
        ("de-DE", "", ";"),
        ("en-US", "", ","),
        ("de-DE", "comma", ","),
        ("en-US", "semicolon", ";"),
        ("fr-FR", "tab", "\t"),
        ("de-DE", "colon", ";"),
    ],
)
def test_an_agencys_leads_come_as_its_spreadsheets_read_them(
    agency: Agency, locale: str, choice: str, delimiter: str
) -> None:
    furnish(agency)
    agency.locale, agency.timezone = locale, "Europe/Berlin"
    agency.save()
    lead = create_lead(
        agency, name="Anna Example", email="anna@example.com", company="x;=1+1;", phone="+44 20 7946 0018"
    )
    text = download(agency, **({"delimiter": choice} if choice else {}))
    assert text.startswith('\ufeff"Name"' + delimiter)
    row = next(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter))
    assert list(row) == list(COLUMNS)
    assert (row["Name"], row["Company"], row["Phone"]) == ("Anna Example", "x;'=1+1;", "+44 20 7946 0018")
    assert row["Received (ISO)"] == f"{lead.received_at:%Y-%m-%dT%H:%M:%S}.{lead.received_at.microsecond // 1000:03}Z"
    assert row["Received"]
    assert (row["First response"], row["First response (ISO)"]) == ("", "")
    for read_with in READ_WITH:
        assert [cell for cell in cells(text, read_with) if runs(cell)] == []
