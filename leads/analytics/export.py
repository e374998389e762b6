"""Write an agency's leads as CSV, with local times and no cell that a spreadsheet would run as a formula.

The file is streamed while pages of leads are read by key, so its length is unlimited. A lead that is erased meanwhile
is missing from the pages read afterwards. Test leads are left out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core import csv_export
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency
from accounts.tenancy import audit
from accounts.tenancy.localtime import format_local_time, get_zone
from leads.models import Lead, LeadQuerySet
from leads.pipeline.form_fields import PREDEFINED_FIELDS
from leads.pipeline.languages import language_name

PAGE_SIZE = 500
_download_slots = BoundedSemaphore(2)  # concurrent downloads in each process
TimeFormat = Callable[[datetime | None], str]

COLUMNS: Mapping[str, Callable[[Lead, TimeFormat], object]] = {
    "Name": lambda lead, at: lead.display_name,
    "First name": lambda lead, at: lead.first_name,
    "Last name": lambda lead, at: lead.last_name,
    "E-mail": lambda lead, at: lead.email,
    "Phone": lambda lead, at: lead.phone,
    "Phone to dial": lambda lead, at: lead.phone_e164,
    "Job title": lambda lead, at: lead.title,
    "Company": lambda lead, at: lead.company,
    "Company size": lambda lead, at: lead.company_size,
    "Industry": lambda lead, at: lead.industry,
    "Country": lambda lead, at: lead.country,
    "State": lambda lead, at: lead.state,
    "Postal code": lambda lead, at: lead.postal_code,
    "Location": lambda lead, at: lead.location,
    "LinkedIn": lambda lead, at: lead.linkedin_url,
    "Status": lambda lead, at: lead.status_label,
    "Status since": lambda lead, at: at(lead.status_since),
    "Campaign": lambda lead, at: lead.campaign,
    "Account": lambda lead, at: lead.account,
    "Assigned to": lambda lead, at: lead.assigned_to,
    "Priority": lambda lead, at: lead.priority,
    "Score": lambda lead, at: lead.score,
    "Tags": lambda lead, at: ", ".join(map(str, lead.tags)),
    "Received": lambda lead, at: at(lead.received_at),
    "First response": lambda lead, at: at(lead.first_response_at),
    "Language of the form": lambda lead, at: language_name(lead.creation_locale),
    "Answers": lambda lead, at: _as_lines(
        (_question(row), row["value"]) for row in lead.answers if not _has_own_column(lead, row)
    ),
    "Consents": lambda lead, at: _as_lines((row["text"], "yes" if row["accepted"] else "no") for row in lead.consents),
    "Hidden fields": lambda lead, at: _as_lines((row["name"], row["value"]) for row in lead.hidden_fields),
    "Status since (ISO)": lambda lead, at: _iso(lead.status_since),
    "Received (ISO)": lambda lead, at: _iso(lead.received_at),
    "First response (ISO)": lambda lead, at: _iso(lead.first_response_at),
    "Id": lambda lead, at: lead.pk,
}


class TooManyDownloads(ValueError):
    """Refuse a download because the process serves its maximum already. The message is shown to people."""


def download_leads(agency: Agency, leads: LeadQuerySet, *, by: User, delimiter: str = "") -> StreamingHttpResponse:
    """Return the leads of the agency as a streamed CSV file, and write the download into the audit trail.

    `delimiter` separates the cells; by default the delimiter of the agency's locale. Raises TooManyDownloads.
    """
    with transaction.atomic():
        audit.log_change(by, agency, "Downloaded leads (CSV)")
        answer = StreamingHttpResponse(
            _DownloadStream(csv_chunks(agency, leads, delimiter)), content_type="text/csv; charset=utf-8"
        )
    day = timezone.localtime(timezone=get_zone(agency.timezone)).date()
    answer["Content-Disposition"] = f'attachment; filename="leads-{day}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def csv_chunks(agency: Agency, leads: LeadQuerySet, delimiter: str = "") -> Iterator[str]:
    """Yield the CSV in chunks of some hundred lines, the newest lead first."""
    zone, delimiter = get_zone(agency.timezone), delimiter or csv_export.delimiter_for(agency.locale)

    def format_time(at: datetime | None) -> str:
        return format_local_time(at, zone, agency.locale) if at else ""

    yield csv_export.BYTE_ORDER_MARK + "".join(csv_export.csv_lines([list(COLUMNS)], delimiter))
    for page in _pages(leads.without_tests().filter(agency=agency)):
        rows = ([_cell(read(lead, format_time)) for read in COLUMNS.values()] for lead in page)
        yield "".join(csv_export.csv_lines(rows, delimiter))


class _DownloadStream:
    """Hold one of the few download slots while a file is sent. Raises TooManyDownloads."""

    def __init__(self, pieces: Iterator[str]) -> None:
        if not _download_slots.acquire(blocking=False):
            raise TooManyDownloads(gettext("Other downloads are under way. Try again in a minute."))
        self._pieces, self._open = pieces, True

    def __iter__(self) -> Iterator[str]:
        return self._pieces

    def close(self) -> None:
        if self._open:
            self._open = False
            _download_slots.release()


def _pages(leads: LeadQuerySet) -> Iterator[list[Lead]]:
    rows = leads.select_related("campaign", "account", "assigned_to").order_by("-pk")
    page = list(rows[:PAGE_SIZE])
    while page:
        yield page
        page = list(rows.filter(pk__lt=page[-1].pk)[:PAGE_SIZE]) if len(page) == PAGE_SIZE else []


def _iso(at: datetime | None) -> str:
    return iso_timestamp(at) if at else ""


def _cell(value: object) -> object:
    return value if value is None or isinstance(value, int) else str(value)


def _has_own_column(lead: Lead, answer: Mapping[str, Any]) -> bool:
    """Return whether a column of its own holds the answer already."""
    column = PREDEFINED_FIELDS.get(answer.get("predefined_field", ""))
    return column is not None and getattr(lead, column) == _text(answer["value"])


def _question(answer: Mapping[str, Any]) -> str:
    return str(answer.get("label") or answer.get("predefined_field") or answer.get("question_id"))


def _as_lines(pairs: Iterable[tuple[str, Any]]) -> str:
    """Write pairs such as `What is your budget?: Up to $5,000, More`, one a line."""
    return "\n".join(f"{name}: {_text(value)}" for name, value in pairs)


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
