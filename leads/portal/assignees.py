"""Whom a member may assign leads to, in the order in which the pages offer them."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from accounts.models import Agency, Member
from leads.assignments import possible_assignees

NOBODY = "none"
SHOWN = 4  # beside the menu of all


@dataclass(frozen=True, slots=True)
class Assignees:
    """All whom leads can be assigned to, the member first, and those who are offered without opening the menu."""

    all: list[tuple[str, str]]

    @property
    def first(self) -> list[tuple[str, str]]:
        return self.all[:SHOWN]


def assignees_for(member: Member) -> Assignees:
    """Return the active members of the agency by id and name."""
    others = [(one.pk, name_of(one.user)) for one in possible_assignees(member.agency) if one.pk != member.pk]
    return Assignees([(member.pk, name_of(member.user)), *others])


def find_assignee(agency: Agency, value: str) -> User | None:
    """Return the user of the member that a form names; None for nobody. Raises Member.DoesNotExist."""
    if value == NOBODY:
        return None
    return possible_assignees(agency).get(pk=value).user


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()
