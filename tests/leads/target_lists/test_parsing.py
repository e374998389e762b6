"""Files of companies as people have them: encodings, delimiters, headings, and rows that name no company."""

from io import BytesIO

import pytest

from accounts.core.errors import FieldError
from leads.imports import csv_files
from leads.target_lists.parsing import read_companies


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"Acme GmbH\nSmith, Jones & Co\n\nacme.example.com", ["acme", "smith jones & co", "acme.example.com"]),
        (b"Company\nSmith, Jones & Co\n", ["smith jones & co"]),
        ("\ufeffFirma;Ort\nMüller AG;Köln\n".encode(), ["muller"]),
        ("Firma;Ort\nMüller AG;Köln\n".encode("cp1252"), ["muller"]),
        ("Account Name\tWebsite\nAcme Inc.\thttps://www.acme.example.com/about?x=1\n".encode("utf-16"),
         ["acme", "acme.example.com"]),
        (b'id,"Company name",Domain\n7,"Acme, Inc.",ACME.example.com\n8,,other.example.org\n',
         ["acme", "acme.example.com", "other.example.org"]),
        (b"Acme,Oregon\nGlobex,Texas\n", ["acme", "globex"]),
        (b"email\ninfo@acme.example.com\n", ["acme.example.com"]),
        ("Domain\nbücher.example\n".encode(), ["xn--bcher-kva.example"]),
    ],
    ids=["no heading", "names with commas", "UTF-8 with a mark", "Windows-1252", "UTF-16", "two columns",
         "columns without heading", "e-mail", "letters of any script"],
)  # fmt: skip
def test_companies_are_found_by_what_is_in_the_file(content: bytes, expected: list[str]) -> None:
    assert list(read_companies(BytesIO(content)).entries) == expected


def test_what_is_no_company_is_refused_with_its_row_and_what_came_twice_is_counted() -> None:
    rows = [
        "Company,Domain",
        "Acme GmbH,acme.example.com",
        "ACME,",
        ",gmail.com",
        "Globex,globex",
        "!!!,",
        f"{'x' * 301},",
    ]
    found = read_companies(BytesIO("\n".join(rows).encode()))
    assert (list(found.entries), found.duplicates) == (["acme", "acme.example.com", "globex"], 1)
    assert [(row.row, row.reason) for row in found.refused] == [
        (4, "free_mail"),
        (5, "no_domain"),
        (6, "no_name"),
        (7, "too_long"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n \n", "empty"),
        (b"Company\n", "no company"),
        (b"\x00\x01\x02", "no company|CSV|empty"),
        (b"x" * 1_000_000, "CSV"),
        (b"x" * (csv_files.MAX_BYTES + 1), "larger than 20 MB"),
    ],
    ids=["nothing", "blank lines", "a heading only", "no text", "one long line", "too large"],
)
def test_a_file_without_companies_is_refused_whole(content: bytes, message: str) -> None:
    with pytest.raises(FieldError, match=message) as refusal:
        read_companies(BytesIO(content))
    assert refusal.value.field == "csv"


def test_a_file_with_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MAX_ROWS", 1)
    assert len(read_companies(BytesIO(b"A\nB\n")).entries) == 2
    with pytest.raises(FieldError, match="more than 1 rows"):
        read_companies(BytesIO(b"A\nB\nC\n"))
