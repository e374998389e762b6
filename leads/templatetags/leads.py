"""`{% load leads %}`: a lead's status as a badge, and who changed it, in words."""

from django import template
from django.utils.safestring import SafeString

from accounts.display import Tone, badge
from leads.vocabulary import ChangedBy, LeadStatus

register = template.Library()

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


@register.filter
def changer(changed_by: str) -> str:
    return CHANGERS[ChangedBy(changed_by)]
