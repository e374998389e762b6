"""Serve the page that lists an agency's channels."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from accounts.core.labels import Label
from accounts.portal import MemberRequest, paginate, readers, render_page
from leads.conditions.target_lists import sentence_for
from notifications.channels.presets import (
    ACCOUNT_HEALTH,
    CHOSEN,
    NEEDS_ACTION,
    OPPORTUNITIES,
    PRESETS,
    REPLIES,
    preset_of,
)
from notifications.labels import DAMAGED, address_of, channel_label, describe_subscriptions, describe_timing, title_of
from notifications.models import Channel, ChannelKind
from notifications.portal.health import Failure, failures_of, last_deliveries
from notifications.portal.kinds import KINDS, Kind

MAX_ALERTS = 5
MAX_TITLES = 3  # of events, on a card
#: Choices of events that the buttons for new channels of people offer.
SHORTCUTS = [PRESETS[name] for name in (NEEDS_ACTION, ACCOUNT_HEALTH, REPLIES, OPPORTUNITIES)]


@dataclass(frozen=True)
class Card:
    """Hold what the pages show of one channel."""

    channel: Channel
    label: Label
    address: str
    summary: str
    events: str
    timing: str
    rotating: bool
    failure: Failure | None
    last_delivered: datetime | None


@dataclass(frozen=True)
class Section:
    kind: ChannelKind
    words: Kind
    cards: list[Card]


@require_safe
@readers
def setup_page(request: MemberRequest) -> HttpResponse:
    page = paginate(request, request.agency.channels.select_related("agency").prefetch_related("secrets"))
    cards = cards_of(page.rows)
    sections = [
        Section(kind, words, [card for card in cards if card.channel.kind == kind]) for kind, words in KINDS.items()
    ]
    waiting = [card for card in cards if card.label.tone in ("bad", "warn")]
    return render_page(
        request,
        "portal/notifications.html",
        "notifications",
        page=page,
        presets=SHORTCUTS,
        sections=sections,
        waiting=waiting[:MAX_ALERTS],
        more_waiting=max(0, len(waiting) - MAX_ALERTS),
    )


def _summarize(channel: Channel) -> str:
    """Return which events the channel gets, and of which leads, in a few words."""
    events = _summarize_events(channel)
    return f"{events} · {sentence_for(channel.agency, channel.conditions)}" if channel.conditions else events


def _summarize_events(channel: Channel) -> str:
    preset = preset_of(channel.event_types)
    if preset != CHOSEN:
        return str(PRESETS[preset].title)
    titles = [title_of(name) for name in channel.event_types]
    shown, more = ", ".join(titles[:MAX_TITLES]), len(titles) - MAX_TITLES
    if more <= 0:
        return shown
    return ngettext("%(shown)s and %(more)s more", "%(shown)s and %(more)s more", more) % {"shown": shown, "more": more}


def cards_of(channels: Iterable[Channel]) -> list[Card]:
    """Return the cards of channels, whose secrets are loaded."""
    channels = list(channels)
    failures, delivered = failures_of(channels), last_deliveries(channels)
    return [
        Card(
            channel=channel,
            label=DAMAGED if channel.damaged else channel_label(channel),
            address=address_of(channel),
            summary=_summarize(channel),
            events=describe_subscriptions(channel),
            timing=describe_timing(channel),
            rotating=any(secret.expires_at and secret.expires_at > timezone.now() for secret in channel.secrets.all()),
            failure=failures.get(channel.pk),
            last_delivered=delivered.get(channel.pk),
        )
        for channel in channels
    ]
