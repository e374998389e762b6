"""Receipts become effects: lane by lane, in order, each in a savepoint; what fails stays visible."""

from collections import Counter
from datetime import timedelta
from functools import partial

import structlog
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from accounts.campaigns.service import update_campaign
from accounts.core.connections import is_outage, undone_after_outage
from accounts.core.enums import RequestAction
from accounts.core.jobs import Backoff
from accounts.core.unit_of_work import AT_ONCE, ReportBatch, UnitOfWork
from accounts.events.ordering import Quarantine
from accounts.models import Account, Source
from leads.models import Lead
from webhooks.models import ProviderRequest, Receipt, ReceiptStatus
from webhooks.processing.dispatch import apply
from webhooks.processing.prefetch import prefetch
from webhooks.processing.source_lock import walking
from webhooks.processing.waiting import release
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest, UnknownVocabulary, UnreadablePayload
from webhooks.providers.events import Reading

log = structlog.get_logger(__name__)

BATCH = 100
LANES = 50  # looked at for one that is free
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800, 3600)])
DRIFT_PATHS = 200  # per source
OUTCOME = (
    *("status", "event_type", "reason", "error", "next_attempt_at", "processed_at"),
    *("agency", "correlation", "account_id", "lead_id"),
)


def process_due(limit: int = BATCH) -> int:
    """Process the due receipts of one lane, at most `limit`; 0 when none is due that nobody else is at.

    Attempts are counted before the work and outside its transaction, so that a receipt that kills its worker is
    counted too.
    """
    for source in _due_lanes():
        with walking(source) as mine:
            taken = _next_batch(source, limit) if mine else []
            if taken:
                with undone_after_outage(partial(_uncount_attempt, taken)):
                    Receipt.objects.filter(pk__in=taken).update(attempts=F("attempts") + 1)
                    _process(source, taken)
                return len(taken)
    return 0


def reprocess(receipt: Receipt) -> None:
    """Let a receipt go through processing once more, now."""
    release(Receipt.objects.filter(pk=receipt.pk))


@transaction.atomic
def register_request(
    source: Source,
    *,
    request_id: str,
    action: RequestAction,
    account: Account | None = None,
    lead: Lead | None = None,
) -> ProviderRequest:
    """Say what a We-Link request was for; the same id again replaces it. Receipts that waited for it are processed."""
    request, _ = ProviderRequest.objects.update_or_create(
        source=source, request_id=request_id, defaults={"action": action, "account": account, "lead": lead}
    )
    if account and lead and lead.campaign and lead.campaign.account is None:
        update_campaign(lead.campaign, account=account)  # whoever writes to its leads is who it runs on
    waiting = Receipt.objects.filter(source=source, correlation=request_id, status=ReceiptStatus.QUARANTINED)
    release(waiting)
    return request


def _is_due() -> Q:
    """Only what was tried waits: a receipt that was not may be dated by a clock that was set back since."""
    return Q(attempts=0) | Q(next_attempt_at__lte=timezone.now())


def _due_lanes() -> QuerySet[Source]:
    """Sources with due receipts, the longest waiting first."""
    first_due = (
        Receipt.objects.filter(_is_due(), source=OuterRef("pk"), status=ReceiptStatus.RECEIVED)
        .order_by("sequence")
        .values("sequence")[:1]
    )
    lanes = Source.objects.select_related("agency", "sub_account").annotate(first_due=Subquery(first_due))
    return lanes.filter(first_due__isnull=False).order_by("first_due")[:LANES]


def _next_batch(source: Source, limit: int) -> list[int]:
    """Fresh receipts together; one that was tried before alone, so that it takes nobody down with it."""
    rows = list(
        Receipt.objects.filter(_is_due(), source=source, status=ReceiptStatus.RECEIVED)
        .order_by("sequence")
        .values_list("sequence", "attempts")[:limit]
    )
    tried = next((place for place, (_, attempts) in enumerate(rows) if attempts), len(rows))
    return [sequence for sequence, _ in rows[: max(tried, 1)]]


def _uncount_attempt(taken: list[int]) -> None:
    """Take back an attempt that the database broke off: an outage must not use up a receipt's attempts."""
    waiting = Receipt.objects.filter(pk__in=taken, status=ReceiptStatus.RECEIVED, attempts__gt=0)
    waiting.filter(_is_due()).update(attempts=F("attempts") - 1)


def _process(source: Source, taken: list[int]) -> None:
    together = len(taken) > 1
    try:
        with transaction.atomic(), ReportBatch() if together else AT_ONCE as work:
            _process_in_order(source, taken, work)
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, no receipt's: all of them are tried again
    except Exception as error:
        if not together or is_outage(error):
            raise
        log.warning("What a batch wrote was refused; now one by one.", error=type(error).__name__)
        for sequence in taken:
            _process(source, [sequence])


def _process_in_order(source: Source, taken: list[int], work: UnitOfWork) -> None:
    receipts = list(Receipt.objects.filter(pk__in=taken, status=ReceiptStatus.RECEIVED).order_by("sequence"))
    readings = [_read(receipt) for receipt in receipts]
    events = [event for reading in readings if isinstance(reading, Reading) for event in reading.events]
    if isinstance(work, ReportBatch) and source.agency:
        prefetch(work, source, events)
    drift: Counter[str] = Counter()
    for receipt, reading in zip(receipts, readings, strict=True):
        receipt.source = source
        drift.update(_process_one(receipt, reading, work))
    if receipts:
        newest = max(receipt.received_at for receipt in receipts)
        Source.objects.filter(pk=source.pk).update(last_receipt_at=newest)
    if drift:
        _count_drift(source, drift)


def _count_drift(source: Source, seen: Counter[str]) -> None:
    """Add to the source's unknown fields; beyond DRIFT_PATHS a new one is not counted."""
    row = Source.objects.select_for_update().get(pk=source.pk)
    for path, count in seen.items():
        if path in row.drift or len(row.drift) < DRIFT_PATHS:
            row.drift[path] = row.drift.get(path, 0) + count
    row.save(update_fields=["drift"])


def _read(receipt: Receipt) -> Reading | Exception:
    """What it says, or why it says nothing."""
    request = SignedRequest(bytes(receipt.body), receipt.headers, receipt.received_at)
    try:
        return PROVIDERS[receipt.provider].parse(request)
    except Exception as error:
        return error


def _process_one(receipt: Receipt, reading: Reading | Exception, work: UnitOfWork = AT_ONCE) -> tuple[str, ...]:
    """One receipt from waiting to its end; answers the paths of fields we do not know."""
    unknown_fields: tuple[str, ...] = ()
    receipt.error = receipt.reason = ""
    try:
        if not BACKOFF.allows(receipt.attempts):
            raise RuntimeError("Its processing was broken off again and again.")
        if isinstance(reading, Exception):
            raise reading
        receipt.event_type = reading.event_type[:100]
        with work.savepoint():
            for event in reading.events:
                apply(receipt, event, work)
        unknown_fields = reading.unknown_fields
        receipt.status = ReceiptStatus.PROCESSED
    except (UnknownVocabulary, Quarantine) as puzzle:
        receipt.status, receipt.reason, receipt.error = ReceiptStatus.QUARANTINED, puzzle.reason, str(puzzle)[:1000]
        if isinstance(puzzle, UnknownVocabulary):
            receipt.event_type = puzzle.event_type[:100]
        elif puzzle.waits_for:
            receipt.correlation = puzzle.waits_for[:200]
    except UnreadablePayload as error:
        receipt.status, receipt.error = ReceiptStatus.FAILED, str(error)[:1000]
    except (OperationalError, InterfaceError):
        raise  # the database's trouble, not the receipt's: the whole batch is tried again
    except Exception as error:
        if is_outage(error):
            raise
        _put_off(receipt, error)
    if receipt.status != ReceiptStatus.RECEIVED:
        receipt.processed_at = timezone.now()
    work.update(receipt, *OUTCOME, *(["body", "headers"] if not receipt.body else []))
    log.info(
        f"{receipt.provider} {receipt.event_type or 'request'} {receipt.get_status_display()}",
        receipt=receipt.public_id,
        **({"reason": receipt.reason} if receipt.reason else {}),
    )
    return unknown_fields


def _put_off(receipt: Receipt, error: Exception) -> None:
    """Try again later, or give up where a person can see it."""
    log.exception("A receipt could not be processed.", receipt=receipt.public_id, error=type(error).__name__)
    receipt.error = f"{type(error).__name__}: {error}"[:1000]
    if due := BACKOFF.next_attempt_at(receipt.attempts):
        receipt.next_attempt_at = due
    else:
        receipt.status = ReceiptStatus.FAILED
