"""Receipt rows into the database, a batch at a time: one commit for all of them. Used by the journal only."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from webhooks.models import Receipt, ReceiptStatus

TABLE = Receipt._meta.db_table
Key = tuple[str, bytes]
Sequences = tuple[dict[Key, int], dict[Key, int]]


@dataclass(slots=True)
class Row:
    """A verified request on its way into `Receipt`. Equal source and key are the same delivery."""

    source_id: str
    agency_id: str | None
    provider: str
    dedupe_key: bytes
    headers: dict[str, str]
    body: bytes
    received_at: datetime

    @property
    def key(self) -> Key:
        return (self.source_id, self.dedupe_key)


class Kept(NamedTuple):
    """A row is durable under `sequence`; `duplicate`: an earlier request's row is."""

    sequence: int
    duplicate: bool


class Writer(ABC):
    """Writes batches over a connection of its own, which it opens again after a failure."""

    async def write(self, rows: Sequence[Row]) -> list[Kept]:
        """Commit the rows, equal ones folded, and answer for each.

        Raises StorageDown if the database cannot take rows now, any other error if it does not take one of these. A
        commit whose answer was lost may have happened: to write the same rows again is safe, and finds them.
        """
        keys = [(row.source_id, row.dedupe_key) for row in rows]
        first: dict[Key, Row] = {}
        for key, row in zip(keys, rows, strict=True):
            first.setdefault(key, row)
        new, known = await self._insert(first)
        kept = []
        for key in keys:
            sequence = new.pop(key, None)
            if sequence is not None:
                known[key] = sequence
            kept.append(Kept(known[key], sequence is None))
        return kept

    @abstractmethod
    async def _insert(self, rows: Mapping[Key, Row]) -> Sequences:
        """Sequences of the rows that are new, and of those that were there."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection; the next write opens another."""


#: What every new receipt starts with; the other columns come from the row.
DEFAULTS: dict[str, Any] = {
    "status": ReceiptStatus.RECEIVED.value,
    "event_type": "",
    "correlation": "",
    "account_id": "",
    "lead_id": "",
    "reason": "",
    "error": "",
    "attempts": 0,
}
