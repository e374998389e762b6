"""Show the team and its invitations, and the page on which an invited person joins."""

from typing import cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.core.email_addresses import display_email
from accounts.core.enums import Role
from accounts.models import Invitation, Member
from accounts.tenancy import team
from accounts.tenancy.members import update_member
from accounts.web.portal.access import CHOSEN_AGENCY, MemberRequest, owners
from accounts.web.portal.availability import AvailabilityForm
from accounts.web.portal.forms import InvitationForm, NewPersonForm, RoleForm
from accounts.web.portal.views import add_error_messages, redirect_back, render_page
from accounts.web.refusals import refusals_as_messages, refusals_on


@require_http_methods(["GET", "HEAD", "POST"])
@owners
def team_page(request: MemberRequest) -> HttpResponse:
    """Show members and invitations. A POST invites a person."""
    form = InvitationForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            invitation = team.invite_member(
                request.agency,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                invited_by=request.member.user,
            )
            address = display_email(invitation.email)
            messages.success(request, gettext("Invitation sent to %(email)s.") % {"email": address})
            return redirect_back(request, "portal_team")
    members = request.agency.members.select_related("user").order_by("id")
    return render_page(
        request,
        "portal/team.html",
        "team",
        status=422 if form.errors else 200,
        form=form,
        people=[(member, RoleForm(initial={"role": member.role}, auto_id=f"{member.pk}_%s")) for member in members],
        availability=[(member, AvailabilityForm(None, agency=request.agency, member=member)) for member in members],
        now=timezone.now(),
        invitations=request.agency.invitations.filter(accepted_at__isnull=True).order_by("-id"),
    )


@require_POST
@owners
def member_role(request: MemberRequest, pk: str) -> HttpResponse:
    member = get_object_or_404(request.agency.members, pk=pk)
    form = RoleForm(request.POST)
    if form.is_valid():
        with refusals_as_messages(request):
            team.change_role(member, Role(form.cleaned_data["role"]), by=request.member.user)
            messages.success(request, gettext("Role of %(user)s changed.") % {"user": member.user})
    add_error_messages(request, form)
    return redirect_back(request, "home" if member == request.member else "portal_team")


@require_POST
@owners
def member_availability(request: MemberRequest, pk: str) -> HttpResponse:
    """Pause a member until the end of a day, and choose their working hours."""
    member = get_object_or_404(request.agency.members.select_related("user"), pk=pk)
    form = AvailabilityForm(request.POST, agency=request.agency, member=member)
    if form.is_valid():
        with refusals_as_messages(request):
            update_member(member, by=request.member.user, **form.values())
            messages.success(request, gettext("Availability of %(user)s saved.") % {"user": member.user})
    add_error_messages(request, form)
    return redirect_back(request, "portal_team")


@require_POST
@owners
def member_remove(request: MemberRequest, pk: str) -> HttpResponse:
    member = get_object_or_404(request.agency.members.select_related("user"), pk=pk)
    with refusals_as_messages(request):
        team.remove_member(member, by=request.member.user)
        messages.success(request, gettext("%(user)s was removed.") % {"user": member.user})
    return redirect_back(request, "home" if member == request.member else "portal_team")


@require_POST
@owners
def invitation_withdraw(request: MemberRequest, pk: str) -> HttpResponse:
    invitation = get_object_or_404(request.agency.invitations.filter(accepted_at__isnull=True), pk=pk)
    team.withdraw_invitation(invitation, by=request.member.user)
    messages.success(request, gettext("Invitation to %(email)s revoked.") % {"email": display_email(invitation.email)})
    return redirect_back(request, "portal_team")


@sensitive_post_parameters("password", "again")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_page(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation. Only its button accepts it. Answers 404 for a link that Leadline never made."""
    try:
        invitation = team.find_invitation(token)
        known = team.invited_user(invitation)
        if known is not None or request.user.is_authenticated:
            return _for_known_person(request, token, invitation)
        return _for_new_person(request, token, invitation)
    except Invitation.DoesNotExist:
        raise Http404("There is no such invitation.") from None
    except team.InvitationGone as gone:
        return render(request, "portal/invitation_gone.html", {"reason": str(gone)}, status=410)


def _for_known_person(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    user = request.user
    here = user.is_authenticated and team.is_invited_user(invitation, user)
    if request.method != "POST":
        return render(request, "portal/invitation.html", {"invitation": invitation, "here": here, "known": True})
    if not here:
        return redirect("invitation", token)
    with refusals_as_messages(request):
        return _welcome(request, team.accept_invitation(token, user=cast(User, user)))
    return redirect("invitation", token)


def _for_new_person(request: HttpRequest, token: str, invitation: Invitation) -> HttpResponse:
    form = NewPersonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in ("password", "first_name", "last_name")}
        with refusals_on(form):
            member = team.accept_invitation_as_new_user(token, **given)
            login(request, member.user)
            return _welcome(request, member)
    # Always answer 200: Django logs the paths of other responses, and this path accepts the invitation.
    return render(request, "portal/invitation.html", {"invitation": invitation, "form": form, "known": False})


def _welcome(request: HttpRequest, member: Member) -> HttpResponse:
    request.session[CHOSEN_AGENCY] = member.agency_id
    messages.success(request, gettext("Welcome to %(agency)s.") % {"agency": member.agency})
    return redirect("home")
