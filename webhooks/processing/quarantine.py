"""Release receipts from quarantine once the id that they name is known, or once Leadline knows their words.

A receipt that waits for an id stores it in `correlation`.
"""

from collections.abc import Collection
from datetime import timedelta

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import Agency, Source, SubAccount
from webhooks.models import Receipt, ReceiptStatus, RejectedRequest
from webhooks.processing.releases import release_receipts
from webhooks.processing.word_mappings import words_by_source
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest, UnknownVocabulary, UnreadablePayload
from webhooks.providers.payload import Words

log = structlog.get_logger(__name__)

WAITS_FOR_ID = ("unknown_company", "foreign_company", "unknown_account")
WAITS_FOR_WORDS = ("unknown_event_type", "unknown_status", "missing_field", "bad_field", "other_app")
#: An id may become known while another transaction quarantines a receipt that names it; neither sees the other.
RACE_WINDOW = timedelta(minutes=2)
#: Requests refused longer ago concern nobody any more.
REFUSED_PERIOD = timedelta(days=30)
MAX_NEW_ROWS = 200
MAX_RECEIPTS = 1000


def unrecognised(agency: Agency) -> QuerySet[Receipt]:
    """Return the agency's receipts that could not be understood or placed yet."""
    return agency.receipts.filter(status__in=[ReceiptStatus.QUARANTINED, ReceiptStatus.FAILED])


def refused_requests(agency: Agency) -> QuerySet[RejectedRequest]:
    """Return the counts of requests that the agency's sources refused lately."""
    rows = RejectedRequest.objects.filter(source__agency=agency, source__removed_at=None)
    return rows.filter(last_seen__gte=timezone.now() - REFUSED_PERIOD)


def release_waiting_for_ids(agency_id: str, ids: Collection[str]) -> None:
    """Release receipts that wait for these ids, which now belong to the agency."""
    sources = Source.objects.filter(Q(agency=agency_id) | Q(agency=None))
    waiting = Receipt.objects.filter(source__in=sources, correlation__in=ids, status=ReceiptStatus.QUARANTINED)
    release_receipts(waiting.filter(reason__in=WAITS_FOR_ID).exclude(correlation=""))


def release_missed() -> None:
    """Release receipts that were quarantined while their company or location became known."""
    since = timezone.now() - RACE_WINDOW
    rows: list[Agency | SubAccount] = [
        *Agency.objects.order_by("-pk")[:MAX_NEW_ROWS],
        *SubAccount.objects.order_by("-pk")[:MAX_NEW_ROWS],
    ]
    for row in rows:
        if row.created_at <= since:
            continue
        if isinstance(row, Agency):
            release_waiting_for_ids(row.pk, [row.ghl_company_id])
        else:
            release_waiting_for_ids(row.agency_id, [row.location_id])


def release_understood() -> int:
    """Release the newest receipts whose words Leadline knows since an update or a change of settings."""
    quarantined = Receipt.objects.filter(status=ReceiptStatus.QUARANTINED).order_by("-sequence")
    newest = quarantined.values_list("pk", "reason")[:MAX_RECEIPTS]
    waiting = Receipt.objects.filter(pk__in=[pk for pk, reason in newest if reason in WAITS_FOR_WORDS])
    words = words_by_source()
    found = [
        receipt.pk
        for receipt in waiting.iterator(chunk_size=50)
        if _is_understood(receipt, words.get(receipt.source_id, {}))
    ]
    if found:
        log.info("Receipts left quarantine: their words are known now.", receipts=len(found))
    return release_receipts(Receipt.objects.filter(pk__in=found, status=ReceiptStatus.QUARANTINED)) if found else 0


def _is_understood(receipt: Receipt, words: Words) -> bool:
    """Return whether the receipt can be read now. Store the word that it waits for, where a release before this one
    stored none."""
    request = SignedRequest(bytes(receipt.body), receipt.headers, receipt.received_at)
    try:
        PROVIDERS[receipt.provider].parse(request, words)
    except UnknownVocabulary as error:
        if error.word and not receipt.correlation:
            Receipt.objects.filter(pk=receipt.pk, correlation="").update(correlation=error.word)
        return False
    except UnreadablePayload:
        return False
    return True
