"""Render an event for people: subject, sentences and facts, for mail and Slack.

Each event type has two templates with its words: `email/<event_type>.subject.txt` and `email/<event_type>.txt`. The
second extends the `layout` that it is given (text, HTML or Slack). Text from outside is cleaned before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone

from accounts.core.enums import STAFF_EVENTS, EventType, IncidentCause, SuggestedAction, provider_name
from accounts.core.linkedin_identity import linkedin_link
from accounts.core.markup import duration
from accounts.core.text import MAX_NAME_LENGTH, safe_line
from accounts.linkedin.advice import REASONS, SENTENCES, advice_sentence
from accounts.models import Account, Event
from accounts.reauth.owner_mails import OwnerMail
from accounts.services import EVENTS as STATUS_EVENTS
from accounts.sources.issues import SLOW_ANSWERS
from accounts.tenancy.brand import LEADLINE, Look, look_of
from accounts.tenancy.localtime import format_local_time, get_zone
from accounts.tenancy.team import ROLES, invitation_url
from leads.enums import LeadStatus
from leads.pipeline.at_risk import MAX_COUNT as MAX_AT_RISK
from leads.pipeline.at_risk import LeadAtRisk
from notifications.content.catalogue import CATALOGUE
from notifications.content.palette import palette
from notifications.message import Alert, PreparedDelivery
from notifications.models import FAILURES_TIMEOUT, Channel, ChannelKind

MAX_SUBJECT_LENGTH = 150
MAX_DETAIL_LENGTH = 500
#: Fields of a body that a mail lists --> their labels.
_FACTS = {
    "lead_name": "Lead",
    "linkedin_url": "LinkedIn profile",
    "linkedin_account_name": "LinkedIn account",
    "linkedin_account_email": "Account's e-mail",
    "campaign_name": "Campaign",
    "installer_name": "Installed by",
    "installer_email": "Installer's e-mail",
    "source_name": "Source",
    "channel_name": "Channel",
    "ghl_location_id": "Location",
    "provider": "Reported by",
}


#: Probable cause of an incident --> its description; below, --> the remedy.
CAUSES = {
    IncidentCause.PROXY: "the proxy that the accounts go through",
    IncidentCause.PROVIDER: "the provider, which lost its connections to LinkedIn",
    IncidentCause.PASSWORD: "passwords that LinkedIn no longer accepts",
    IncidentCause.UNKNOWN: "not known yet",
}
CAUSE_STEPS = {
    IncidentCause.PROXY: "Ask the provider to check or change the accounts' proxy.",
    IncidentCause.PROVIDER: "Look at the provider's status page; the accounts' owners were asked to reconnect them.",
    IncidentCause.PASSWORD: "Ask whether passwords were changed; the accounts' owners were asked to sign in again.",
    IncidentCause.UNKNOWN: "Look at the accounts; their owners were asked to reconnect them where that helps.",
}
#: Events reported later than this also say when they happened.
LATE_AFTER = timedelta(hours=1)
_STATUSES = {event_type: status for status, event_type in STATUS_EVENTS.items()}


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """Hold an event as text. `slack` has only the sentences."""

    subject: str
    text: str
    html: str
    slack: str
    facts: tuple[Fact, ...]
    action_label: str
    action_url: str


def render_event(prepared: PreparedDelivery, extra_facts: tuple[Fact, ...] = ()) -> Message:
    """Render one event."""
    context = _context(prepared)
    context |= {"subject": _subject(prepared.event, context), "facts": (*context["facts"], *extra_facts)}
    body = f"email/{prepared.event.event_type}.txt"
    return Message(
        subject=context["subject"],
        text=tidy_text(render_template(body, context | {"layout": "email/base.txt"}, html=False)),
        html=render_template(body, context | {"layout": "email/base.html"}, html=True),
        slack=tidy_text(render_template(body, context | {"layout": "email/slack.txt"}, html=False)),
        facts=context["facts"],
        action_label=context["action_label"],
        action_url=context["action_url"],
    )


def render_subject(prepared: PreparedDelivery) -> str:
    """Render what happened in one line."""
    return _subject(prepared.event, _context(prepared))


def is_late(event: Event) -> bool:
    """Return whether the event was reported so late that people could take it for news."""
    return event.created_at - event.occurred_at > LATE_AFTER


def look_for(prepared: PreparedDelivery) -> Look:
    """Return how the mail looks: as its agency's, or as Leadline's if it is for Leadline's own staff."""
    return LEADLINE if prepared.event.event_type in STAFF_EVENTS else look_of(prepared.agency)


def time_zone_of(prepared: PreparedDelivery) -> ZoneInfo:
    """Return the time zone of displayed times: the channel's own, else its agency's."""
    own = prepared.channel.timezone if prepared.channel else ""
    return get_zone(own or prepared.agency.timezone)


def _subject(event: Event, context: Mapping[str, Any]) -> str:
    text = render_template(f"email/{event.event_type}.subject.txt", context, html=False)
    is_example = event.channel_id and event.event_type != EventType.TEST
    mark = "Test: " if is_example else "Test lead: " if event.is_test else ""
    return safe_line(f"{mark}{text}", MAX_SUBJECT_LENGTH)


def _context(prepared: PreparedDelivery) -> dict[str, Any]:
    event, subject_channel = prepared.event, prepared.subject_channel
    body: Mapping[str, Any] = event.payload
    alert = prepared.alert or Alert(cause=str(body.get("cause", "")), closed=body.get("count") == 0)
    zone = time_zone_of(prepared)
    kind = CATALOGUE[EventType(event.event_type)]
    action_label, action_url = _action(prepared)
    return {
        "title": kind.title,
        "agency": safe_line(prepared.agency.name) or "your agency",
        "brand": look_for(prepared),
        "account": _first_value(body, "linkedin_account_name", "linkedin_account_email") or "A LinkedIn account",
        "lead": _first_value(body, "lead_name") or "A lead",
        "campaign": _first_value(body, "campaign_name"),
        "assignee": _first_value(body, "assigned_to_name") or "somebody of your team",
        "location": _first_value(body, "ghl_location_id"),
        "installer": _first_value(body, "installer_name", "installer_email"),
        "detail": safe_line(str(body.get("error_detail", "")), MAX_DETAIL_LENGTH),
        "limit": safe_line(" ".join(str(body[name]) for name in ("limit_type", "api_name") if name in body)),
        "resets_at": _format_time(body.get("resets_at"), zone),
        "expires_at": _format_time(body.get("expires_at"), zone),
        "details_pending": body.get("details_pending") is True,
        "is_test": body.get("is_test") is True,
        "status": safe_line(str(body.get("status_label", ""))),
        "previous": _label(body.get("previous_status")),
        "paused_by": {"system": "Leadline", "user": "a person", "api": "an API call", "provider": "the provider"}.get(
            str(body.get("paused_by"))
        ),
        "pause_reason": safe_line(str(body.get("pause_reason", "")), MAX_DETAIL_LENGTH),
        "channel": _first_value(body, "channel_name") or _describe(subject_channel) or "One of your channels",
        "source": _first_value(body, "source_name") or "One of your sources",
        "tool": safe_line(provider_name(str(body.get("provider", "")))) or "the provider",
        "failing_since": format_local_time(subject_channel.failing_since, zone)
        if subject_channel and subject_channel.failing_since
        else "",
        "off_at": format_local_time(subject_channel.failing_since + FAILURES_TIMEOUT, zone)
        if subject_channel and subject_channel.failing_since
        else "",
        "off_reason": safe_line(subject_channel.disabled_reason, MAX_DETAIL_LENGTH) if subject_channel else "",
        "happened_at": format_local_time(event.occurred_at, zone),
        "late": is_late(event),
        "facts": _facts(body),
        "next_step": next_step(event, prepared.owner_mail),
        "why": REASONS.get(prepared.owner_mail.status, "") if prepared.owner_mail else "",
        "reminder": prepared.owner_mail is not None and prepared.owner_mail.reminder,
        "link_ends": format_local_time(prepared.owner_mail.expires_at, zone) if prepared.owner_mail else "",
        "incident": "incident_id" in body,
        "slow": event.subject == SLOW_ANSWERS,
        "count": alert.total or body.get("count", 0),
        "down": alert.down or body.get("count", 0),
        "agencies": alert.agencies,
        "closed": alert.closed,
        "cause": CAUSES[IncidentCause(alert.cause or "unknown")],
        "cause_step": CAUSE_STEPS[IncidentCause(alert.cause or "unknown")],
        "accounts": [safe_line(name) for name in alert.accounts],
        "more_accounts": max(0, alert.down - len(alert.accounts)),
        "at_risk": [_describe_lead_at_risk(lead) for lead in alert.at_risk[:MAX_AT_RISK]],
        "more_at_risk": len(alert.at_risk) > MAX_AT_RISK,
        "role": ROLES.get(str(body.get("role")), ""),
        "action_label": action_label,
        "action_url": action_url,
        "unsubscribe_url": unsubscribe_url(prepared.channel),
        "recipient": prepared.delivery.recipient or (prepared.channel.email if prepared.channel else ""),
    }


def _action(prepared: PreparedDelivery) -> tuple[str, str]:
    """Return the button's label and URL. Secret links are made here, so that no event's body has them."""
    event, subject_channel = prepared.event, prepared.subject_channel
    if prepared.owner_mail is not None:
        return "Reconnect the account", prepared.owner_mail.url
    if event.event_type == EventType.CHANNEL_VERIFICATION and subject_channel is not None:
        return "Confirm this address", f"{settings.PUBLIC_URL}/verify/{subject_channel.verification_token}"
    if event.event_type == EventType.STAFF_ALERT and prepared.alert is not None:
        return "Open it in the back office", prepared.alert.url
    if event.event_type == EventType.MEMBER_INVITED:
        return "Accept the invitation", invitation_url(event.subject)
    return "Open Leadline", f"{settings.PUBLIC_URL}/"


def next_step(event: Event, owner_mail: OwnerMail | None) -> str:
    """Return the sentence for the suggested action after a change of an account's status."""
    if owner_mail is not None:
        return SENTENCES[owner_mail.suggested_action]
    if event.event_type == EventType.LINKEDIN_RATE_LIMIT:
        return SENTENCES[SuggestedAction.WAIT]
    status = _STATUSES.get(EventType(event.event_type))
    return advice_sentence(Account(status=status, provider=event.payload.get("provider", ""))) if status else ""


def unsubscribe_url(channel: Channel | None) -> str:
    if channel is None or channel.kind != ChannelKind.EMAIL:
        return ""
    return f"{settings.PUBLIC_URL}/unsubscribe/{channel.unsubscribe_token}"


def _describe_lead_at_risk(lead: LeadAtRisk) -> str:
    """Return a line such as `Ada Lovelace: Replied, waits for 3 hours (Ben Smith)`."""
    owner = safe_line(lead.owner) or "nobody's"
    return f"{safe_line(lead.name)}: {lead.status.label}, waits for {duration(timezone.now() - lead.since)} ({owner})"


def _facts(body: Mapping[str, Any]) -> tuple[Fact, ...]:
    facts = [_fact(name, label, str(body[name])) for name, label in _FACTS.items() if name in body]
    return tuple(fact for fact in facts if fact.value)


def _fact(name: str, label: str, value: str) -> Fact:
    if name == "linkedin_url" and (link := linkedin_link(value)):
        return Fact(label, _shorten_link(link), link)
    return Fact(label, safe_line(provider_name(value) if name == "provider" else value))


def _shorten_link(link: str) -> str:
    text = link.removeprefix("https://").removeprefix("www.")
    return text if len(text) <= MAX_NAME_LENGTH else text[: MAX_NAME_LENGTH - 1] + "…"


def _first_value(body: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if (text := safe_line(str(body.get(name, ""))))), "")


def _describe(channel: Channel | None) -> str:
    return (
        "" if channel is None else safe_line(channel.name or channel.email or f"A {channel.get_kind_display()} channel")
    )


def _label(status: Any) -> str:
    return LeadStatus(status).label if status in set(LeadStatus) else ""


def _format_time(text: Any, zone: ZoneInfo) -> str:
    try:
        return format_local_time(datetime.fromisoformat(str(text)), zone)
    except ValueError:
        return ""


def render_template(name: str, context: Mapping[str, Any], *, html: bool) -> str:
    template = get_template(name).template  # type: ignore[attr-defined]
    colours = {"palette": palette()} if html else {}
    return str(template.render(Context({**context, **colours}, autoescape=html)))


def tidy_text(text: str) -> str:
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"
