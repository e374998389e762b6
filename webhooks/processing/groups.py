"""Group what could not be understood or placed by why it waits: by the unknown word, or by reason and event."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from accounts.core.enums import WordKind
from accounts.models import Source
from webhooks.models import QUARANTINE_REASON_OF, RECEIPT_PREFIX, Receipt, ReceiptStatus

#: The newest receipts that are grouped. More are shown as `5,000+`.
MAX_GROUPED = 5000
KIND_OF = {reason: kind for kind, reason in QUARANTINE_REASON_OF.items()}


@dataclass(slots=True)
class Group:
    """Receipts of one source that wait for the same thing. `newest` is the key of the last one."""

    source: Source
    status: ReceiptStatus
    reason: str
    event_type: str
    word: str
    newest: int
    received_at: datetime
    count: int = 0

    @property
    def kind(self) -> WordKind | None:
        """Return the kind of the word that a mapping could explain; None if the receipts wait for something else."""
        return KIND_OF.get(self.reason) if self.word else None

    @property
    def newest_id(self) -> str:
        return f"{RECEIPT_PREFIX}{self.newest}"


def group_unrecognised(receipts: "QuerySet[Receipt]") -> tuple[list[Group], bool]:
    """Return the groups of receipts in quarantine or failed, the largest first, and whether there are more receipts
    than were grouped."""
    newest = receipts.order_by("-sequence").values_list(
        "source_id", "status", "reason", "event_type", "correlation", "sequence", "received_at"
    )[: MAX_GROUPED + 1]
    rows = list(newest)
    sources = Source.objects.select_related("agency").defer("credentials").in_bulk({row[0] for row in rows})
    groups: dict[tuple[str, ...], Group] = {}
    for source_id, status, reason, event_type, correlation, sequence, received_at in rows[:MAX_GROUPED]:
        word = correlation if reason in KIND_OF else ""
        event_type = "" if word else event_type
        group = groups.setdefault(
            (source_id, status, reason, event_type, word),
            Group(sources[source_id], ReceiptStatus(status), reason, event_type, word, sequence, received_at),
        )
        group.count += 1
    return sorted(groups.values(), key=lambda group: (group.kind is None, -group.count)), len(rows) > MAX_GROUPED
