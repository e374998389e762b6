"""Map the statuses and origins of leads to labels and tones, for back office and portal."""

from django.utils.safestring import SafeString

from accounts.core.labels import Label
from accounts.core.markup import badge
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.provenance import ValueOrigin

STATUSES: dict[LeadStatus, Label] = {
    LeadStatus.PENDING: Label(LeadStatus.PENDING.label, "quiet"),
    LeadStatus.CONNECTION_SENT: Label(LeadStatus.CONNECTION_SENT.label, "busy"),
    LeadStatus.CONNECTION_ACCEPTED: Label(LeadStatus.CONNECTION_ACCEPTED.label, "busy"),
    LeadStatus.MESSAGE_SENT: Label(LeadStatus.MESSAGE_SENT.label, "busy"),
    LeadStatus.REPLY_RECEIVED: Label(LeadStatus.REPLY_RECEIVED.label, "good"),
    LeadStatus.OPPORTUNITY: Label(LeadStatus.OPPORTUNITY.label, "good"),
    LeadStatus.MEETING_BOOKED: Label(LeadStatus.MEETING_BOOKED.label, "good"),
    LeadStatus.NOT_INTERESTED: Label(LeadStatus.NOT_INTERESTED.label, "quiet"),
    LeadStatus.DONE: Label(LeadStatus.DONE.label, "quiet"),
}
CHANGED_BY_LABELS: dict[ChangedBy, str] = {
    ChangedBy.API: "the API",
    ChangedBy.AUTOMATION: "an automation",
    ChangedBy.USER: "a team member",
    ChangedBy.PROVIDER: "the provider",
}
#: Labels for the origin of a contact field's value.
ORIGIN_LABELS: dict[ValueOrigin, str] = {
    ValueOrigin.FORM: "from the form",
    ValueOrigin.PROVIDER: "from the provider",
    ValueOrigin.SCRAPE: "from the profile",
    ValueOrigin.ENRICHMENT: "derived from other fields",
    ValueOrigin.PERSON: "set via API",
}


def status_badge(status: str) -> SafeString:
    return STATUSES[LeadStatus(status)].badge() if status in set(LeadStatus) else badge(status, "busy")
