"""Check and maintain the assignee, campaign and account of leads within one agency."""

from typing import Any

from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.models import Agency, Member
from accounts.tenancy.team import on_member_removal
from leads.models import Lead


def refuse_other_agencies(agency: Agency, fields: dict[str, Any]) -> None:
    """Raise FieldError if the assignee is no member of the agency, or the campaign or account is another's."""
    for name in ("campaign", "account"):
        value = fields.get(name)
        if value is not None and value.agency_id != agency.pk:
            raise FieldError(name, f"This {name} belongs to another agency.")
    assignee = fields.get("assigned_to")
    if assignee is not None and not agency.members.filter(user=assignee).exists():
        raise FieldError("assigned_to", "This person is not a member of the lead's agency.")


@on_member_removal
def unassign_leads(member: Member) -> None:
    """Unassign a removed member's leads, so that no page shows and no alert reaches somebody who left."""
    assigned = Lead.all_records.filter(agency=member.agency_id, assigned_to=member.user_id)
    assigned.update(assigned_to=None, updated_at=timezone.now())
