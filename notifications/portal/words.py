"""Channels, deliveries and event types as people read them."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from accounts.portal.words import State
from accounts.vocabulary import AGENCY_EVENTS, EventType
from notifications.catalogue import CATALOGUE, EventKind
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus
from notifications.services.health import FAILURES_TO_TELL

#: Only the channel itself gets these, whatever it listens to.
NOT_CHOSEN = frozenset({EventType.TEST, EventType.CHANNEL_VERIFICATION})
GROUPS = {  # how an event type's name begins --> under which heading people find it
    "linkedin_": "LinkedIn accounts",
    "reauth_": "LinkedIn accounts",
    "accounts_": "LinkedIn accounts",
    "lead_": "Leads",
    "task_": "Tasks",
    "campaign_": "Campaigns",
    "source_": "Sources",
    "install": "App and sub-accounts",
    "uninstall": "App and sub-accounts",
}
OTHERS = "These notifications"
DELIVERY_STATES: dict[DeliveryStatus, State] = {
    DeliveryStatus.PENDING: State("on its way", "busy"),
    DeliveryStatus.DELIVERED: State("delivered", "good"),
    DeliveryStatus.FAILED: State("failed", "bad"),
    DeliveryStatus.CANCELLED: State("cancelled", "quiet"),
}


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    kinds: tuple[EventKind, ...]


def event_groups(*, chosen_only: bool = True) -> list[Group]:
    """Every event type that agencies are told, under its heading; with `chosen_only` those that a channel chooses."""
    found: dict[str, list[EventKind]] = {}
    for name in AGENCY_EVENTS:
        if not chosen_only or name not in NOT_CHOSEN:
            found.setdefault(_heading(name), []).append(CATALOGUE[EventType(name)])
    order = [title for title in dict.fromkeys((*GROUPS.values(), OTHERS)) if title in found]
    return [Group(title, tuple(found[title])) for title in order]


def sentence(kind: EventKind) -> str:
    """What an event type means, without the marks that programmers read."""
    return kind.description.replace("`", "")


def title_of(event_type: str) -> str:
    return CATALOGUE[EventType(event_type)].title if event_type in set(EventType) else event_type


def channel_state(channel: Channel) -> State:
    match ChannelStatus(channel.status):
        case ChannelStatus.UNVERIFIED:
            return State("waits for its confirmation", "warn")
        case ChannelStatus.DISABLED:
            return State("switched off", "quiet")
        case ChannelStatus.ENABLED if channel.consecutive_failures >= FAILURES_TO_TELL:
            return State("failing", "bad")
        case ChannelStatus.ENABLED if channel.consecutive_failures:
            return State("the last try failed", "warn")
        case ChannelStatus.ENABLED:
            return State("on", "good")


def delivery_state(delivery: Delivery) -> State:
    if delivery.status == DeliveryStatus.PENDING and delivery.error:
        return State("will be tried again", "warn")
    return DELIVERY_STATES[DeliveryStatus(delivery.status)]


def address_of(channel: Channel) -> str:
    """Where it goes. What may carry a token (a query, all of Slack's path) is left out."""
    if channel.kind == ChannelKind.EMAIL:
        return channel.email
    try:
        parts = urlsplit(channel.url)
    except ValueError:
        return ""
    if channel.kind == ChannelKind.SLACK:
        return f"{parts.netloc}/…"
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


def listens_to(channel: Channel) -> str:
    """`Everything`, or what it was told to listen to."""
    if not channel.event_types:
        return "Everything"
    return ", ".join(_titles(channel.event_types))


def about(delivery: Delivery) -> str:
    """Whom or what an event is about, by name."""
    body = delivery.event.payload
    names = ("lead_name", "linkedin_account_name", "linkedin_account_email", "campaign_name", "channel_name")
    return next((str(body[name]) for name in names if body.get(name)), "")


def _titles(event_types: Iterable[str]) -> list[str]:
    return [title_of(event_type) for event_type in event_types]


def _heading(name: str) -> str:
    return next((title for start, title in GROUPS.items() if name.startswith(start)), OTHERS)
