"""Which leads of an agency await its reply."""

from accounts.models import Agency
from leads.models import LeadQuerySet


def awaiting_reply(agency: Agency) -> LeadQuerySet:
    """Return the leads that answered, and are no test."""
    return agency.leads.awaiting_reply()
