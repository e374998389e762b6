"""Work off imports of leads: check a file's rows, import them, undo that, and delete rows of old files.

A step does some rows and stores how far it is, so that another worker goes on where one was killed. A row is written
in one transaction with what became of it, so that none is written twice.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from accounts.core.connections import is_outage
from accounts.core.jobs import CRASHED, Backoff, claim_due, complete, fail, leased, remove, retry
from leads.enums import ImportState, RowOutcome, RowReason
from leads.imports.decisions import Decision, decide
from leads.imports.service import OPEN_TIME
from leads.imports.writing import AlreadyHere, complete_lead, create_lead_of, take_back
from leads.models import ImportRow, LeadImport

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=2)
BACKOFF = Backoff([timedelta(seconds=5), timedelta(minutes=1)])
#: A step does other jobs the favour of ending after this.
SECONDS = 2.0
BATCH = 200
#: How long an import can be undone, and what its refused rows hold is kept.
ROWS_TIME = timedelta(days=30)
KEYS = ("profile_key", "email_key", "phone_key")
BatchWork = Callable[[LeadImport, Sequence[ImportRow]], None]
EndWork = Callable[[LeadImport], None]


def work_on_imports(limit: int = 1) -> int:
    """Do a step of due imports. Return how many."""
    with claim_due(LeadImport.objects.select_related("agency"), limit=limit, lease=LEASE) as claimed:
        for found in claimed:
            if not BACKOFF.allows(found.attempts):
                fail(found, CRASHED)
                continue
            try:
                work_on(found)
            except Exception as error:
                if is_outage(error):
                    raise
                log.exception("A step of an import failed.", row=found.pk)
                retry(found, type(error).__name__, BACKOFF)  # its text may name a person
    return len(claimed)


def work_on(found: LeadImport) -> None:
    """Do a step of one leased import."""
    match ImportState(found.state):
        case ImportState.CHECKING:
            _in_batches(found, _check_batch, _end_check)
        case ImportState.RUNNING:
            _in_batches(found, _import_batch, _end_import)
        case ImportState.UNDOING:
            _in_batches(found, _undo_batch, _end_undo)
        case ImportState.DONE | ImportState.UNDONE:
            found.rows.all().delete()
            complete(found, rows_deleted=True)
        case ImportState.UPLOADING | ImportState.MAPPING | ImportState.READY:
            remove(found)


def _in_batches(found: LeadImport, work: BatchWork, end: EndWork) -> None:
    """Work on batches of rows until the time is over or none is left, and store how far that is."""
    until = time.monotonic() + SECONDS
    while rows := list(found.rows.filter(number__gt=found.position).order_by("number")[:BATCH]):
        work(found, rows)
        found.position, found.done = rows[-1].number, found.done + len(rows)
        if not leased(found).update(position=found.position, done=found.done, counts=found.counts):
            return
        if time.monotonic() > until:
            complete(found, again_at=timezone.now())
            return
    end(found)


def _check_batch(found: LeadImport, rows: Sequence[ImportRow]) -> None:
    """Store what would become of rows. Only what does not depend on leads is stored with a row."""
    for decision in decide(found, rows):
        row, read = decision.row, decision.read
        is_final = decision.outcome == RowOutcome.REFUSED or decision.reason == RowReason.IN_FILE
        row.outcome, row.reason = (decision.outcome, decision.reason or "") if is_final else ("", "")
        row.profile_key, row.email_key, row.phone_key = read.profile_key, read.email_key, read.phone_key
        found.counts = {**found.counts, decision.outcome: found.counts.get(decision.outcome, 0) + 1}
    with transaction.atomic():
        ImportRow.objects.bulk_update(rows, ["outcome", "reason", *KEYS])


def _end_check(found: LeadImport) -> None:
    counts = {outcome.value: found.counts.get(outcome, 0) for outcome in RowOutcome}
    complete(found, again_at=timezone.now() + OPEN_TIME, state=ImportState.READY, counts=counts)


def _import_batch(found: LeadImport, rows: Sequence[ImportRow]) -> None:
    waiting = [row for row in rows if not row.outcome]
    for decision in decide(found, waiting) if waiting else ():
        try:
            with transaction.atomic():
                _import_row(found, decision)
        except AlreadyHere:
            again = ImportRow.objects.get(pk=decision.row.pk)
            with transaction.atomic():
                _import_row(found, decide(found, [again])[0])


def _import_row(found: LeadImport, decision: Decision) -> None:
    """Write a row, unless another worker has, or the person was erased meanwhile."""
    row = ImportRow.objects.select_for_update().filter(pk=decision.row.pk, outcome="").first()
    if row is None:
        return
    lead = decision.lead
    written: dict[str, str] = {}
    if decision.outcome == RowOutcome.NEW:
        lead, written = create_lead_of(found, decision)
    elif decision.outcome == RowOutcome.UPDATED:
        lead, written = complete_lead(found, decision)
    outcome, reason = decision.outcome, decision.reason or ""
    if outcome == RowOutcome.UPDATED and not written:
        outcome, reason = RowOutcome.DUPLICATE, RowReason.NOTHING_NEW
    row.outcome, row.reason, row.lead, row.written = outcome, reason, lead, written
    if outcome != RowOutcome.REFUSED:
        row.cells = []
    row.save()


def _end_import(found: LeadImport) -> None:
    found.rows.filter(outcome=RowOutcome.DUPLICATE).update(cells=[])
    complete(
        found, again_at=timezone.now() + ROWS_TIME, state=ImportState.DONE, counts=_count(found, "outcome", RowOutcome)
    )


def _undo_batch(found: LeadImport, rows: Sequence[ImportRow]) -> None:
    for row in rows:
        if row.outcome in (RowOutcome.NEW, RowOutcome.UPDATED) and not row.reason:
            with transaction.atomic():
                locked = ImportRow.objects.select_for_update().filter(pk=row.pk, reason="").first()
                if locked is not None:
                    done = take_back(found, locked)
                    ImportRow.objects.filter(pk=row.pk).update(reason=done, written={})


def _end_undo(found: LeadImport) -> None:
    undone = _count(found, "reason", (RowReason.REMOVED, RowReason.RESTORED, RowReason.KEPT))
    complete(found, again_at=timezone.now() + ROWS_TIME, state=ImportState.UNDONE, undone=undone)


def _count(found: LeadImport, name: str, values: "type[RowOutcome] | Sequence[RowReason]") -> dict[str, int]:
    counted = dict(found.rows.order_by().values_list(name).annotate(Count("pk")))
    return {value.value: counted.get(value, 0) for value in values}
