"""`{% load leads %}`: a lead's status as a badge, and who changed it, in words."""

from django import template
from django.utils.safestring import SafeString

from accounts.core.markup import Tone, badge
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.languages import language_name
from leads.pipeline.provenance import Origin as From

register = template.Library()
register.filter("language_name", language_name)

TONES: dict[LeadStatus, Tone] = {
    LeadStatus.PENDING: "quiet",
    LeadStatus.CONNECTION_SENT: "busy",
    LeadStatus.CONNECTION_ACCEPTED: "busy",
    LeadStatus.MESSAGE_SENT: "busy",
    LeadStatus.REPLY_RECEIVED: "good",
    LeadStatus.OPPORTUNITY: "good",
    LeadStatus.MEETING_BOOKED: "good",
    LeadStatus.NOT_INTERESTED: "quiet",
    LeadStatus.DONE: "quiet",
}
CHANGERS = {
    ChangedBy.API: "a program",
    ChangedBy.AUTOMATION: "an automation",
    ChangedBy.USER: "a person",
    ChangedBy.PROVIDER: "its tool",
}


@register.filter
def lead_badge(status: str) -> SafeString:
    known = LeadStatus(status)
    return badge(known.label, TONES[known])


ORIGINS = {
    From.FORM: "from the form",
    From.PROVIDER: "from the tool",
    From.SCRAPE: "from the profile",
    From.ENRICHMENT: "worked out from the rest",
    From.PERSON: "entered by hand",
}


@register.filter
def came_from(lead: Lead, field: str) -> str:
    """Where a contact field's value came from, in words; empty where that is not known."""
    origin = lead.provenance.get(field)
    return ORIGINS[From(origin)] if origin in set(From) else ""


@register.filter
def answered(value: object) -> str:
    """An answer as text: several choices in one line."""
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "–")


@register.filter
def changer(changed_by: str) -> str:
    return CHANGERS[ChangedBy(changed_by)]
