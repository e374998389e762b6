"""A lead's status in the back office."""

from django.utils.safestring import SafeString

from accounts.core.markup import Tone, badge
from leads.enums import LeadStatus

TONES: dict[str, Tone] = {
    LeadStatus.REPLY_RECEIVED: "good",
    LeadStatus.OPPORTUNITY: "good",
    LeadStatus.MEETING_BOOKED: "good",
    LeadStatus.NOT_INTERESTED: "bad",
    LeadStatus.DONE: "quiet",
    LeadStatus.PENDING: "quiet",
}


def lead_badge(status: str) -> SafeString:
    known = status in LeadStatus.__members__
    return badge(LeadStatus(status).label if known else status, TONES.get(status, "busy"))
