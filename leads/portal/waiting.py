"""Which leads of an agency await its reply."""

from accounts.models import Agency
from leads.models import LeadQuerySet


def to_be_answered(agency: Agency) -> LeadQuerySet:
    """Return the leads that somebody has to answer now: those whose clock is due soon or overdue."""
    return agency.leads.with_clock("urgent")


def awaiting_reply(agency: Agency) -> LeadQuerySet:
    """Return the leads that answered, and are no test."""
    return agency.leads.awaiting_reply()
