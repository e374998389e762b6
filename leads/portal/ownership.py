"""Say on a lead's page why its owner has it, and why nobody else of the pool does."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Agency, Member
from leads.models import Assignment, Lead, WaitingLead
from leads.portal.assignees import name_of
from leads.routing.explanations import why_assigned, why_passed_over


@dataclass(frozen=True, slots=True)
class Ownership:
    """Why a lead has its owner, or waits for one; and why each other member of the pool did not get it."""

    why: str
    others: list[tuple[str, str]]


def ownership_of(lead: Lead, agency: Agency) -> Ownership | None:
    """Return why a lead has its owner, or None where nothing was recorded."""
    waiting = WaitingLead.objects.filter(lead=lead).select_related("pool").first()
    if waiting is not None and lead.assigned_to_id is None:
        if waiting.pool is None:
            return Ownership(_("No rule and no pool found an owner."), [])
        return Ownership(_("Waits in the pool “%(pool)s” until somebody can take it.") % {"pool": waiting.pool}, [])
    rows = Assignment.objects.filter(lead=lead, ended_at__isnull=True).select_related("pool", "by")
    row = rows.order_by("-pk").first()
    if row is None or row.user_id != lead.assigned_to_id or lead.assigned_to_id is None:
        return None
    names = _names_of(agency, [str(passed["member"]) for passed in row.passed_over])
    others = [
        (names.get(passed["member"], _("a former member")), why_passed_over(passed)) for passed in row.passed_over
    ]
    return Ownership(why_assigned(row, by=name_of(row.by) if row.by else ""), others)


def _names_of(agency: Agency, ids: list[str]) -> dict[str, str]:
    members = Member.objects.filter(agency=agency, pk__in=ids).select_related("user") if ids else []
    return {member.pk: name_of(member.user) for member in members}
