"""Which leads of an agency await its reply."""

from accounts.models import Agency
from leads.enums import LeadStatus
from leads.models import LeadQuerySet

AWAITING_REPLY = (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY)


def awaiting_reply(agency: Agency) -> LeadQuerySet:
    """Return the leads that answered, and are no test."""
    return agency.leads.without_tests().filter(status__in=AWAITING_REPLY)
