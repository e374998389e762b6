"""Restrict pages to members of an agency by their role. A page sees one agency, the one that the member chose."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext_lazy as _

from accounts.core.enums import Role
from accounts.models import Agency, Member
from accounts.tenancy.languages import locale_of
from accounts.tenancy.localtime import override_for_agency
from accounts.web.portal.unsent_forms import answer_signed_out
from accounts.web.portal.viewing import viewing_member

CHOSEN_AGENCY = "portal_agency"
NO_MEMBER = _("You are signed in, but belong to no agency. Ask its owner for an invitation.")
ROLE_NOT_ALLOWED = _("Your role in this agency does not allow this. Ask one of its owners.")

_Arguments = ParamSpec("_Arguments")


class MemberRequest(HttpRequest):
    """A request of a member. Every query of a page starts at `agency`."""

    member: Member
    agency: Agency


View = Callable[Concatenate[MemberRequest, _Arguments], HttpResponseBase]
Wrapped = Callable[Concatenate[HttpRequest, _Arguments], HttpResponseBase]


def readers(view: View[_Arguments]) -> Wrapped[_Arguments]:
    """Let every member open the page."""
    return _require_roles(frozenset(Role), view)


def writers(view: View[_Arguments]) -> Wrapped[_Arguments]:
    """Let members who may change data open the page."""
    return _require_roles(frozenset({Role.OWNER, Role.MANAGER}), view)


def owners(view: View[_Arguments]) -> Wrapped[_Arguments]:
    """Let owners open the page, who alone manage people and keys."""
    return _require_roles(frozenset({Role.OWNER}), view)


def current_member(request: HttpRequest) -> Member | None:
    """Return the signed-in user's member of the agency they last chose, else of their first one."""
    if not request.user.is_authenticated:
        return None
    if viewer := viewing_member(request):
        return viewer
    members = Member.objects.filter(user=request.user).select_related("agency", "user__preference").order_by("id")
    chosen = str(request.session.get(CHOSEN_AGENCY, ""))
    known: Member | None = getattr(request, "_current_member", None)  # several parts of one request ask
    if known is None or known.user_id != request.user.pk or (chosen and chosen != known.agency_id):
        known = members.filter(agency_id=chosen).first() or members.first()
        request._current_member = known  # type: ignore[attr-defined]
    return known


def _require_roles(roles: frozenset[Role], view: View[_Arguments]) -> Wrapped[_Arguments]:
    """Wrap a view for these roles. A signed-out user gets `answer_signed_out`, any other user without the role a
    403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: _Arguments.args, **kwargs: _Arguments.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return answer_signed_out(request)
        member = current_member(request)
        if member is None:
            raise PermissionDenied(NO_MEMBER)
        if member.role not in roles:
            raise PermissionDenied(ROLE_NOT_ALLOWED)
        member_request = cast(MemberRequest, request)
        member_request.member, member_request.agency = member, member.agency
        with override_for_agency(member.agency, locale_of(member.agency, member.user)):
            response = view(member_request, *args, **kwargs)
        add_never_cache_headers(cast(HttpResponse, response))
        return response

    return cast(Wrapped[_Arguments], guarded)
