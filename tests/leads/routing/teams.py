"""Members and pools for tests of routing."""

from typing import Any

from django.contrib.auth.models import User

from accounts.core.enums import Role
from accounts.models import Agency, Member
from leads.models import Assignment, Lead, Pool, PoolMember
from tests.reactions import react


def make_member(agency: Agency, name: str, **fields: Any) -> Member:
    user = User.objects.create_user(f"{name}-{agency.pk}", first_name=name.title())
    return Member.objects.create(agency=agency, user=user, **{"role": Role.MANAGER, **fields})


def make_pool(agency: Agency, *members: Member, name: str = "Sales", **fields: Any) -> Pool:
    pool = Pool.objects.create(agency=agency, name=name, **fields)
    for member in members:
        PoolMember.objects.create(pool=pool, member=member)
    return pool


def place_of(pool: Pool, member: Member) -> PoolMember:
    return PoolMember.objects.get(pool=pool, member=member)


def owner_of(lead: Lead) -> str:
    """Return the first name of who has the lead, or ""."""
    lead.refresh_from_db()
    return lead.assigned_to.first_name if lead.assigned_to else ""


def routed(*leads: Lead) -> list[str]:
    """Carry out what follows the leads' creation. Return who has each."""
    react()
    return [owner_of(lead) for lead in leads]


def why(lead: Lead) -> dict[str, str]:
    """Return why each of the others did not get the lead, by first name."""
    row = Assignment.objects.filter(lead=lead).latest("pk")
    names = dict(Member.objects.values_list("pk", "user__first_name"))
    return {names[passed["member"]]: passed["why"] for passed in row.passed_over}
