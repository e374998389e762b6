"""What stands around every page: the menu, the agency, the person and their theme, for templates as `frame`."""

from dataclasses import dataclass, field
from typing import Any

import structlog
from django.contrib.auth.models import User
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import Role
from accounts.models import Agency, Member
from accounts.models.preference import Theme
from accounts.tenancy.preferences import theme_of
from accounts.web.portal.access import current_member
from accounts.web.portal.navigation import MenuGroup, menu_for
from accounts.web.portal.viewing import Viewing, viewing_of

ROLES = {Role.OWNER: _("Owner"), Role.MANAGER: _("Manager"), Role.READ_ONLY: _("Read-only member")}
log = structlog.get_logger("leadline.portal")


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of a page for one person. Without a member the page has the slim head alone."""

    person: User | None = None
    member: Member | None = None
    agencies: list[Agency] = field(default_factory=list)
    groups: list[MenuGroup] = field(default_factory=list)
    theme: Theme = Theme.SYSTEM
    viewing: Viewing | None = None

    @property
    def template(self) -> str:
        """The template that pages extend which members and others open alike."""
        return "portal/base.html" if self.member else "base.html"

    @property
    def role(self) -> str:
        return str(ROLES[Role(self.member.role)]) if self.member else ""


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give templates `frame`. Nothing is asked of the database until a template reads it."""
    return {"frame": SimpleLazyObject(lambda: _build(request)), "themes": Theme}


def _build(request: HttpRequest) -> Frame:
    """Return the frame for the person who is signed in. An error page must not fail because the menu does."""
    try:
        user = getattr(request, "user", None)  # none: the request was refused before it was asked who sends it
        if user is None or not user.is_authenticated:
            return Frame()
        member = getattr(request, "member", None) or current_member(request)
        person = member.user if member else user
        if member is None:
            return Frame(person=person, theme=theme_of(person))
        viewing = viewing_of(request)
        others = Member.objects.filter(user=person).select_related("agency").order_by("agency__name", "id")
        return Frame(
            person=person,
            member=member,
            agencies=[member.agency] if viewing else [one.agency for one in others],
            groups=menu_for(member.agency, member.role),
            theme=theme_of(person),
            viewing=viewing,
        )
    except DatabaseError:
        log.warning("frame_not_built", exc_info=True)
        return Frame()
