"""Limit concurrent deliveries, in all and to each receiver, so that a slow receiver starves no other."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from notifications.message import MAIL_KEY

MAX_IN_FLIGHT = 256
MAIL_LIMIT = 32
FAILING_LIMIT = 1
INITIAL_LIMIT = 4
MAX_LIMIT = 192
FAST_MS = 1000


@dataclass(frozen=True, slots=True)
class Receiver:
    """Hold what claiming needs to know about a channel."""

    receiver_key: str
    is_failing: bool
    is_rate_limited: bool  # by its rate or by an open circuit breaker


class ConcurrencyLimits:
    """Count deliveries in flight by receiver.

    A receiver that responds fast with success gets a higher limit; any other result reduces its limit to one.
    """

    def __init__(self) -> None:
        self._in_flight: Counter[str] = Counter()
        self._limits: dict[str, int] = {MAIL_KEY: MAIL_LIMIT}
        self.closing = False  # the run ends: claim nothing that may take long
        self.skipped_channels: set[str] = set()  # rate-limited now, or locked by another worker

    @contextmanager
    def restored_after_failure(self) -> Iterator[None]:
        """Restore the counts if the block fails."""
        before = self._in_flight.copy()
        try:
            yield
        except BaseException:
            self._in_flight = before
            raise

    @property
    def in_flight(self) -> int:
        return self._in_flight.total()

    @property
    def free_slots(self) -> int:
        return MAX_IN_FLIGHT - self.in_flight

    def full_receivers(self) -> list[str]:
        full_receivers = [receiver_key for receiver_key in self._in_flight if not self._has_room(receiver_key)]
        return [*full_receivers, MAIL_KEY] if self.closing and MAIL_KEY not in full_receivers else full_receivers

    def try_acquire(self, receiver: Receiver) -> bool:
        """Take a place for the receiver. Return False if its limit is reached."""
        receiver_key = receiver.receiver_key
        self._limits.setdefault(receiver_key, FAILING_LIMIT if receiver.is_failing else INITIAL_LIMIT)
        if not self._has_room(receiver_key):
            return False
        self._in_flight[receiver_key] += 1
        return True

    def release_unused(self, receiver_key: str) -> None:
        """Release a place whose delivery was not sent."""
        self._in_flight[receiver_key] -= 1

    def release(self, receiver_key: str, *, succeeded: bool, duration_ms: int) -> None:
        """Release a place after an attempt, and adapt the receiver's limit."""
        self.release_unused(receiver_key)
        if receiver_key == MAIL_KEY:
            return
        if succeeded and duration_ms < FAST_MS:
            self._limits[receiver_key] = min(self._limits[receiver_key] + 1, MAX_LIMIT)
        else:
            self._limits[receiver_key] = FAILING_LIMIT

    def _has_room(self, receiver_key: str) -> bool:
        return self._in_flight[receiver_key] < self._limits[receiver_key]
