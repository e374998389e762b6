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
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import STAFF_EVENTS, EventType, IncidentCause, PausedBy, SuggestedAction, provider_name
from accounts.core.markup import duration
from accounts.core.sentences import in_readers_language
from accounts.core.text import safe_line, shorten
from accounts.labels import pause_reason
from accounts.linkedin.advice import REASONS, SENTENCES, advice_sentence
from accounts.models import Account, Event
from accounts.reauth.owner_mails import OwnerMail
from accounts.services import EVENTS as STATUS_EVENTS
from accounts.sources.issues import SLOW_ANSWERS
from accounts.tenancy.brand import LEADLINE, Look, look_of
from accounts.tenancy.localtime import format_local_time, get_zone
from accounts.tenancy.team import ROLES, invitation_url
from leads.enums import EndReason, LeadStatus
from leads.labels import END_REASONS, STATUSES
from leads.pipeline.at_risk import MAX_COUNT as MAX_AT_RISK
from leads.pipeline.at_risk import LeadAtRisk
from notifications.content.catalogue import CATALOGUE
from notifications.content.facts import Fact, facts_of
from notifications.content.palette import palette
from notifications.content.payload_schemas import DIGEST
from notifications.content.subject_pages import absolute, delivery_page, subject_page
from notifications.message import Alert, PreparedDelivery
from notifications.models import FAILURES_TIMEOUT, Channel, ChannelKind

MAX_SUBJECT_LENGTH = 150
MAX_DETAIL_LENGTH = 500
MAX_QUOTE_LENGTH, MAX_QUOTED_LINES = 700, 12  # of a reply
#: Suspected cause of an incident --> its description; below, --> the remedy.
CAUSES = {
    IncidentCause.PROXY: _("the proxy that the accounts go through"),
    IncidentCause.PROVIDER: _("the provider, which lost its connections to LinkedIn"),
    IncidentCause.PASSWORD: _("passwords that LinkedIn no longer accepts"),
    IncidentCause.UNKNOWN: _("not known yet"),
}
CAUSE_STEPS = {
    IncidentCause.PROXY: _("Ask the provider to check or change the accounts' proxy."),
    IncidentCause.PROVIDER: _("Look at the provider's status page; the accounts' owners were asked to reconnect them."),
    IncidentCause.PASSWORD: _("Ask whether passwords were changed; the accounts' owners were asked to sign in again."),
    IncidentCause.UNKNOWN: _("Look at the accounts; their owners were asked to reconnect them where that helps."),
}
PAUSED_BY = {
    PausedBy.SYSTEM: _("by Leadline"),
    PausedBy.USER: _("by a person"),
    PausedBy.API: _("through the API"),
    PausedBy.PROVIDER: _("by the provider"),
}
#: Events reported later than this also say when they happened.
LATE_AFTER = timedelta(hours=1)
_STATUSES = {event_type: status for status, event_type in STATUS_EVENTS.items()}
#: Of these the message itself is what there is to see: an erased lead has no page.
_WITHOUT_PAGE = frozenset({EventType.LEAD_ERASED, EventType.TEST})


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
    language: str = "en"


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
        language=get_language() or "en",
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
    if event.channel_id and event.event_type != EventType.TEST:
        text = gettext("Test: %(subject)s") % {"subject": text}
    elif event.is_test:
        text = gettext("Test lead: %(subject)s") % {"subject": text}
    return safe_line(text, MAX_SUBJECT_LENGTH)


def _context(prepared: PreparedDelivery) -> dict[str, Any]:
    event, subject_channel = prepared.event, prepared.subject_channel
    body: Mapping[str, Any] = event.payload
    alert = prepared.alert or Alert(cause=str(body.get("cause", "")), closed=body.get("count") == 0)
    zone = time_zone_of(prepared)
    kind = CATALOGUE[EventType(event.event_type)]
    action_label, action_url = _action(prepared)
    return {
        "title": kind.title,
        "agency": safe_line(prepared.agency.name) or gettext("your agency"),
        "brand": look_for(prepared),
        "account": _first_value(body, "linkedin_account_name", "linkedin_account_email")
        or gettext("A LinkedIn account"),
        "lead": _first_value(body, "lead_name") or gettext("A lead"),
        "campaign": _first_value(body, "campaign_name"),
        **{name: body.get(name, 0) for name in DIGEST},
        "assignee": _first_value(body, "assigned_to_name") or gettext("somebody of your team"),
        "location": _first_value(body, "ghl_location_id"),
        "installer": _first_value(body, "installer_name", "installer_email"),
        "detail": safe_line(
            in_readers_language(event.detail_sentence, str(body.get("error_detail", ""))), MAX_DETAIL_LENGTH
        ),
        "limit": safe_line(" ".join(str(body[name]) for name in ("limit_type", "api_name") if name in body)),
        "resets_at": _format_time(body.get("resets_at"), zone),
        "has_assignee": bool(body.get("assigned_to_name")),
        "task": _first_value(body, "task_title") or gettext("no title"),
        "outcome": _first_value(body, "outcome"),
        "may_be_sent": body.get("message_state") == "unknown",
        "due_at": _format_time(body.get("due_at"), zone),
        "expires_at": _format_time(body.get("expires_at"), zone),
        "details_pending": body.get("details_pending") is True,
        "is_test": body.get("is_test") is True,
        "status": _label(body.get("status")) or safe_line(str(body.get("status_label", ""))),
        "previous": _label(body.get("previous_status")),
        "paused_by": PAUSED_BY.get(PausedBy(by)) if (by := str(body.get("paused_by"))) in set(PausedBy) else "",
        "pause_reason": safe_line(
            pause_reason(str(body.get("pause_reason", "")), str(body.get("paused_by", ""))), MAX_DETAIL_LENGTH
        ),
        "channel": _first_value(body, "channel_name") or _describe(subject_channel) or gettext("One of your channels"),
        "sequence": _first_value(body, "sequence_name"),
        "reason": END_REASONS[EndReason(ended)].text
        if (ended := str(body.get("end_reason"))) in set(EndReason)
        else "",
        "rule_name": _first_value(body, "rule_name"),
        "source": _first_value(body, "source_name") or gettext("One of your sources"),
        "tool": safe_line(provider_name(str(body.get("provider", "")))) or gettext("the provider"),
        "failing_since": format_local_time(subject_channel.failing_since, zone)
        if subject_channel and subject_channel.failing_since
        else "",
        "off_at": format_local_time(subject_channel.failing_since + FAILURES_TIMEOUT, zone)
        if subject_channel and subject_channel.failing_since
        else "",
        "off_reason": safe_line(subject_channel.why_disabled, MAX_DETAIL_LENGTH) if subject_channel else "",
        "happened_at": format_local_time(event.occurred_at, zone),
        "late": is_late(event),
        "facts": facts_of(body),
        "reply": quote(prepared.replies.get(event.pk, "")),
        "next_step": next_step(event, prepared.owner_mail),
        "why": REASONS.get(prepared.owner_mail.status, "") if prepared.owner_mail else "",
        "reminder": prepared.owner_mail is not None and prepared.owner_mail.reminder,
        "way": prepared.owner_mail.way.value if prepared.owner_mail else "",
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
        return gettext("Reconnect the account"), prepared.owner_mail.url
    if event.event_type == EventType.CHANNEL_VERIFICATION and subject_channel is not None:
        return gettext("Confirm this address"), absolute(f"/verify/{subject_channel.verification_token}")
    if event.event_type == EventType.STAFF_ALERT and prepared.alert is not None:
        return "Open it in the back office", prepared.alert.url
    if event.event_type == EventType.MEMBER_INVITED:
        return gettext("Accept the invitation"), invitation_url(event.subject)
    if event.event_type in (EventType.LEAD_ASSIGNED_TO_YOU, EventType.MEMBER_DIGEST) and not event.subject:
        return gettext("Open your leads"), absolute(f"{reverse('portal_leads')}?assigned_to=me")
    label, url = subject_page("" if event.event_type in _WITHOUT_PAGE else event.subject)
    return (label, url) if url else delivery_page(prepared.delivery.pk)


def quote(text: str) -> str:
    """Return the beginning of a reply, in which no mail program finds a link."""
    lines = [safe_line(line, MAX_QUOTE_LENGTH) for line in text.splitlines()[:MAX_QUOTED_LINES]]
    return shorten("\n".join(lines).strip(), MAX_QUOTE_LENGTH)


def next_step(event: Event, owner_mail: OwnerMail | None) -> str:
    """Return the sentence for the suggested action after a change of an account's status."""
    if owner_mail is not None:
        return str(SENTENCES[owner_mail.suggested_action])
    if event.event_type == EventType.LINKEDIN_RATE_LIMIT:
        return str(SENTENCES[SuggestedAction.WAIT])
    status = _STATUSES.get(EventType(event.event_type))
    return advice_sentence(Account(status=status, provider=event.payload.get("provider", ""))) if status else ""


def unsubscribe_url(channel: Channel | None) -> str:
    if channel is None or channel.kind != ChannelKind.EMAIL:
        return ""
    return f"{settings.PUBLIC_URL}/unsubscribe/{channel.unsubscribe_token}"


def _describe_lead_at_risk(lead: LeadAtRisk) -> str:
    """Return a line such as `Ada Lovelace: Replied, waits for 3 hours (Ben Smith)`."""
    return gettext("%(lead)s: %(status)s, waiting for %(duration)s (%(owner)s)") % {
        "lead": safe_line(lead.name),
        "status": _label(lead.status),
        "duration": duration(timezone.now() - lead.since),
        "owner": safe_line(lead.owner) or gettext("unassigned"),
    }


def _first_value(body: Mapping[str, Any], *names: str) -> str:
    return next((text for name in names if (text := safe_line(str(body.get(name, ""))))), "")


def _describe(channel: Channel | None) -> str:
    return (
        ""
        if channel is None
        else safe_line(
            channel.name
            or channel.email
            or gettext("A channel of kind %(kind)s") % {"kind": channel.get_kind_display()}
        )
    )


def _label(status: Any) -> str:
    return STATUSES[LeadStatus(status)].text if status in set(LeadStatus) else ""


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
