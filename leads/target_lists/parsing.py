"""Read a CSV file of companies: names, domains, or both."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from accounts.core.derived_fields import fold
from accounts.core.errors import FieldError
from accounts.core.text import plain
from leads.facts.companies import company_key_of, host_of
from leads.facts.tables import FREE_MAIL

MAX_BYTES = 2 * 1024 * 1024
MAX_ROWS = 50_000
MAX_LENGTH = 300
#: Refused rows that are kept, to be shown.
MAX_REFUSED = 100
#: Lines from which the delimiter is guessed.
SAMPLE_LINES = 20
SAMPLE_LENGTH = 10_000
DELIMITERS = ";,\t|"
#: A delimiter that no file has: every line is one value.
NO_DELIMITER = "\x1f"

COMPANY_HEADINGS = frozenset(
    (
        *("company", "company name", "companies", "account", "account name", "name", "organization", "organisation"),
        *("organization name", "organisation name", "employer", "firma", "firmenname", "unternehmen", "kunde"),
    )
)
DOMAIN_HEADINGS = frozenset(
    (
        *("domain", "domains", "website", "web site", "company website", "company domain", "company url", "url", "web"),
        *("homepage", "email", "e-mail", "email domain", "webseite", "internetseite"),
    )
)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """Hold a row that could not be read. `row` is counted from 1. `reason` is a key of `labels.REFUSALS`."""

    row: int
    value: str
    reason: str


@dataclass(slots=True)
class Companies:
    """Hold what a file says: a text for each key, how many values came twice, and the rows that were refused."""

    entries: dict[str, str] = field(default_factory=dict)
    duplicates: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


def read_companies(content: bytes) -> Companies:
    """Read a file. Encoding, delimiter and columns are found by what is in it. Raises FieldError for `csv`.

    With a heading, the columns that it names are read; without one, the first column, of names and domains.
    """
    if len(content) > MAX_BYTES:
        raise FieldError("csv", f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    found = Companies()
    rows = _rows_of(_decode(content))
    first = next(rows, None)
    if first is None:
        raise FieldError("csv", "The file is empty.")
    company_at, domain_at = _columns_of(first[1])
    has_heading = company_at is not None or domain_at is not None
    for number, cells in rows if has_heading else chain([first], rows):
        if has_heading:
            _read_row(found, number, _cell(cells, company_at), _cell(cells, domain_at))
        else:
            _read_row(found, number, _cell(cells, 0), "")
    if not found.entries:
        raise FieldError("csv", "The file names no company. It needs a column of company names or of domains.")
    return found


def _read_row(found: Companies, number: int, company: str, domain: str) -> None:
    """Add what a row says. A row counts as refused if any of its values cannot be read."""
    if not company and not domain:
        return
    for value, is_domain in ((company, False), (domain, True)):
        if not value:
            continue
        key, reason = _key_of(value, is_domain=is_domain)
        if reason:
            found.refused.append(RefusedRow(number, value[:MAX_LENGTH], reason))
        elif key in found.entries:
            found.duplicates += 1
        else:
            found.entries[key] = value


def _key_of(value: str, *, is_domain: bool) -> tuple[str, str]:
    """Return the key of a value, or why it has none."""
    if len(value) > MAX_LENGTH:
        return "", "too_long"
    host = host_of(value)
    if host in FREE_MAIL:
        return "", "free_mail"
    if host or is_domain:
        return host, "" if host else "no_domain"
    key = company_key_of(value)
    return key, "" if key else "no_name"


def _decode(content: bytes) -> str:
    """Return the text of a file: UTF-8 or UTF-16 with their marks, UTF-8, or else Windows-1252."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a value, with their number. Raises FieldError if there are too many."""
    lines = [line[:SAMPLE_LENGTH] for line in text.splitlines()[:SAMPLE_LINES] if line.strip()]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter_of(lines))
    count = 0
    try:
        for number, cells in enumerate(reader, start=1):
            values = [" ".join(plain(cell).split()) for cell in cells]
            if not any(values):
                continue
            count += 1
            if count > MAX_ROWS:
                raise FieldError("csv", f"The file has more than {MAX_ROWS:,} rows.")
            yield number, values
    except csv.Error as error:
        raise FieldError("csv", f"The file cannot be read as CSV: {error}.") from error


def _delimiter_of(lines: Sequence[str]) -> str:
    """Return what separates the columns. Names with commas in a file of one column are no columns.

    A delimiter stands in the heading, or as often in every line.
    """
    if not lines:
        return NO_DELIMITER
    for delimiter in DELIMITERS + NO_DELIMITER:
        if _columns_of(lines[0].split(delimiter)) != (None, None):
            return delimiter
    for delimiter in DELIMITERS:
        counts = {len(next(csv.reader([line], delimiter=delimiter))) for line in lines}
        if len(counts) == 1 and counts != {1}:
            return delimiter
    return NO_DELIMITER


def _columns_of(cells: Sequence[str]) -> tuple[int | None, int | None]:
    """Return where a heading names the column of companies, and that of domains."""
    headings = [fold(cell.strip().strip('"').replace("_", " ")) for cell in cells]
    company = next((at for at, heading in enumerate(headings) if heading in COMPANY_HEADINGS), None)
    domain = next((at for at, heading in enumerate(headings) if heading in DOMAIN_HEADINGS), None)
    return company, domain


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""
