"""Merge two leads because a person or an API client says that they are one person."""

from django.db import transaction

from accounts.core.errors import FieldError
from accounts.models import Agency
from accounts.tenancy.audit import Actor
from leads.models import Lead
from leads.pipeline.merge import merge_leads, root_ids


@transaction.atomic
def merge_by_hand(agency: Agency, one: str, other: str, *, by: Actor | None = None) -> Lead:
    """Merge two leads of an agency, named by their ids or by ids of merged records. Return the lead that is shown.

    Leads that are one lead already stay as they are. Raises FieldError if the other is no lead of the agency.
    """
    ids = root_ids([one, other])
    rows = Lead.all_records.select_for_update().filter(agency=agency, pk__in=set(ids.values())).order_by("pk")
    leads = list(rows)
    if any(lead.merged_into_id for lead in leads):  # merged by somebody else meanwhile, and locked now
        return merge_by_hand(agency, one, other, by=by)
    if {lead.pk for lead in leads} != set(ids.values()):
        raise FieldError("other", "There is no such lead.")
    return merge_leads(*leads, by=by) if len(leads) == 2 else leads[0]
