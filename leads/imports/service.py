"""Upload files of leads, say what their columns are, start imports and undo them. The work itself: `jobs`."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import chain, islice
from typing import BinaryIO

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from accounts.core.errors import FieldError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import restart
from accounts.core.text import MAX_NAME_LENGTH, plain, shorten
from accounts.models import Agency
from accounts.tenancy.audit import Actor, record_audit
from leads.enums import ImportState, RowOutcome
from leads.imports.columns import (
    MAX_COLUMNS,
    MAX_HEADING_LENGTH,
    check_mapping,
    digest_of,
    guess_mapping,
    identifies,
    is_heading,
    names_known_columns,
)
from leads.imports.csv_files import detect_dialect, read_rows
from leads.models import ImportMapping, ImportRow, LeadImport

#: Imports of an agency that are neither done nor undone.
MAX_OPEN = 10
#: Rows that are stored in one transaction, so that nobody waits long for the database.
BATCH = 1_000
#: After this a file that was not stored completely, or that nobody imports, is deleted.
UPLOAD_TIME, OPEN_TIME = timedelta(hours=1), timedelta(days=7)
ENDED = (ImportState.DONE, ImportState.UNDONE)
BUSY = (ImportState.UPLOADING, ImportState.RUNNING, ImportState.UNDOING)

Rows = Iterable[tuple[int, list[str]]]


def create_import(
    agency: Agency, *, name: str, file: BinaryIO, mapping: Sequence[str] | None = None, by: Actor | None = None
) -> LeadImport:
    """Store the rows of a file. Columns that are known, or were mapped before, are mapped. Raises FieldError."""
    dialect = detect_dialect(file, names_known_columns)
    rows = read_rows(file, dialect)
    first = next(rows)
    has_heading = is_heading(first[1])
    headings = [cell[:MAX_HEADING_LENGTH] if has_heading else "" for cell in first[1]]
    if len(headings) > MAX_COLUMNS:
        raise FieldError("csv", gettext("The file has more than %(n)d columns.") % {"n": MAX_COLUMNS})
    chosen = check_mapping(mapping, len(headings)) if mapping is not None else _known_mapping(agency, headings)
    found = _start(agency, name, by)
    found.encoding, found.delimiter = dialect.encoding, dialect.delimiter
    found.has_heading, found.headings, found.mapping = has_heading, headings, chosen
    try:
        found.total = _store_rows(found, rows if has_heading else chain([first], rows))
        if not found.total:
            raise FieldError("csv", gettext("The file has no rows below its heading."))
    except FieldError:
        found.delete()
        raise
    now = timezone.now()
    is_mapped = identifies(chosen)
    found.state = ImportState.CHECKING if is_mapped else ImportState.MAPPING
    found.next_attempt_at = now if is_mapped else now + OPEN_TIME
    found.save()
    transaction.on_commit(_wake_up, robust=True)
    return found


@transaction.atomic
def set_mapping(found: LeadImport, mapping: Sequence[str]) -> LeadImport:
    """Say what the columns are, also of later files with the same headings, and check all rows. Raises FieldError."""
    found = _lock(found)
    if found.state in (*ENDED, *BUSY):
        raise FieldError("", gettext("The file is imported already, or is being imported."))
    mapping = check_mapping(mapping, len(found.headings))
    if found.has_heading:
        ImportMapping.objects.update_or_create(
            agency=found.agency, digest=digest_of(found.headings), defaults={"mapping": mapping}
        )
    return _restart(found, ImportState.CHECKING, mapping=mapping, counts={})


@transaction.atomic
def start_import(found: LeadImport, *, by: Actor | None = None) -> LeadImport:
    """Import the rows that were checked, or go on where every attempt had failed. Raises FieldError."""
    found = _lock(found)
    if has_failed(found):
        restart(LeadImport.objects.filter(pk=found.pk))
        transaction.on_commit(_wake_up, robust=True)
        return found
    if found.state != ImportState.READY:
        raise FieldError("", gettext("The file is not ready to be imported."))
    if not found.counts.get(RowOutcome.NEW) and not found.counts.get(RowOutcome.UPDATED):
        raise FieldError("", gettext("No row of the file would change anything."))
    record_audit(found.agency, by=by, action=gettext_noop("Leads imported"), obj=found, label=found.name)
    return _restart(found, ImportState.RUNNING, by_user_id=by.pk if isinstance(by, User) else None)


def has_failed(found: LeadImport) -> bool:
    """Return whether workers gave an import up."""
    return found.next_attempt_at is None and found.state not in ENDED


@transaction.atomic
def undo_import(found: LeadImport, *, by: Actor | None = None) -> LeadImport:
    """Remove the leads of an import, and empty the fields that it filled, as far as nobody worked on them since.

    Raises FieldError.
    """
    found = _lock(found)
    if found.state != ImportState.DONE or found.rows_deleted:
        raise FieldError("", gettext("This import cannot be undone (any more)."))
    record_audit(found.agency, by=by, action=gettext_noop("Import undone"), obj=found, label=found.name)
    return _restart(found, ImportState.UNDOING, by_user_id=by.pk if isinstance(by, User) else None)


@transaction.atomic
def delete_import(found: LeadImport, *, by: Actor | None = None) -> None:
    """Delete a file and its rows. Leads stay. Raises FieldError while the file is being imported."""
    found = _lock(found)
    if found.state in BUSY:
        raise FieldError("", gettext("Wait until the import has ended."))
    if found.state in ENDED:
        record_audit(found.agency, by=by, action=gettext_noop("Import deleted"), obj=found, label=found.name)
    found.delete()


def _start(agency: Agency, name: str, by: Actor | None) -> LeadImport:
    """Create the row of an import whose rows follow. Raises FieldError if there are too many."""
    with transaction.atomic():
        Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
        if agency.imports.exclude(state__in=ENDED).count() >= MAX_OPEN:
            text = gettext("At most %(n)d files wait to be imported. Import or delete some of them first.")
            raise FieldError("", text % {"n": MAX_OPEN})
        return LeadImport.objects.create(
            agency=agency,
            name=shorten(" ".join(plain(name).split()), MAX_NAME_LENGTH) or gettext("Unnamed file"),
            state=ImportState.UPLOADING,
            by_user_id=by.pk if isinstance(by, User) else None,
            next_attempt_at=timezone.now() + UPLOAD_TIME,
        )


def _store_rows(found: LeadImport, rows: Rows) -> int:
    """Store the rows in batches. Return how many there are."""
    count, stored = 0, (ImportRow(lead_import=found, number=number, cells=cells) for number, cells in rows)
    while batch := list(islice(stored, BATCH)):
        ImportRow.objects.bulk_create(batch)
        count += len(batch)
    return count


def _known_mapping(agency: Agency, headings: Sequence[str]) -> list[str]:
    stored = ImportMapping.objects.filter(agency=agency, digest=digest_of(headings)).first() if any(headings) else None
    return list(stored.mapping) if stored else guess_mapping(headings)


def _lock(found: LeadImport) -> LeadImport:
    return LeadImport.objects.select_for_update(of=("self",)).select_related("agency").get(pk=found.pk)


def _restart(found: LeadImport, state: ImportState, **changes: object) -> LeadImport:
    """Have a worker begin the work of another state."""
    restart(LeadImport.objects.filter(pk=found.pk), state=state, position=0, done=0, **changes)
    transaction.on_commit(_wake_up, robust=True)
    found.refresh_from_db()
    return found


def _wake_up() -> None:
    wake_up_jobs("sync")
