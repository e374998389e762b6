"""What people read: an event's subject, sentences and facts, for mail and Slack.

Each event type has two templates, `email/<event_type>.subject.txt` and `email/<event_type>.txt`: the words, once. The
second extends the `layout` it is given (text, HTML or Slack). Whatever came from outside was cleaned here.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.template import Context
from django.template.loader import get_template

from accounts.actions import REASONS, SENTENCES, sentence
from accounts.models import Account, Event
from accounts.reauth import Letter
from accounts.services import EVENTS as STATUS_EVENTS
from accounts.team import ROLES, invitation_url
from accounts.vocabulary import EventType, SuggestedAction
from leads.vocabulary import LeadStatus
from notifications.catalogue import CATALOGUE
from notifications.models import Channel, ChannelKind
from notifications.schedule import PATIENCE
from notifications.transports.base import Parcel

LONGEST_NAME = 120
LONGEST_SUBJECT = 150
LONGEST_DETAIL = 500

#: Which fields of a body a mail lists, and how it calls them.
_FACTS = {
    "lead_name": "Lead",
    "linkedin_url": "LinkedIn profile",
    "linkedin_account_name": "LinkedIn account",
    "linkedin_account_email": "Account's e-mail",
    "campaign_name": "Campaign",
    "installer_name": "Installed by",
    "installer_email": "Installer's e-mail",
    "channel_name": "Channel",
    "ghl_location_id": "Location",
    "provider": "Reported by",
}


_STATUSES = {event_type: status for status, event_type in STATUS_EVENTS.items()}


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """An event in words. `slack` is the sentences alone."""

    subject: str
    text: str
    html: str
    slack: str
    facts: tuple[Fact, ...]
    action_label: str
    action_url: str


def message_for(parcel: Parcel) -> Message:
    context = _context(parcel)
    event_type = parcel.event.event_type
    subject = clean(_render(f"email/{event_type}.subject.txt", context, html=False), LONGEST_SUBJECT)
    context |= {"subject": subject}
    body = f"email/{event_type}.txt"
    return Message(
        subject=subject,
        text=_tidy(_render(body, context | {"layout": "email/base.txt"}, html=False)),
        html=_render(body, context | {"layout": "email/base.html"}, html=True),
        slack=_tidy(_render(body, context | {"layout": "email/slack.txt"}, html=False)),
        facts=context["facts"],
        action_label=context["action_label"],
        action_url=context["action_url"],
    )


def clean(text: str, limit: int = LONGEST_NAME) -> str:
    """Outside text as one harmless line: no control, bidirectional or invisible characters, no addresses that mail
    programs would turn into links, at most `limit` characters."""
    line = "".join(" " if _is_space(char) else char for char in text[: limit * 20] if not _is_hidden(char))
    line = " ".join(line.split())
    line = re.sub(r":/+", ": ", line)
    line = re.sub(r"(?i)\bwww\.", "www ", line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def linkedin_link(url: str) -> str:
    """The URL if it is https and LinkedIn's, else nothing."""
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    is_linkedin = host == "linkedin.com" or host.endswith(".linkedin.com")
    plain = re.fullmatch(r"[!-~]+", url) and not re.search(r"[\"'<>\\`{}|^]", url)
    ours = parts.scheme == "https" and is_linkedin and port in {None, 443} and "@" not in parts.netloc
    return url if ours and plain and len(url) <= LONGEST_DETAIL else ""


def _context(parcel: Parcel) -> dict[str, Any]:
    event, about = parcel.event, parcel.about
    body: Mapping[str, Any] = event.payload
    zone = _zone(parcel.agency.timezone)
    kind = CATALOGUE[EventType(event.event_type)]
    action_label, action_url = _action(parcel)
    return {
        "title": kind.title,
        "agency": clean(parcel.agency.name) or "your agency",
        "account": _named(body, "linkedin_account_name", "linkedin_account_email") or "A LinkedIn account",
        "lead": _named(body, "lead_name") or "A lead",
        "campaign": _named(body, "campaign_name"),
        "location": _named(body, "ghl_location_id"),
        "installer": _named(body, "installer_name", "installer_email"),
        "detail": clean(str(body.get("error_detail", "")), LONGEST_DETAIL),
        "limit": clean(" ".join(str(body[name]) for name in ("limit_type", "api_name") if name in body)),
        "resets_at": _moment(body.get("resets_at"), zone),
        "status": clean(str(body.get("status_label", ""))),
        "previous": _label(body.get("previous_status")),
        "paused_by": {"system": "Leadline", "user": "a person", "api": "an API call", "provider": "the provider"}.get(
            str(body.get("paused_by"))
        ),
        "pause_reason": clean(str(body.get("pause_reason", "")), LONGEST_DETAIL),
        "channel": _named(body, "channel_name") or _describe(about) or "One of your channels",
        "failing_since": _date(about.failing_since, zone) if about and about.failing_since else "",
        "off_at": _date(about.failing_since + PATIENCE, zone) if about and about.failing_since else "",
        "off_reason": clean(about.disabled_reason, LONGEST_DETAIL) if about else "",
        "happened_at": _date(event.occurred_at, zone),
        "facts": _facts(body),
        "next_step": _next_step(event, parcel.letter),
        "why": REASONS.get(parcel.letter.status, "") if parcel.letter else "",
        "reminder": parcel.letter is not None and parcel.letter.reminder,
        "link_ends": _date(parcel.letter.expires_at, zone) if parcel.letter else "",
        "role": ROLES.get(str(body.get("role")), ""),
        "action_label": action_label,
        "action_url": action_url,
        "unsubscribe_url": unsubscribe_url(parcel.channel),
        "recipient": parcel.delivery.recipient or (parcel.channel.email if parcel.channel else ""),
    }


def _action(parcel: Parcel) -> tuple[str, str]:
    """What the button says, and where it leads. Links that let somebody in are made here: no event's body has them."""
    event, about = parcel.event, parcel.about
    if parcel.letter is not None:
        return "Reconnect the account", parcel.letter.url
    if event.event_type == EventType.CHANNEL_VERIFICATION and about is not None:
        return "Confirm this address", f"{settings.PUBLIC_URL}/verify/{about.verification_token}"
    if event.event_type == EventType.MEMBER_INVITED:
        return "Accept the invitation", invitation_url(event.subject)
    return "Open Leadline", f"{settings.PUBLIC_URL}/"


def _next_step(event: Event, letter: Letter | None) -> str:
    """The sentence for what is suggested after a change of an account's status."""
    if letter is not None:
        return SENTENCES[letter.suggested_action]
    if event.event_type == EventType.LINKEDIN_RATE_LIMIT:
        return SENTENCES[SuggestedAction.WAIT]
    status = _STATUSES.get(EventType(event.event_type))
    return sentence(Account(status=status, provider=event.payload.get("provider", ""))) if status else ""


def unsubscribe_url(channel: Channel | None) -> str:
    if channel is None or channel.kind != ChannelKind.EMAIL:
        return ""
    return f"{settings.PUBLIC_URL}/unsubscribe/{channel.unsubscribe_token}"


def _facts(body: Mapping[str, Any]) -> tuple[Fact, ...]:
    link = linkedin_link(str(body.get("linkedin_url", "")))
    facts = [
        Fact(label, clean(str(body[name]))) if name != "linkedin_url" or not link else Fact(label, _shown(link), link)
        for name, label in _FACTS.items()
        if name in body
    ]
    return tuple(fact for fact in facts if fact.value)


def _shown(link: str) -> str:
    shown = link.removeprefix("https://").removeprefix("www.")
    return shown if len(shown) <= LONGEST_NAME else shown[: LONGEST_NAME - 1] + "…"


def _named(body: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if (text := clean(str(body.get(name, ""))))), "")


def _describe(channel: Channel | None) -> str:
    return "" if channel is None else clean(channel.name or channel.email or f"A {channel.get_kind_display()} channel")


def _label(status: Any) -> str:
    return LeadStatus(status).label if status in set(LeadStatus) else ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _moment(text: Any, zone: ZoneInfo) -> str:
    try:
        return _date(datetime.fromisoformat(str(text)), zone)
    except ValueError:
        return ""


def _date(moment: datetime, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {local:%B %Y, %H:%M} ({local.tzname()})"


def _render(name: str, context: Mapping[str, Any], *, html: bool) -> str:
    template = get_template(name).template  # type: ignore[attr-defined]
    return str(template.render(Context(dict(context), autoescape=html)))


def _tidy(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _is_space(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Zl", "Zp", "Zs"}


def _is_hidden(char: str) -> bool:
    """Formatting (right-to-left marks, zero width), surrogates, private and unassigned characters, fillers."""
    return unicodedata.category(char) in {"Cf", "Cs", "Co", "Cn"} or char in "\u115f\u1160\u3164\uffa0\u034f"
