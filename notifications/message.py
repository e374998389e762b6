"""A claimed delivery with everything that its transport needs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Agency, Event
from accounts.reauth.owner_mails import OwnerMail
from leads.pipeline.at_risk import AtRisk
from notifications.models import Channel, ChannelKind, Delivery

#: All e-mail leaves through one server.
MAIL_KEY = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What an alert says, as things stand when it is sent. `accounts` are those that are down, `total` all it has."""

    at_risk: Sequence[AtRisk] = ()
    accounts: tuple[str, ...] = ()
    down: int = 0
    total: int = 0
    agencies: int = 1
    cause: str = ""
    closed: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDelivery:
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
    owner_mail: OwnerMail | None = None
    alert: Alert | None = None
    slack_url: str = field(default="", repr=False)
    secrets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def receiver_key(self) -> str:
        """What it shares its receiver's capacity with: its channel, or all other mail."""
        return MAIL_KEY if self.kind is ChannelKind.EMAIL else self.delivery.channel_id or MAIL_KEY
