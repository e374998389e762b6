"""Process receipts: each source's in order, each receipt in a savepoint. Failures stay visible in the rows."""

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
from webhooks.processing.dispatch import apply_event
from webhooks.processing.prefetch import prefetch
from webhooks.processing.releases import release_receipts
from webhooks.processing.source_lock import lock_source
from webhooks.processing.word_mappings import words_of
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest, UnknownVocabulary, UnreadablePayload
from webhooks.providers.events import ParsedRequest
from webhooks.providers.payload import Words

log = structlog.get_logger(__name__)

BATCH = 100
MAX_CANDIDATE_SOURCES = 50  # tried until one can be locked
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 600, 1800, 3600)])
MAX_DRIFT_PATHS = 200  # unknown fields that are counted for a source
RESULT_FIELDS = (
    *("status", "event_type", "reason", "error", "next_attempt_at", "processed_at"),
    *("agency", "correlation", "account_id", "lead_id"),
)


def process_due_receipts(limit: int = BATCH) -> int:
    """Process up to `limit` due receipts of one source. Return 0 if none is due that no other worker holds.

    Attempts are counted before the work and outside its transaction, so that a receipt that kills its worker is counted
    too.
    """
    for source in _sources_with_due_receipts():
        with lock_source(source) as is_locked:
            sequences = _next_batch(source, limit) if is_locked else []
            if sequences:
                with undone_after_outage(partial(_uncount_attempt, sequences)):
                    Receipt.objects.filter(pk__in=sequences).update(attempts=F("attempts") + 1)
                    _process_batch(source, sequences, ReportBatch())
                return len(sequences)
    return 0


def reprocess_receipt(receipt: Receipt) -> None:
    """Process a receipt again, now."""
    release_receipts(Receipt.objects.filter(pk=receipt.pk))


@transaction.atomic
def register_request(
    source: Source,
    *,
    request_id: str,
    action: RequestAction,
    account: Account | None = None,
    lead: Lead | None = None,
) -> ProviderRequest:
    """Register what a We-Link request is for, replacing earlier registrations. Release receipts that wait for it."""
    request, _ = ProviderRequest.objects.update_or_create(
        source=source, request_id=request_id, defaults={"action": action, "account": account, "lead": lead}
    )
    if account and lead and lead.campaign and lead.campaign.account is None:
        update_campaign(lead.campaign, account=account)  # the account that writes to its leads runs the campaign
    waiting = Receipt.objects.filter(source=source, correlation=request_id, status=ReceiptStatus.QUARANTINED)
    release_receipts(waiting)
    return request


def _is_due() -> Q:
    """Return the condition for due receipts. Only tried ones wait: the clock may have been set back since arrival."""
    return Q(attempts=0) | Q(next_attempt_at__lte=timezone.now())


def _sources_with_due_receipts() -> QuerySet[Source]:
    """Return sources with due receipts, the longest waiting first."""
    first_due = (
        Receipt.objects.filter(_is_due(), source=OuterRef("pk"), status=ReceiptStatus.RECEIVED)
        .order_by("sequence")
        .values("sequence")[:1]
    )
    sources = Source.objects.select_related("agency", "sub_account").annotate(first_due=Subquery(first_due))
    return sources.filter(first_due__isnull=False).order_by("first_due")[:MAX_CANDIDATE_SOURCES]


def _next_batch(source: Source, limit: int) -> list[int]:
    """Return fresh receipts together. Return one that was tried before alone, so that it fails no others."""
    rows = list(
        Receipt.objects.filter(_is_due(), source=source, status=ReceiptStatus.RECEIVED)
        .order_by("sequence")
        .values_list("sequence", "attempts")[:limit]
    )
    tried = next((place for place, (_, attempts) in enumerate(rows) if attempts), len(rows))
    return [sequence for sequence, _ in rows[: max(tried, 1)]]


def _uncount_attempt(sequences: list[int]) -> None:
    """Take back an attempt that an outage of the database broke off."""
    waiting = Receipt.objects.filter(pk__in=sequences, status=ReceiptStatus.RECEIVED, attempts__gt=0)
    waiting.filter(_is_due()).update(attempts=F("attempts") - 1)


def _process_batch(source: Source, sequences: list[int], work: UnitOfWork) -> None:
    """Process receipts together. If the database refuses what they write, process them one by one, writing at once."""
    try:
        with transaction.atomic(), work:
            _process_in_order(source, sequences, work)
    except (OperationalError, InterfaceError):
        raise  # the database failed, not a receipt: all of them are tried again
    except Exception as error:
        if work is AT_ONCE or is_outage(error):
            raise
        log.warning("The database refused a batch; its receipts are processed one by one.", error=type(error).__name__)
        for sequence in sequences:
            _process_batch(source, [sequence], AT_ONCE)


def _process_in_order(source: Source, sequences: list[int], work: UnitOfWork) -> None:
    receipts = list(Receipt.objects.filter(pk__in=sequences, status=ReceiptStatus.RECEIVED).order_by("sequence"))
    words = words_of(source)
    parsed_receipts = [_parse_receipt(receipt, words) for receipt in receipts]
    events = [event for parsed in parsed_receipts if isinstance(parsed, ParsedRequest) for event in parsed.events]
    if isinstance(work, ReportBatch) and source.agency:
        prefetch(work, source, events)
    drift: Counter[str] = Counter()
    real = [receipt.received_at for receipt in receipts if not receipt.is_sample]
    for receipt, parsed in zip(receipts, parsed_receipts, strict=True):
        receipt.source = source
        drift.update(_process_receipt(receipt, parsed, work))
    if real:
        Source.objects.filter(pk=source.pk).update(last_receipt_at=max(real))
    if drift:
        _count_drift(source, drift)


def _count_drift(source: Source, seen: Counter[str]) -> None:
    """Count the source's unknown fields. Beyond MAX_DRIFT_PATHS no new field is added."""
    row = Source.objects.select_for_update().get(pk=source.pk)
    for path, count in seen.items():
        if path in row.drift or len(row.drift) < MAX_DRIFT_PATHS:
            row.drift[path] = row.drift.get(path, 0) + count
    row.save(update_fields=["drift"])


def _parse_receipt(receipt: Receipt, words: Words) -> ParsedRequest | Exception:
    """Return the parsed receipt, or the exception that its adapter raised.

    A receipt whose attempts are used up is not parsed again: parsing it may be what ends its worker.
    """
    if not BACKOFF.allows(receipt.attempts):
        return RuntimeError("Every attempt to process it ended with its worker.")
    request = SignedRequest(bytes(receipt.body), receipt.headers, receipt.received_at)
    try:
        return PROVIDERS[receipt.provider].parse(request, words)
    except Exception as error:
        return error


def _process_receipt(
    receipt: Receipt, parsed: ParsedRequest | Exception, work: UnitOfWork = AT_ONCE
) -> tuple[str, ...]:
    """Process one receipt and store its result. Return the paths of unknown fields."""
    unknown_fields: tuple[str, ...] = ()
    receipt.error = receipt.reason = ""
    try:
        if isinstance(parsed, Exception):
            raise parsed
        receipt.event_type = parsed.event_type[:100]
        with work.savepoint():
            for event in parsed.events:
                apply_event(receipt, event, work)
        unknown_fields = parsed.unknown_fields
        receipt.status = ReceiptStatus.PROCESSED
    except (UnknownVocabulary, Quarantine) as error:
        receipt.status, receipt.reason, receipt.error = ReceiptStatus.QUARANTINED, error.reason, str(error)[:1000]
        if isinstance(error, UnknownVocabulary):
            receipt.event_type, receipt.correlation = error.event_type[:100], error.word
        elif error.waits_for:
            receipt.correlation = error.waits_for[:200]
    except UnreadablePayload as error:
        receipt.status, receipt.error = ReceiptStatus.FAILED, str(error)[:1000]
    except (OperationalError, InterfaceError):
        raise  # the database failed, not the receipt: the whole batch is tried again
    except Exception as error:
        if is_outage(error):
            raise
        _retry_later(receipt, error)
    if receipt.status != ReceiptStatus.RECEIVED:
        receipt.processed_at = timezone.now()
    work.update(receipt, *RESULT_FIELDS, *(["body", "headers"] if not receipt.body else []))
    log.info(
        f"{receipt.provider} {receipt.event_type or 'request'} {receipt.get_status_display()}",
        receipt=receipt.public_id,
        **({"reason": receipt.reason} if receipt.reason else {}),
    )
    return unknown_fields


def _retry_later(receipt: Receipt, error: Exception) -> None:
    """Schedule another attempt, or mark the receipt as failed if its attempts are used up."""
    log.exception("A receipt could not be processed.", receipt=receipt.public_id, error=type(error).__name__)
    receipt.error = f"{type(error).__name__}: {error}"[:1000]
    if due := BACKOFF.next_attempt_at(receipt.attempts):
        receipt.next_attempt_at = due
    else:
        receipt.status = ReceiptStatus.FAILED
