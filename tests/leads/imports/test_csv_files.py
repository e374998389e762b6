"""Files as people and programs write them, also broken and hostile ones: read right, or refused with a sentence."""

from io import BytesIO

import pytest

from accounts.core.errors import FieldError
from leads.imports import csv_files
from leads.imports.columns import names_known_columns
from leads.imports.csv_files import detect_dialect, read_rows

ROWS = [(1, ["Name", "E-mail"]), (2, ["Zoë Müller", "zoe@example.com"])]


def read(content: bytes) -> list[tuple[int, list[str]]]:
    file = BytesIO(content)
    return list(read_rows(file, detect_dialect(file, names_known_columns)))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Name,E-mail\r\nZoë Müller,zoe@example.com\r\n", "utf-8"),
        ("Name;E-mail\nZoë Müller;zoe@example.com", "utf-8-sig"),
        ("Name\tE-mail\nZoë Müller\tzoe@example.com\n", "utf-16"),
        ("Name|E-mail\nZoë Müller|zoe@example.com\n", "cp1252"),
        ('"Name","E-mail"\n"Zoë\nMüller","zoe@example.com"\n', "utf-8"),
        ("Name;E-mail\n\n;\nZoë Müller;zoe@example.com\n", "utf-8"),
    ],
)
def test_encoding_and_delimiter_are_guessed(text: str, encoding: str) -> None:
    assert [cells for _, cells in read(text.encode(encoding))] == [cells for _, cells in ROWS]


def test_a_file_that_is_utf_8_but_for_a_late_byte_is_read_as_windows_1252() -> None:
    content = b"Name,E-mail\n" + b"Ann,a@example.com\n" * 10_000 + "Zoë,z@example.com\n".encode("cp1252")
    assert read(content)[-1][1][0] == "Zoë"


def test_rows_are_numbered_as_in_the_file() -> None:
    assert [number for number, _ in read(b"Name,E-mail\n\n,\nAnn,a@example.com\n")] == [1, 4]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"Name,E-mail\nA\x00nn,a@example.com\n", ["A nn", "a@example.com"]),
        ("Name,E-mail\n\u202eAnn\u200b,a@example.com\n".encode(), ["Ann", "a@example.com"]),
        (b"Name,E-mail\nAnn\n", ["Ann"]),
        (b"Name,E-mail\nAnn,a@example.com,more,\n", ["Ann", "a@example.com", "more", ""]),
        (b'Name,E-mail\nA"nn,a@example.com\n', ['A"nn', "a@example.com"]),
        (b"Name,E-mail\n\x81\xff,a@example.com\n", ["\ufffd\xff", "a@example.com"]),
    ],
    ids=["NUL", "invisible characters", "short row", "long row", "stray quotation mark", "bytes of no encoding"],
)
def test_odd_rows_are_read_as_they_are(content: bytes, expected: list[str]) -> None:
    assert read(content)[1][1] == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"Name,E-mail\n" + b"x" * 200_000 + b",a@example.com\n", "Line 2 cannot be read"),
        (b'Name,E-mail\n"Ann,a@example.com\n' + b"Bea,b@example.com\n" * 20_000, "not closed"),
        (b"PK\x03\x04workbook", "Excel"),
        (b"\xd0\xcf\x11\xe0workbook", "Excel"),
        (b"%PDF-1.7", "PDF"),
        (b"\x1f\x8b\x08", "compressed"),
    ],
    ids=["nothing", "blank lines", "a mark only", "a huge field", "an open quotation", "xlsx", "xls", "pdf", "gzip"],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(FieldError, match=message) as refusal:
        read(content)
    assert refusal.value.field == "csv"


def test_files_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "MAX_ROWS", 2)
    assert len(read(b"E-mail\na@example.com\nb@example.com\n")) == 3
    with pytest.raises(FieldError, match="more than 2 rows"):
        read(b"E-mail\na@example.com\nb@example.com\nc@example.com\n")
    with pytest.raises(FieldError, match="larger than 20 MB"):
        read(b"x" * (csv_files.MAX_BYTES + 1))


def test_a_file_is_not_held_in_memory() -> None:
    """Of a large file no more than a piece is asked for at once."""
    asked: list[int] = []

    class Watched(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(size or -1)
            return super().read(size)

        def read1(self, size: int | None = -1, /) -> bytes:
            asked.append(size or -1)
            return super().read1(size)

    file = Watched(b"Name,E-mail\n" + b"Ann,a@example.com\n" * 50_000)
    assert sum(1 for _ in read_rows(file, detect_dialect(file, names_known_columns))) == 50_001
    assert all(0 < size <= 64 * 1024 for size in asked)
