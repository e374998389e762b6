"""Read a CSV file of companies: names, domains, or both."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import BinaryIO

from accounts.core.derived_fields import fold
from accounts.core.errors import FieldError
from leads.facts.companies import company_key_of, host_of
from leads.facts.tables import FREE_MAIL
from leads.imports.csv_files import detect_dialect, read_rows

MAX_LENGTH = 300
#: Refused rows that are kept, to be shown.
MAX_REFUSED = 100

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


def read_companies(file: BinaryIO) -> Companies:
    """Read a file. Encoding, delimiter and columns are found by what is in it. Raises FieldError for `csv`.

    With a heading, the columns that it names are read; without one, the first column, of names and domains.
    """
    found = Companies()
    rows = read_rows(file, detect_dialect(file, lambda cells: _columns_of(cells) != (None, None)))
    first = next(rows)
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


def _columns_of(cells: Sequence[str]) -> tuple[int | None, int | None]:
    """Return where a heading names the column of companies, and that of domains."""
    headings = [fold(cell.strip().strip('"').replace("_", " ")) for cell in cells]
    company = next((at for at, heading in enumerate(headings) if heading in COMPANY_HEADINGS), None)
    domain = next((at for at, heading in enumerate(headings) if heading in DOMAIN_HEADINGS), None)
    return company, domain


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""
