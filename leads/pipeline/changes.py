"""Apply what people and API clients change about leads. Providers' reports: `leads.pipeline.reports`."""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext

from accounts.core.enums import EventType
from accounts.core.errors import StateError
from accounts.core.linkedin_identity import linkedin_key
from accounts.core.text import plain, plain_fields
from accounts.events.ordering import Origin
from accounts.models import Agency
from leads.assignments import refuse_other_agencies
from leads.enums import ChangedBy, LeadStatus, furthest
from leads.models import CurrentStatus, Lead
from leads.pipeline.assigning import record_assignment
from leads.pipeline.assignment_mails import AssignmentMails
from leads.pipeline.details import request_detail_reactions
from leads.pipeline.history import (
    StatusReport,
    add_history_row,
    record_event,
    record_status_change,
    save_reference_status,
)
from leads.pipeline.merge import lock_root
from leads.pipeline.phones import e164
from leads.pipeline.provenance import mark_as_typed

HIGH_PRIORITY = "high"  # recorded as `lead_high_priority`
#: Fields that are no detail of the person.
NO_DETAILS = {"assigned_to", "priority", "provenance"}
#: Fields of free text, from which control characters are removed.
TEXT_FIELDS = ("name", "first_name", "last_name", "title", "company", "location", "tags")


@transaction.atomic(savepoint=False)
def create_lead(agency: Agency, *, status: LeadStatus = LeadStatus.PENDING, **fields: Any) -> Lead:
    """Create a lead for a person or an API client.

    Raises FieldError, and `django.db.IntegrityError` if a lead has this LinkedIn profile already.
    """
    refuse_other_agencies(agency, fields)
    fields = plain_fields(fields, *TEXT_FIELDS)
    now = timezone.now()
    url = fields.pop("linkedin_url", "")
    lead = Lead(
        agency=agency,
        status=status,
        status_since=now,
        received_at=now,
        linkedin_url=url,
        linkedin_key=linkedin_key(url),
        **fields,
    )
    lead.phone_e164 = e164(lead.phone)
    mark_as_typed(lead, ("linkedin_url", *fields))
    lead.save(force_insert=True)
    origin = Origin(by=ChangedBy.API, at=now)
    add_history_row(lead, None, "", status, origin, ChangedBy.API, stated=True, applied=True)
    record_event(lead, EventType.LEAD_CREATED, origin=origin)
    if status is not LeadStatus.PENDING:
        record_status_change(lead, None, status, None, origin, ChangedBy.API)
    if lead.priority == HIGH_PRIORITY:
        record_event(lead, EventType.LEAD_HIGH_PRIORITY, origin=origin)
    if lead.assigned_to is not None:
        record_assignment(lead, origin, is_new=True)
    return lead


@transaction.atomic(savepoint=False)
def update_lead(
    lead: Lead,
    *,
    changed_by: ChangedBy = ChangedBy.API,
    by: User | None = None,
    mails: AssignmentMails | None = None,
    **changes: Any,
) -> Lead:
    """Change contact fields, campaign, account, assignee, tags or priority. `by` is the person who does.

    With `mails` the caller sends what a new assignee is mailed.

    Raises FieldError, and `django.db.IntegrityError` if the new LinkedIn URL is another lead's.
    """
    lead = _lock_lead(lead)
    refuse_other_agencies(lead.agency, changes)
    changes = plain_fields(changes, *TEXT_FIELDS)
    before, previous_assignee_id = lead.priority, lead.assigned_to_id
    for name, value in changes.items():
        setattr(lead, name, value)
    if "linkedin_url" in changes:
        lead.linkedin_key = linkedin_key(lead.linkedin_url)
        changes["linkedin_key"] = lead.linkedin_key
    mark_as_typed(lead, changes)
    changes["provenance"] = lead.provenance
    if "phone" in changes:
        lead.phone_e164 = e164(lead.phone, country=lead.country)
        changes["phone_e164"] = lead.phone_e164
    lead.save(update_fields=[*changes, "updated_at"])
    if changes.keys() - NO_DETAILS:
        request_detail_reactions(lead)
    origin = Origin(by=changed_by, at=timezone.now())
    if lead.priority == HIGH_PRIORITY != before:
        record_event(lead, EventType.LEAD_HIGH_PRIORITY, origin=origin)
    if lead.assigned_to_id != previous_assignee_id:
        record_assignment(lead, origin, by=by, mails=mails)
    return lead


@transaction.atomic(savepoint=False)
def set_status(
    lead: Lead, *, status: LeadStatus, changed_by: ChangedBy, note: str = "", by: User | None = None
) -> Lead:
    """Set a lead's status on behalf of a person, `by`, or an API client (the Update Lead Status API)."""
    lead = _lock_lead(lead)
    before, note = LeadStatus(lead.status), plain(note, lines=True)
    # Later than every earlier change, even one that a provider's fast clock dated ahead.
    latest = lead.references.aggregate(at=Max("reported_at"))["at"]
    at = max(filter(None, [timezone.now(), lead.status_since, latest]))
    origin = Origin(by=changed_by, at=at)
    reference = lead.references.filter(campaign=lead.campaign).order_by("-status_since", "-id").first()
    add_history_row(
        *(lead, reference, before, status, origin, changed_by),
        stated=True,
        applied=True,
        note=note,
        user_id=by.pk if by else None,
    )
    if status is before:
        return lead
    if reference:
        save_reference_status(reference, CurrentStatus(status, at), StatusReport(at, 0, status, stated=True))
    lead.status, lead.status_since, lead.status_sequence = status, at, 0
    lead.furthest_status = furthest((lead.furthest_status, status))
    lead.save(update_fields=["status", "status_since", "status_sequence", "updated_at"])
    record_status_change(lead, reference, status, before, origin, changed_by)
    return lead


@transaction.atomic
def move_lead(lead: Lead, *, status: LeadStatus, expected: LeadStatus, by: User) -> Lead:
    """Set a lead's status on behalf of a person who saw it with the `expected` one.

    Raises StateError if somebody else gave the lead another status meanwhile.
    """
    lead = _lock_lead(lead)
    if lead.status not in (expected, status):
        raise StateError(
            "status", gettext("%(lead)s was not moved: the status is another one by now.") % {"lead": lead}
        )
    return set_status(lead, status=status, changed_by=ChangedBy.USER, by=by)


def _lock_lead(lead: Lead) -> Lead:
    """Lock and return the root record of a lead. Raises Lead.DoesNotExist if the lead was erased."""
    found = lock_root(lead.pk)
    if found is None:
        raise Lead.DoesNotExist
    return found
