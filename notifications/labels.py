"""Map channels, deliveries and event types to labels and sentences, for back office and portal."""

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
from notifications.delivery.channel_health import FAILURES_BEFORE_EVENT
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus, Hold, Mode
from notifications.policy.quiet_hours import WEEK

#: Event types that only the channel itself gets, whatever it listens to.
NEVER_CHOSEN = frozenset({EventType.TEST, EventType.CHANNEL_VERIFICATION})
DAMAGED = Label("Unreadable", "bad")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MODE_LABELS = {
    Mode.INSTANT: "immediately",
    Mode.HOURLY: "as a digest every hour",
    Mode.DAILY: "as a digest once a day",
}
ALWAYS_URGENT = ", ".join(
    f"“{kind.title}”"
    for kind in CATALOGUE.values()
    if kind.urgent and kind.name in AGENCY_EVENTS and kind.event_type not in NEVER_CHOSEN
)
DELIVERY_LABELS: dict[DeliveryStatus, Label] = {
    DeliveryStatus.PENDING: Label("Pending", "busy"),
    DeliveryStatus.DELIVERED: Label("Delivered", "good"),
    DeliveryStatus.FAILED: Label("Failed", "bad"),
    DeliveryStatus.CANCELLED: Label("Cancelled", "quiet"),
}
HELD, PAUSED, RETRYING = Label("Scheduled", "busy"), Label("Paused (endpoint down)", "warn"), Label("Retrying", "warn")
CHANNEL_LABELS: dict[ChannelStatus, Label] = {
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
    """Return every event type of agencies under its heading, with `chosen_only` only those that a channel may list."""
    found: dict[str, list[EventKind]] = {}
    for name in AGENCY_EVENTS:
        if not chosen_only or name not in NEVER_CHOSEN:
            found.setdefault(CATALOGUE[EventType(name)].heading, []).append(CATALOGUE[EventType(name)])
    order = [title for title in HEADINGS if title in found]
    return [Group(title, tuple(found[title])) for title in order]


def describe_kind(kind: EventKind) -> str:
    """Return what an event type means, without code marks."""
    return kind.description.replace("`", "")


def title_of(event_type: str) -> str:
    return CATALOGUE[EventType(event_type)].title if event_type in set(EventType) else event_type


def channel_label(channel: Channel) -> Label:
    """Return the label of a channel's status, or of what keeps an enabled channel from delivering."""
    if channel.status == ChannelStatus.ENABLED and channel.consecutive_failures:
        return FAILING if channel.consecutive_failures >= FAILURES_BEFORE_EVENT else LAST_TRY_FAILED
    return CHANNEL_LABELS[ChannelStatus(channel.status)]


def delivery_label(delivery: Delivery) -> Label:
    if delivery.status == DeliveryStatus.PENDING and delivery.hold:
        return PAUSED if delivery.hold == Hold.REST else HELD
    if delivery.status == DeliveryStatus.PENDING and delivery.error:
        return RETRYING
    return DELIVERY_LABELS[DeliveryStatus(delivery.status)]


def address_of(channel: Channel) -> str:
    """Return where the channel sends, without parts that may hold a token (a query, any path but a webhook's)."""
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


def describe_subscriptions(channel: Channel) -> str:
    """Return `Everything`, or what the channel listens to."""
    what = ", ".join(_titles(channel.event_types)) or "Everything"
    if channel.lead_statuses:
        what += f"; lead statuses: {', '.join(LeadStatus(name).label for name in channel.lead_statuses)}"
    if channel.creation_locales:
        what += f"; form languages: {', '.join(map(language_name, channel.creation_locales))}"
    return f"{what}; including test leads" if channel.test_events else what


def describe_timing(channel: Channel) -> str:
    """Return when people get messages, or "" for at once at any time."""
    parts = [] if channel.mode == Mode.INSTANT else [MODE_LABELS[Mode(channel.mode)]]
    if channel.mode == Mode.DAILY:
        parts[0] += f" at {channel.digest_at}"
    if channel.quiet_hours:
        parts.append(f"not from {channel.quiet_hours['start']} to {channel.quiet_hours['end']}")
    if channel.working_days:
        parts.append(f"only on {', '.join(WEEKDAYS[WEEK.index(day)] for day in channel.working_days)}")
    if parts and channel.timezone:
        parts.append(channel.timezone)
    return ", ".join(parts)


def subject_name(delivery: Delivery) -> str:
    """Return the name of whom or what an event is about."""
    body = delivery.event.payload
    names = ("lead_name", "linkedin_account_name", "linkedin_account_email", "campaign_name", "channel_name")
    return next((str(body[name]) for name in names if body.get(name)), "")


def _titles(event_types: Iterable[str]) -> list[str]:
    return [title_of(event_type) for event_type in event_types]
