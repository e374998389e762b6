"""Map words that Leadline does not know to words that it knows, for one source, and release what waits for them.

A receipt that waits for a word stores the word in `correlation`. Adapters stay pure: they are handed the words.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.core.connections import is_outage
from accounts.core.enums import WordKind
from accounts.core.errors import FieldError
from accounts.core.job_handlers import wake_up_jobs
from accounts.core.jobs import Backoff, claim_due, complete, retry
from accounts.models import Source
from accounts.tenancy import audit
from accounts.tenancy.audit import Actor
from webhooks.models import Receipt, ReceiptStatus, WordMapping
from webhooks.processing.releases import release_receipts
from webhooks.providers import PROVIDERS
from webhooks.providers.payload import IGNORED, MAX_WORD_LENGTH, Words

#: Receipts that one step releases, in one statement.
BATCH = 500
LEASE = timedelta(minutes=1)
BACKOFF = Backoff([timedelta(seconds=seconds) for seconds in (10, 60, 600)], is_endless=True)
#: For so long a mapping looks for receipts that another transaction quarantined while the mapping was made.
RACE_WINDOW = timedelta(minutes=1)


@transaction.atomic
def map_word(
    source: Source, *, kind: WordKind, word: str, meaning: str, by: Actor | None = None
) -> tuple[WordMapping, int]:
    """Have an unknown word of a source read as a known one. Return the mapping and how many receipts left quarantine.

    The first batch of waiting receipts is released at once, the others by a job. Raises FieldError if the provider has
    no such meaning.
    """
    word = word[:MAX_WORD_LENGTH]
    if not word.strip():
        raise FieldError("word", "Enter the word that the provider sends.")
    if meaning not in meanings_of(source, kind):
        raise FieldError("meaning", "Choose one of the meanings in the list.")
    mapping, _ = WordMapping.objects.update_or_create(
        source=source,
        kind=kind,
        word=word,
        defaults={"meaning": meaning, "next_attempt_at": timezone.now(), "attempts": 0, "released": 0, "error": ""},
    )
    audit.log_change(by, source, "Word mapped", f"“{word}” → {meaning}")
    released = _release_batch(mapping)
    WordMapping.objects.filter(pk=mapping.pk).update(released=released)
    transaction.on_commit(partial(wake_up_jobs, "receipts"), robust=True)
    return mapping, released


@transaction.atomic
def remove_mapping(mapping: WordMapping, *, by: Actor | None = None) -> None:
    """Remove a mapping. What it had processed stays; later receipts with the word wait in quarantine."""
    audit.log_change(by, mapping.source, "Mapping removed", f"“{mapping.word}” → {mapping.meaning}")
    mapping.delete()


def release_mapped(limit: int = 5) -> int:
    """Release the next batch of receipts for each due mapping. Return how many mappings were due."""
    with claim_due(WordMapping.objects.select_related("source"), limit=limit, lease=LEASE) as mappings:
        for mapping in mappings:
            try:
                released = _release_batch(mapping)
            except Exception as error:
                if is_outage(error):
                    raise
                retry(mapping, f"{type(error).__name__}: {error}", BACKOFF)
            else:
                complete(mapping, again_at=_next_look(mapping, released), released=F("released") + released)
    return len(mappings)


def meanings_of(source: Source, kind: WordKind) -> tuple[str, ...]:
    """Return what an unknown word of this kind can be treated as."""
    known = PROVIDERS[source.provider].meanings.get(kind, ())
    return (*known, IGNORED) if known else ()


def words_of(source: Source) -> Words:
    return _as_words(WordMapping.objects.filter(source=source))


def words_by_source() -> dict[str, Words]:
    """Return the words of every source that has mappings."""
    found: defaultdict[str, list[WordMapping]] = defaultdict(list)
    for mapping in WordMapping.objects.all():
        found[mapping.source_id].append(mapping)
    return {source_id: _as_words(mappings) for source_id, mappings in found.items()}


def waiting_for(mapping: WordMapping) -> "QuerySet[Receipt]":
    """Return the receipts in quarantine that wait for the mapping's word."""
    receipts = Receipt.objects.filter(source_id=mapping.source_id, correlation=mapping.word)
    return receipts.exclude(correlation="").filter(status=ReceiptStatus.QUARANTINED, reason=mapping.reason)


def _release_batch(mapping: WordMapping) -> int:
    batch = list(waiting_for(mapping).order_by("sequence").values_list("pk", flat=True)[:BATCH])
    return release_receipts(Receipt.objects.filter(pk__in=batch, status=ReceiptStatus.QUARANTINED)) if batch else 0


def _next_look(mapping: WordMapping, released: int) -> datetime | None:
    now = timezone.now()
    if released:
        return now
    return now + RACE_WINDOW if now < mapping.created_at + RACE_WINDOW else None


def _as_words(mappings: Iterable[WordMapping]) -> Words:
    return {(WordKind(mapping.kind), mapping.word): mapping.meaning for mapping in mappings}
