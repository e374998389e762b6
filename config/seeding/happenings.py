"""What happens at an agency, in its order: a provider's reports, which are receipts, and what people do."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from accounts.events.ordering import Origin
from accounts.models import Source
from config.seeding.place import Place
from config.seeding.rows import BATCH
from webhooks.models import Receipt, ReceiptStatus
from webhooks.processing.processor import BACKOFF
from webhooks.providers import PROVIDERS
from webhooks.providers.base import SignedRequest, UnknownVocabulary

#: How long after it came a receipt is processed.
PROCESSED_AFTER = timedelta(milliseconds=400)


@dataclass(frozen=True, slots=True)
class Happening:
    """Something at a time. `happen` is given its origin; with a `body` a provider reports it, else `by` did it.

    `account_id` and `lead_id` say what its receipt was about; `error` why it failed or, with a `reason`, is in
    quarantine although its body can be read.
    """

    at: datetime
    happen: Callable[[Origin], None]
    provider: str = ""
    body: dict[str, Any] | None = None
    by: str = ""
    account_id: str = ""
    lead_id: str = ""
    correlation: str = ""
    reason: str = ""
    error: str = ""


def play(place: Place, happenings: Sequence[Happening]) -> None:
    """Save the receipts, and let everything happen that was before now."""
    past = sorted((each for each in happenings if each.at < place.now), key=lambda each: each.at)
    reports = [each for each in past if each.body is not None]
    receipts = [_receipt(place, each) for each in reports]
    Receipt.objects.bulk_create(receipts, batch_size=BATCH)
    by_report = {id(each): receipt for each, receipt in zip(reports, receipts, strict=True)}
    with place.rows.play():
        for each in past:
            each.happen(_origin(place, each, by_report.get(id(each))))
    for source in place.sources.values():
        mine = [receipt.received_at for receipt in receipts if receipt.source_id == source.pk]
        Source.objects.filter(pk=source.pk).update(last_receipt_at=max(mine, default=None))


def _origin(place: Place, happening: Happening, receipt: Receipt | None) -> Origin:
    if receipt is None:
        return Origin(by=happening.by, at=happening.at)
    return Origin(
        by=happening.provider,
        at=happening.at,
        sequence=receipt.sequence,
        receipt_id=receipt.public_id,
        source=place.sources[happening.provider],
    )


def _receipt(place: Place, happening: Happening) -> Receipt:
    source, provider = place.sources[happening.provider], PROVIDERS[happening.provider]
    plain = json.dumps(happening.body, ensure_ascii=False, separators=(",", ":")).encode()
    secret = place.secrets.get(happening.provider)
    body = provider.sign(plain, secret, at=happening.at)[0] if secret else plain
    receipt = Receipt(
        source=source, agency=place.agency, provider=happening.provider, received_at=happening.at,
        next_attempt_at=happening.at, processed_at=happening.at + PROCESSED_AFTER, attempts=1, body=body,
        headers={"content-type": "application/json"}, account_id=happening.account_id, lead_id=happening.lead_id,
        correlation=happening.correlation,
        dedupe_key=hashlib.sha256(body + happening.at.isoformat().encode()).digest(),
        status=ReceiptStatus.PROCESSED,
    )  # fmt: skip
    try:
        receipt.event_type = provider.parse(SignedRequest(body, receipt.headers, happening.at)).event_type[:100]
    except UnknownVocabulary as puzzle:
        receipt.status, receipt.reason, receipt.error = ReceiptStatus.QUARANTINED, puzzle.reason, str(puzzle)
        receipt.event_type, receipt.correlation = puzzle.event_type[:100], puzzle.word
    if happening.error:
        receipt.status = ReceiptStatus.QUARANTINED if happening.reason else ReceiptStatus.FAILED
        receipt.reason, receipt.error = happening.reason, happening.error
        receipt.attempts = 1 if happening.reason else len(BACKOFF.steps) + 1
    return receipt
