"""Map the statuses and origins of leads to labels and tones, for back office and portal."""

from typing import TYPE_CHECKING

from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from accounts.core.labels import Label
from accounts.core.markup import badge
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.provenance import ValueOrigin

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATUSES: dict[LeadStatus, Label] = {
    LeadStatus.PENDING: Label(_("New"), "quiet"),
    LeadStatus.CONNECTION_SENT: Label(_("Invitation sent"), "busy"),
    LeadStatus.CONNECTION_ACCEPTED: Label(_("Connected"), "busy"),
    LeadStatus.MESSAGE_SENT: Label(_("Message sent"), "busy"),
    LeadStatus.REPLY_RECEIVED: Label(_("Replied"), "good"),
    LeadStatus.OPPORTUNITY: Label(_("Opportunity"), "good"),
    LeadStatus.MEETING_BOOKED: Label(_("Meeting booked"), "good"),
    LeadStatus.NOT_INTERESTED: Label(_("Not interested"), "quiet"),
    LeadStatus.DONE: Label(_("Done"), "quiet"),
}
CHANGED_BY_LABELS: "dict[ChangedBy, _StrPromise]" = {
    ChangedBy.API: _("the API"),
    ChangedBy.AUTOMATION: _("an automation"),
    ChangedBy.USER: _("a team member"),
    ChangedBy.PROVIDER: _("the provider"),
}
#: Labels for the origin of a contact field's value.
ORIGIN_LABELS: "dict[ValueOrigin, _StrPromise]" = {
    ValueOrigin.FORM: _("from the form"),
    ValueOrigin.PROVIDER: _("from the provider"),
    ValueOrigin.SCRAPE: _("from the profile"),
    ValueOrigin.ENRICHMENT: _("derived from other fields"),
    ValueOrigin.PERSON: _("set via API"),
}


def status_badge(status: str) -> SafeString:
    return STATUSES[LeadStatus(status)].badge() if status in set(LeadStatus) else badge(status, "busy")
