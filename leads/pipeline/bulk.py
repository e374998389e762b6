"""Change many leads of an agency as a person asks, a bounded number at a time."""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.assignments import NO_ACTIVE_MEMBER, is_possible_assignee
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.assignment_mails import AssignmentMails
from leads.pipeline.changes import set_status, update_lead


@transaction.atomic
def assign_leads(agency: Agency, lead_ids: Collection[str], *, assignee: User | None, by: User) -> int:
    """Assign leads to a member's user, or to nobody. Return how many had another assignee before.

    Raises FieldError if the user is no active member of the agency.
    """
    if assignee is not None and not is_possible_assignee(agency, assignee):
        raise FieldError("assigned_to", NO_ACTIVE_MEMBER)
    leads = _leads(agency, lead_ids, assigned_to=assignee)
    mails = AssignmentMails(Origin(by=ChangedBy.USER, at=timezone.now()))
    for lead in leads:
        update_lead(lead, changed_by=ChangedBy.USER, by=by, mails=mails, assigned_to=assignee)
    mails.send()
    return len(leads)


@transaction.atomic
def set_statuses(agency: Agency, lead_ids: Collection[str], *, status: LeadStatus, by: User) -> int:
    """Give leads of an agency one status. Return the number of leads that had another status."""
    leads = _leads(agency, lead_ids, status=status)
    for lead in leads:
        set_status(lead, status=status, changed_by=ChangedBy.USER, by=by)
    return len(leads)


def _leads(agency: Agency, lead_ids: Collection[str], **already: object) -> list[Lead]:
    """Return those of the leads to change, in the order in which every bulk change locks them."""
    return list(agency.leads.filter(pk__in=lead_ids).exclude(**already).order_by("pk"))
