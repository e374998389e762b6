"""Say on a lead's page why its owner has it, and why nobody else of the pool does."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from leads.models import Assignment, Lead, WaitingLead
from leads.portal.assignees import name_of
from leads.routing.explanations import why_assigned, why_nobody_else


@dataclass(frozen=True, slots=True)
class Ownership:
    """Why a lead has its owner, or waits for one; and why each other member of the pool did not get it."""

    why: str
    others: list[tuple[str, str]]


def ownership_of(lead: Lead) -> Ownership | None:
    """Return why a lead has its owner, or None where nothing was recorded."""
    waiting = WaitingLead.objects.filter(lead=lead).select_related("pool").first()
    if waiting is not None and lead.assigned_to_id is None:
        if waiting.pool is None:
            return Ownership(_("No rule and no pool found an owner."), [])
        return Ownership(_("Waits in the pool “%(pool)s” until somebody can take it.") % {"pool": waiting.pool}, [])
    rows = Assignment.objects.current().filter(lead=lead)
    row = rows.select_related("pool", "by").order_by("-pk").first()
    if row is None or lead.assigned_to_id is None:
        return None
    return Ownership(why_assigned(row, by=name_of(row.by) if row.by else ""), why_nobody_else(row))
