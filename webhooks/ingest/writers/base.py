"""Define what a writer of receipt rows does: one commit for each batch."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from webhooks.models import Receipt, ReceiptStatus

TABLE = Receipt._meta.db_table
RowKey = tuple[str, bytes]
Sequences = tuple[dict[RowKey, int], dict[RowKey, int]]


@dataclass(slots=True)
class ReceiptRow:
    """Hold a verified request on its way into `Receipt`. Rows with the same source and key are one delivery."""

    source_id: str
    agency_id: str | None
    provider: str
    dedupe_key: bytes
    headers: dict[str, str]
    body: bytes
    received_at: datetime

    @property
    def key(self) -> RowKey:
        return (self.source_id, self.dedupe_key)


class StoredReceipt(NamedTuple):
    """Hold the sequence of a durable row. `duplicate`: an earlier request stored the row."""

    sequence: int
    duplicate: bool


class Writer(ABC):
    """Write batches over a connection of its own, which is reopened after a failure."""

    async def write(self, rows: Sequence[ReceiptRow]) -> list[StoredReceipt]:
        """Commit the rows, equal rows once, and return the result for each.

        Raises StorageDown if the database cannot take rows now, and any other error if it refuses one of these rows. A
        commit whose result was lost may have happened: writing the same rows again is safe and finds them.
        """
        keys = [(row.source_id, row.dedupe_key) for row in rows]
        first: dict[RowKey, ReceiptRow] = {}
        for key, row in zip(keys, rows, strict=True):
            first.setdefault(key, row)
        new, known = await self._insert(first)
        stored = []
        for key in keys:
            sequence = new.pop(key, None)
            if sequence is not None:
                known[key] = sequence
            stored.append(StoredReceipt(known[key], sequence is None))
        return stored

    @abstractmethod
    async def _insert(self, rows: Mapping[RowKey, ReceiptRow]) -> Sequences:
        """Insert rows. Return the sequences of the new rows and those of rows stored earlier."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connection. The next write opens another one."""


#: Values of a new receipt for the columns that ReceiptRow does not have.
COLUMN_DEFAULTS: dict[str, Any] = {
    "status": ReceiptStatus.RECEIVED.value,
    "event_type": "",
    "correlation": "",
    "account_id": "",
    "lead_id": "",
    "reason": "",
    "error": "",
    "attempts": 0,
}
