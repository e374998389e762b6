"""What every kind of channel is made of: a transport that carries a parcel and says how it went."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from accounts.models import Agency, Event
from accounts.reauth.prompts import Letter
from notifications.egress.session import GuardedSession
from notifications.models import Channel, ChannelKind, Delivery
from notifications.policy.alert_policy import Alert

#: All e-mail leaves through one server.
MAIL_LANE = "mail"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A claimed Delivery with all that its transport needs, loaded beforehand: transports ask no database.

    `together` are all the Events that the message tells, oldest first, where they are more than its own.
    `about` is the channel that a channel event tells of, as it stands now; `letter` what an account's owner is told,
    `alert` what people are told of a drop. `slack_url` is where a Slack message without a channel goes.
    `send_at`, a moment ahead at most, keeps a channel's rate. `secrets` are those that sign, newest first.
    `problem` says why it cannot be sent at all.
    """

    delivery: Delivery
    event: Event
    agency: Agency
    kind: ChannelKind
    send_at: datetime | None = None
    channel: Channel | None = None
    together: tuple[Event, ...] = ()
    about: Channel | None = None
    letter: Letter | None = None
    alert: Alert | None = None
    slack_url: str = field(default="", repr=False)
    secrets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def lane(self) -> str:
        """What it shares its receiver's capacity with: its channel, or all other mail."""
        return MAIL_LANE if self.kind is ChannelKind.EMAIL else self.delivery.channel_id or MAIL_LANE


class Transport(ABC):
    """One kind of channel. Runs on an event loop: whatever blocks belongs into `asyncio.to_thread` or an executor."""

    kind: ClassVar[ChannelKind]

    @abstractmethod
    async def send(self, parcel: Parcel, session: GuardedSession) -> Outcome:
        """Carry it, once. Raises TransportError, TargetRefused and Unanswered."""
