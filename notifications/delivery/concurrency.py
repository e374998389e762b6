"""How much may be on its way at once: in all, and to each receiver, so that a slow one never starves another."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from notifications.message import MAIL_KEY

WINDOW = 256
MAIL_SIZE = 32
FAILING_SIZE = 1
FIRST_SIZE = 4
LARGEST_SIZE = 192
FAST_MS = 1000


@dataclass(frozen=True, slots=True)
class Receiver:
    """What claiming needs to know of a channel."""

    receiver_key: str
    failing: bool
    guarded: bool  # its rate is limited, or it rests: `gate` decides


class ConcurrencyLimits:
    """What is on its way, by lane. A lane that answers well and fast grows, any other shrinks to one at a time."""

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._size: dict[str, int] = {MAIL_KEY: MAIL_SIZE}
        self.closing = False  # the run is over: take nothing that may last
        self.apart: set[str] = set()  # channels that this claim takes no more of: their gate is closed, or not ours

    @contextmanager
    def restored_after_failure(self) -> Iterator[None]:
        """Give back the places that were taken within if the block fails."""
        before = self._busy.copy()
        try:
            yield
        except BaseException:
            self._busy = before
            raise

    @property
    def busy(self) -> int:
        return self._busy.total()

    @property
    def room(self) -> int:
        return WINDOW - self.busy

    def full(self) -> list[str]:
        full = [receiver_key for receiver_key in self._busy if not self._free(receiver_key)]
        return [*full, MAIL_KEY] if self.closing and MAIL_KEY not in full else full

    def enter(self, receiver: Receiver) -> bool:
        """Take a place in the receiver's lane; False if there is none."""
        receiver_key = receiver.receiver_key
        self._size.setdefault(receiver_key, FAILING_SIZE if receiver.failing else FIRST_SIZE)
        if not self._free(receiver_key):
            return False
        self._busy[receiver_key] += 1
        return True

    def give_back(self, receiver_key: str) -> None:
        """Leave a place that was not used after all."""
        self._busy[receiver_key] -= 1

    def leave(self, receiver_key: str, *, well: bool, duration_ms: int) -> None:
        self.give_back(receiver_key)
        if receiver_key == MAIL_KEY:
            return
        if well and duration_ms < FAST_MS:
            self._size[receiver_key] = min(self._size[receiver_key] + 1, LARGEST_SIZE)
        else:
            self._size[receiver_key] = FAILING_SIZE

    def _free(self, receiver_key: str) -> bool:
        return self._busy[receiver_key] < self._size[receiver_key]
