"""Provide `{% load notifications %}`: names of events and channels, headers, and code that verifies webhooks."""

from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from accounts.core import markup
from accounts.core.enums import EventType
from notifications import labels
from notifications.content.verification_code import Snippet, verification_snippets
from notifications.models import Channel, Delivery
from notifications.portal.sending_forms import TestForm

register = template.Library()
POPULAR_EXAMPLES = (
    EventType.TEST,
    EventType.LEAD_REPLIED,
    EventType.LEAD_OPPORTUNITY,
    EventType.LINKEDIN_DISCONNECTED,
)
register.filter("event_title", labels.title_of)
register.filter("about", labels.subject_name)
register.filter("sentence", labels.describe_kind)


@register.filter
def event_name(delivery: Delivery) -> str:
    """Return what happened, of a test also which example it sent."""
    event = delivery.event
    title = labels.title_of(event.event_type)
    example = str(event.payload.get("event_type", event.event_type))
    if example == event.event_type:
        return title
    return _("Test: %(event)s") % {"event": labels.title_of(example)}


@register.filter
def delivery_badge(delivery: Delivery) -> SafeString:
    return labels.delivery_label(delivery).badge()


@register.filter
def receiver(delivery: Delivery) -> str:
    return str(delivery.channel) if delivery.channel else delivery.recipient


@register.filter
def channel_url(channel: Channel) -> str:
    return reverse("portal_channel", args=[channel.pk])


@register.simple_tag
def headers(title: str, kept: list[list[str]]) -> SafeString:
    """Render the headers of a request or of a response, one a line."""
    lines = "\n".join(markup.visible(f"{name}: {value}") for name, value in kept)
    return format_html('<p class="group-title">{}</p><pre class="json" tabindex="0">{}</pre>', title, lines)


@register.simple_tag
def verification_code() -> tuple[Snippet, ...]:
    """Return the code that checks a webhook's signature, in each language."""
    return verification_snippets()


@register.simple_tag
def popular_examples() -> list[tuple[str, str]]:
    """Return the examples that a test sends most, by the names of their events."""
    return [(name, labels.title_of(name)) for name in POPULAR_EXAMPLES]


@register.simple_tag
def test_form() -> Any:
    """Return the form that chooses what a test sends."""
    return TestForm()
