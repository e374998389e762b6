"""Define a claimed delivery with everything that its transport needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Agency, Event
from accounts.reauth.owner_mails import OwnerMail
from leads.pipeline.at_risk import LeadAtRisk
from notifications.models import Channel, ChannelKind, Delivery

#: The receiver key of all e-mail, which one server sends.
MAIL_KEY = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Hold what an alert says when it is sent. `accounts` are those that are down, `total` counts all."""

    at_risk: Sequence[LeadAtRisk] = ()
    accounts: tuple[str, ...] = ()
    down: int = 0
    total: int = 0
    agencies: int = 1
    cause: str = ""
    closed: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedDelivery:
    """Hold a claimed delivery with everything its transport needs, so that transports query no database.

    `digest_events` are all events of the message, oldest first, if it has more than its own. `subject_channel` is the
    channel that a channel event is about, `owner_mail` the mail to an account's owner, `alert` the content of an alert.
    `slack_url` is the target of a Slack message without a channel. `replies` are what leads answered, by the ids of the
    events; `locale` is that of the reader, or "" for the agency's. `send_at`, shortly ahead, keeps a channel's rate.
    `secrets` are those that sign, newest first. `problem` says why the delivery cannot be sent at all.
    """

    delivery: Delivery
    event: Event
    agency: Agency
    kind: ChannelKind
    send_at: datetime | None = None
    channel: Channel | None = None
    digest_events: tuple[Event, ...] = ()
    subject_channel: Channel | None = None
    owner_mail: OwnerMail | None = None
    alert: Alert | None = None
    slack_url: str = field(default="", repr=False)
    replies: Mapping[str, str] = field(default_factory=dict, repr=False)
    locale: str = ""
    secrets: tuple[str, ...] = ()
    problem: str = ""

    @property
    def receiver_key(self) -> str:
        """Return the key of the concurrency limit: the channel's id, or one key for all mail."""
        return MAIL_KEY if self.kind is ChannelKind.EMAIL else self.delivery.channel_id or MAIL_KEY
