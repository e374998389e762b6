"""Define what a transport is: it sends a prepared delivery and returns the outcome."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from notifications.egress.headers import Exchange
from notifications.egress.session import GuardedSession
from notifications.message import PreparedDelivery
from notifications.models import ChannelKind


class TransportError(Exception):
    """Signal that an attempt failed. `message` gives the reason to people.

    `permanent`: no later attempt can succeed. `gone`: why the receiver will never want anything again, so that its
    channel is disabled. `ours`: the fault is on our side, so the channel's health does not change. `retry_after` is in
    seconds.
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
        exchange: Exchange | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.permanent = permanent
        self.gone = gone
        self.ours = ours
        self.retry_after = retry_after
        self.status_code = status_code
        self.excerpt = excerpt
        self.exchange = exchange


@dataclass(frozen=True, slots=True)
class Outcome:
    """Signal that the receiver accepted the message."""

    status_code: int | None = None
    excerpt: str = ""
    exchange: Exchange | None = None


class Transport(ABC):
    """Send deliveries of one kind of channel on an event loop. Blocking calls belong in an executor."""

    kind: ClassVar[ChannelKind]

    @abstractmethod
    async def send(self, prepared: PreparedDelivery, session: GuardedSession) -> Outcome:
        """Send the delivery once. Raises TransportError, TargetRefused and NoResponse."""
