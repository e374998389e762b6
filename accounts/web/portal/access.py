"""Restrict pages to members of an agency by their role. A page sees one agency, the one that the member chose."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import add_never_cache_headers

from accounts.core.enums import Role
from accounts.models import Agency, Member
from accounts.tenancy.localtime import reading_for
from accounts.web.portal.unsent_forms import answer_signed_out

CHOSEN = "portal_agency"
NO_MEMBER = "You are signed in, but belong to no agency. Ask its owner for an invitation."
TOO_LITTLE = "Your role in this agency does not allow this. Ask one of its owners."

_Rest = ParamSpec("_Rest")


class MemberRequest(HttpRequest):
    """A request of a member. Every query of a page starts at `agency`."""

    member: Member
    agency: Agency


View = Callable[Concatenate[MemberRequest, _Rest], HttpResponseBase]
Wrapped = Callable[Concatenate[HttpRequest, _Rest], HttpResponseBase]


def readers(view: View[_Rest]) -> Wrapped[_Rest]:
    """Let every member open the page."""
    return _for(frozenset(Role), view)


def writers(view: View[_Rest]) -> Wrapped[_Rest]:
    """Let members who may change data open the page."""
    return _for(frozenset({Role.OWNER, Role.MANAGER}), view)


def owners(view: View[_Rest]) -> Wrapped[_Rest]:
    """Let owners open the page, who alone manage people and keys."""
    return _for(frozenset({Role.OWNER}), view)


def current_member(request: HttpRequest) -> Member | None:
    """Return the signed-in user's member of the agency they last chose, else of their first one."""
    if not request.user.is_authenticated:
        return None
    members = Member.objects.filter(user=request.user).select_related("agency", "user").order_by("id")
    chosen = str(request.session.get(CHOSEN, ""))
    return members.filter(agency_id=chosen).first() or members.first()


def _for(roles: frozenset[Role], view: View[_Rest]) -> Wrapped[_Rest]:
    """Wrap a view for these roles. A signed-out user gets `answer_signed_out`, any other user without the role a
    403."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: _Rest.args, **kwargs: _Rest.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return answer_signed_out(request)
        member = current_member(request)
        if member is None:
            raise PermissionDenied(NO_MEMBER)
        if member.role not in roles:
            raise PermissionDenied(TOO_LITTLE)
        ours = cast(MemberRequest, request)
        ours.member, ours.agency = member, member.agency
        with reading_for(member.agency):
            response = view(ours, *args, **kwargs)
        add_never_cache_headers(cast(HttpResponse, response))
        return response

    return cast(Wrapped[_Rest], guarded)
