"""What every kind of channel is made of: a transport that carries a parcel and says how it went."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from notifications.egress.session import GuardedSession
from notifications.message import PreparedDelivery
from notifications.models import ChannelKind


class TransportError(Exception):
    """An attempt failed. The message says why, for people.

    `permanent`: no later attempt can succeed. `gone`: why the receiver will never want anything again, so that its
    channel is switched off. `ours`: the fault is on our side, so the channel's health is not touched. `retry_after` is
    in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        gone: str = "",
        ours: bool = False,
        retry_after: float | None = None,
        status_code: int | None = None,
        excerpt: str = "",
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.gone = gone
        self.ours = ours
        self.retry_after = retry_after
        self.status_code = status_code
        self.excerpt = excerpt


@dataclass(frozen=True, slots=True)
class Outcome:
    """The receiver has it."""

    status_code: int | None = None
    excerpt: str = ""


class Transport(ABC):
    """One kind of channel. Runs on an event loop: whatever blocks belongs into `asyncio.to_thread` or an executor."""

    kind: ClassVar[ChannelKind]

    @abstractmethod
    async def send(self, prepared: PreparedDelivery, session: GuardedSession) -> Outcome:
        """Carry it, once. Raises TransportError, TargetRefused and Unanswered."""
