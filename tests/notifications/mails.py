"""Events whose mails are looked at."""

from typing import Any

from django.core.mail import EmailMultiAlternatives

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from notifications.content.catalogue import CATALOGUE
from notifications.models import Channel

FREE_TEXT = (
    "linkedin_account_name",
    "lead_name",
    "campaign_name",
    "error_detail",
    "pause_reason",
    "linkedin_url",
    "provider",
)


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "Ann\r\nBcc: victim@example.org",
    "\u202eevil\u202c\u200b\u2066name\ufeff",
    "{{ settings.SECRET_KEY }}{% debug %}",
    "javascript:alert(1)",
    "Visit https://evil.example.org/login now",
    "\x00\x07\ud800 bell",
    "x" * 10_000,
    "=cmd|' /C calc'!A0",
)


def html_of(message: EmailMultiAlternatives) -> str:
    [(content, kind)] = message.alternatives
    assert kind == "text/html"
    return str(content)


def happened(agency: Agency, event_type: EventType, **fields: Any) -> Event:
    example = {
        name: value
        for name, value in CATALOGUE[event_type].example.items()
        if name not in {"event_type", "event_id", "ghl_company_id", "timestamp", "ghl_location_id"}
    }
    return record_event(agency, event_type, location_id="tdIePnL9kWCtdO7z6Md5", **{**example, **fields})


def only_for(channel: Channel, event_type: EventType) -> dict[str, str]:
    """Of an erasure hears who got the lead; here nobody did."""
    return {"for_channel": channel.pk} if event_type is EventType.LEAD_ERASED else {}
