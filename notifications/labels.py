"""Channels, deliveries and event types as people read them. Back office and portal read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from accounts.core.email_addresses import display_email
from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.core.labels import Label
from leads.enums import LeadStatus
from leads.pipeline.languages import language_name
from notifications.content.catalogue import CATALOGUE
from notifications.content.event_kinds import HEADINGS, EventKind
from notifications.delivery.channel_health import FAILURES_TO_TELL
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus, Hold, Mode
from notifications.policy.quiet_hours import WEEK

#: Only the channel itself gets these, whatever it listens to.
NOT_CHOSEN = frozenset({EventType.TEST, EventType.CHANNEL_VERIFICATION})
DAMAGED = Label("Unreadable", "bad")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MODES = {  # when people get what they hear of
    Mode.INSTANT: "immediately",
    Mode.HOURLY: "as a digest every hour",
    Mode.DAILY: "as a digest once a day",
}
ALWAYS_URGENT = ", ".join(
    f"“{kind.title}”"
    for kind in CATALOGUE.values()
    if kind.urgent and kind.name in AGENCY_EVENTS and kind.event_type not in NOT_CHOSEN
)
DELIVERIES: dict[DeliveryStatus, Label] = {
    DeliveryStatus.PENDING: Label("Pending", "busy"),
    DeliveryStatus.DELIVERED: Label("Delivered", "good"),
    DeliveryStatus.FAILED: Label("Failed", "bad"),
    DeliveryStatus.CANCELLED: Label("Cancelled", "quiet"),
}
HELD, PAUSED, RETRYING = Label("Scheduled", "busy"), Label("Paused (endpoint down)", "warn"), Label("Retrying", "warn")
CHANNELS: dict[ChannelStatus, Label] = {
    ChannelStatus.ENABLED: Label("Enabled", "good"),
    ChannelStatus.DISABLED: Label("Disabled", "quiet"),
    ChannelStatus.UNVERIFIED: Label("Unconfirmed", "warn"),
}
FAILING, LAST_TRY_FAILED = Label("Failing", "bad"), Label("Last attempt failed", "warn")


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    kinds: tuple[EventKind, ...]


def event_groups(*, chosen_only: bool = True) -> list[Group]:
    """Every event type that agencies are told, under its heading; with `chosen_only` those that a channel chooses."""
    found: dict[str, list[EventKind]] = {}
    for name in AGENCY_EVENTS:
        if not chosen_only or name not in NOT_CHOSEN:
            found.setdefault(CATALOGUE[EventType(name)].heading, []).append(CATALOGUE[EventType(name)])
    order = [title for title in HEADINGS if title in found]
    return [Group(title, tuple(found[title])) for title in order]


def sentence(kind: EventKind) -> str:
    """What an event type means, without the marks that programmers read."""
    return kind.description.replace("`", "")


def title_of(event_type: str) -> str:
    return CATALOGUE[EventType(event_type)].title if event_type in set(EventType) else event_type


def channel_label(channel: Channel) -> Label:
    """The label of a channel: of its status, or of what keeps an enabled one from delivering."""
    if channel.status == ChannelStatus.ENABLED and channel.consecutive_failures:
        return FAILING if channel.consecutive_failures >= FAILURES_TO_TELL else LAST_TRY_FAILED
    return CHANNELS[ChannelStatus(channel.status)]


def delivery_label(delivery: Delivery) -> Label:
    if delivery.status == DeliveryStatus.PENDING and delivery.hold:
        return PAUSED if delivery.hold == Hold.REST else HELD
    if delivery.status == DeliveryStatus.PENDING and delivery.error:
        return RETRYING
    return DELIVERIES[DeliveryStatus(delivery.status)]


def address_of(channel: Channel) -> str:
    """Where it goes. What may carry a token (a query, and any path but a webhook's) is left out."""
    if channel.kind == ChannelKind.EMAIL:
        return display_email(channel.email)
    if not channel.url:
        return "its URL cannot be read"
    try:
        parts = urlsplit(channel.url)
    except ValueError:
        return ""
    if channel.kind != ChannelKind.WEBHOOK:
        return f"{parts.netloc}/…"
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


def listens_to(channel: Channel) -> str:
    """`Everything`, or what it was told to listen to."""
    what = ", ".join(_titles(channel.event_types)) or "Everything"
    if channel.lead_statuses:
        what += f"; lead statuses: {', '.join(LeadStatus(name).label for name in channel.lead_statuses)}"
    if channel.creation_locales:
        what += f"; form languages: {', '.join(map(language_name, channel.creation_locales))}"
    return f"{what}; including test leads" if channel.test_events else what


def arrives(channel: Channel) -> str:
    """When people get it; empty: at once, at any time."""
    parts = [] if channel.mode == Mode.INSTANT else [MODES[Mode(channel.mode)]]
    if channel.mode == Mode.DAILY:
        parts[0] += f" at {channel.digest_at}"
    if channel.quiet_hours:
        parts.append(f"not from {channel.quiet_hours['start']} to {channel.quiet_hours['end']}")
    if channel.working_days:
        parts.append(f"only on {', '.join(WEEKDAYS[WEEK.index(day)] for day in channel.working_days)}")
    if parts and channel.timezone:
        parts.append(channel.timezone)
    return ", ".join(parts)


def about(delivery: Delivery) -> str:
    """Whom or what an event is about, by name."""
    body = delivery.event.payload
    names = ("lead_name", "linkedin_account_name", "linkedin_account_email", "campaign_name", "channel_name")
    return next((str(body[name]) for name in names if body.get(name)), "")


def _titles(event_types: Iterable[str]) -> list[str]:
    return [title_of(event_type) for event_type in event_types]
