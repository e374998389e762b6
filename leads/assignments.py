"""Check the assignee, campaign and account of leads within one agency."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.core.enums import Role
from accounts.core.errors import FieldError
from accounts.models import Agency, Member

NO_ACTIVE_MEMBER = "This person is not an active member of the lead's agency."


def possible_assignees(agency: Agency) -> "QuerySet[Member]":
    """Return the members whom leads of the agency may be assigned to: those who can sign in."""
    return agency.members.filter(user__is_active=True).select_related("user").order_by("user__first_name", "pk")


def is_possible_assignee(agency: Agency, user: User) -> bool:
    return possible_assignees(agency).filter(user=user).exists()


def is_available(member: Member, now: datetime) -> bool:
    """Return whether a member works on leads now: active, not read-only, and not paused."""
    is_paused = member.paused_until is not None and member.paused_until > now
    return member.user.is_active and member.role != Role.READ_ONLY and not is_paused


def refuse_other_agencies(agency: Agency, fields: dict[str, Any]) -> None:
    """Raise FieldError if the assignee is no active member of the agency, or the campaign or account is another's."""
    for name in ("campaign", "account"):
        value = fields.get(name)
        if value is not None and value.agency_id != agency.pk:
            raise FieldError(name, gettext("This %(name)s belongs to another agency.") % {"name": name})
    assignee = fields.get("assigned_to")
    if assignee is not None and not is_possible_assignee(agency, assignee):
        raise FieldError("assigned_to", NO_ACTIVE_MEMBER)
