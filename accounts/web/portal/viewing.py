"""Let staff see the portal as an agency does: without changing anything, for an hour, and noted in its audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.core.enums import Role
from accounts.models import Agency, Member
from accounts.tenancy.audit import record_audit

VIEWED_AGENCY = "viewed_agency"
LIFETIME = timedelta(hours=1)
#: The right of staff to view the portal as an agency.
PERMISSION = "accounts.view_portal"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

Respond = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True, slots=True)
class Viewing:
    """Which agency a member of staff sees the portal as, and until when."""

    agency: Agency
    until: datetime


def begin_viewing(request: HttpRequest, agency: Agency) -> None:
    """Show this person the portal as the agency sees it, until the session or the hour ends."""
    user = cast(User, request.user)
    if not _may_view(user):
        raise PermissionDenied
    request.session[VIEWED_AGENCY] = {"agency": agency.pk, "until": (timezone.now() + LIFETIME).timestamp()}
    record_audit(agency, by=user, action=gettext_noop("Portal viewed by Leadline's staff"), obj=agency)


def end_viewing(request: HttpRequest) -> Agency | None:
    """Show the portal as usual again. Return the agency that was viewed, if one was."""
    viewing, user = viewing_of(request), cast(User, request.user)
    request.session.pop(VIEWED_AGENCY, None)
    request.__dict__.pop("_viewing", None)
    if viewing is None:
        return None
    action = gettext_noop("Portal view by Leadline's staff ended")
    record_audit(viewing.agency, by=user, action=action, obj=viewing.agency)
    return viewing.agency


def viewing_of(request: HttpRequest) -> Viewing | None:
    """Return what this person views the portal as, None for everybody but staff who pressed the button."""
    if "_viewing" not in request.__dict__:
        request.__dict__["_viewing"] = _load(request)
    return cast(Viewing | None, request.__dict__["_viewing"])


def viewing_member(request: HttpRequest) -> Member | None:
    """Return a member who is not stored and may read only, in whose place staff view the portal."""
    viewing = viewing_of(request)
    return Member(agency=viewing.agency, user=cast(User, request.user), role=Role.READ_ONLY) if viewing else None


def refuse_changes(get_response: Respond) -> Respond:
    """Refuse whatever changes something while staff view the portal as an agency. The back office and signing out
    stay open. Middleware."""

    def middleware(request: HttpRequest) -> HttpResponse:
        changes = request.method not in SAFE_METHODS and settings.SESSION_COOKIE_NAME in request.COOKIES
        if changes and not request.path_info.startswith(_open_paths()) and viewing_of(request) is not None:
            raise PermissionDenied(_("You are viewing the portal as an agency: nothing can be changed."))
        return get_response(request)

    return middleware


def _open_paths() -> tuple[str, ...]:
    return (reverse("admin:index"), reverse("account_logout"))


def _may_view(user: User) -> bool:
    return user.is_staff and user.has_perm(PERMISSION)


def _load(request: HttpRequest) -> Viewing | None:
    stored = request.session.get(VIEWED_AGENCY) if hasattr(request, "session") else None
    if not stored or not request.user.is_authenticated:
        return None
    until = datetime.fromtimestamp(stored["until"], UTC)
    if until <= timezone.now() or not _may_view(request.user):
        return None
    agency = Agency.objects.filter(pk=stored["agency"]).first()
    return Viewing(agency, until) if agency else None
