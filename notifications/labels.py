"""Map channels, deliveries and event types to labels and sentences, for back office and portal."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.email_addresses import display_email
from accounts.core.enums import AGENCY_EVENTS, EventType
from accounts.core.labels import Label
from leads.conditions.target_lists import sentence_for
from leads.enums import LeadStatus
from leads.labels import STATUSES
from leads.pipeline.languages import language_name
from notifications.content.catalogue import CATALOGUE
from notifications.content.event_kinds import HEADINGS, EventKind
from notifications.delivery.channel_health import FAILURES_BEFORE_EVENT
from notifications.models import Channel, ChannelKind, ChannelStatus, Delivery, DeliveryStatus, Hold, Mode
from notifications.policy.quiet_hours import WEEK

#: Event types that only the channel itself gets, whatever it listens to.
NEVER_CHOSEN = frozenset({EventType.TEST, EventType.CHANNEL_VERIFICATION})
DAMAGED = Label(_("Unreadable"), "bad")
WEEKDAYS = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
MODE_LABELS = {
    Mode.INSTANT: _("immediately"),
    Mode.HOURLY: _("as a digest every hour"),
    Mode.DAILY: _("as a digest once a day"),
}
DELIVERY_LABELS: dict[DeliveryStatus, Label] = {
    DeliveryStatus.PENDING: Label(_("Pending"), "busy"),
    DeliveryStatus.DELIVERED: Label(_("Delivered"), "good"),
    DeliveryStatus.FAILED: Label(_("Failed"), "bad"),
    DeliveryStatus.CANCELLED: Label(_("Cancelled"), "quiet"),
}
HELD, PAUSED, RETRYING = (
    Label(_("Scheduled"), "busy"),
    Label(_("Paused (endpoint down)"), "warn"),
    Label(_("Retrying"), "warn"),
)
CHANNEL_LABELS: dict[ChannelStatus, Label] = {
    ChannelStatus.ENABLED: Label(_("Enabled"), "good"),
    ChannelStatus.DISABLED: Label(_("Disabled"), "quiet"),
    ChannelStatus.UNVERIFIED: Label(_("Unconfirmed"), "warn"),
}
FAILING, LAST_TRY_FAILED = Label(_("Failing"), "bad"), Label(_("Last attempt failed"), "warn")


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
    return [Group(gettext(title), tuple(found[title])) for title in order]


def describe_urgent_events() -> str:
    """Return which event types wait for no digest, whatever a channel says."""
    titles = [
        f"“{kind.title}”"
        for kind in CATALOGUE.values()
        if kind.urgent and kind.name in AGENCY_EVENTS and kind.event_type not in NEVER_CHOSEN
    ]
    return gettext("%(events)s never wait.") % {"events": ", ".join(titles)}


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
        return gettext("its URL cannot be read")
    try:
        parts = urlsplit(channel.url)
    except ValueError:
        return ""
    if channel.kind != ChannelKind.WEBHOOK:
        return f"{parts.netloc}/…"
    return f"{parts.scheme}://{parts.netloc}{parts.path}{'?…' if parts.query else ''}"


def describe_subscriptions(channel: Channel) -> str:
    """Return `Everything`, or what the channel listens to."""
    parts = [", ".join(_titles(channel.event_types)) or gettext("Everything")]
    if channel.lead_statuses:
        names = ", ".join(STATUSES[LeadStatus(name)].text for name in channel.lead_statuses)
        parts.append(gettext("lead statuses: %(names)s") % {"names": names})
    if channel.creation_locales:
        languages = ", ".join(map(language_name, channel.creation_locales))
        parts.append(gettext("form languages: %(languages)s") % {"languages": languages})
    if channel.conditions:
        sentence = sentence_for(channel.agency, channel.conditions)
        parts.append(gettext("leads: %(conditions)s") % {"conditions": sentence})
    if channel.test_events:
        parts.append(gettext("including test leads"))
    return "; ".join(parts)


def describe_timing(channel: Channel) -> str:
    """Return when people get messages, or "" for at once at any time."""
    parts = [] if channel.mode == Mode.INSTANT else [str(MODE_LABELS[Mode(channel.mode)])]
    if channel.mode == Mode.DAILY:
        parts[0] = gettext("as a digest once a day at %(time)s") % {"time": channel.digest_at}
    if channel.quiet_hours:
        parts.append(gettext("not from %(start)s to %(end)s") % channel.quiet_hours)
    if channel.working_days:
        days = ", ".join(str(WEEKDAYS[WEEK.index(day)]) for day in channel.working_days)
        parts.append(gettext("only on %(days)s") % {"days": days})
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
