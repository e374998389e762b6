"""Show the people of agencies: members and invitations."""

from functools import partial
from typing import ClassVar

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from accounts.core.enums import Role
from accounts.core.markup import ago, badge
from accounts.models import Agency, Member
from accounts.models.agency import Invitation
from accounts.tenancy.member_search import members_matching
from accounts.tenancy.team import add_member, change_role, invite_member, remove_member
from accounts.web.backoffice.base import BackOfficeAdmin, acting_user
from accounts.web.backoffice.filters import ByAgency
from accounts.web.backoffice.forms import ServiceForm


class NewMemberForm(ServiceForm):
    taken = "This person is a member already."

    class Meta:
        model = Member
        fields = ("agency", "user", "role")

    def apply(self) -> Member:
        data = self.cleaned_data
        return add_member(data["agency"], user=data["user"], role=Role(data["role"]), by=self.by)


class MemberForm(ServiceForm):
    class Meta:
        model = Member
        fields = ("role",)

    def apply(self) -> Member:
        return change_role(Member.objects.get(pk=self.instance.pk), Role(self.cleaned_data["role"]), by=self.by)


@admin.register(Member)
class MemberAdmin(BackOfficeAdmin):
    menu_group = "Agencies"
    menu_position = 20
    audited = True
    list_display = ("user", "agency", "role", "since")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "user")
    autocomplete_fields = ("agency",)
    raw_id_fields = ("user",)
    fieldsets = ((None, {"fields": ("agency", "user", "role", "since")}),)
    form = MemberForm
    editable = ("role",)
    add_form = NewMemberForm
    add_fieldsets = ((None, {"fields": ("agency", "user", "role")}),)
    search_help_text = "part of a name, e-mail address or id."
    actions = ("remove",)
    buttons = ("remove",)
    confirm: ClassVar[dict[str, str]] = {
        "remove": "This person loses access to the agency, and their leads there become unassigned."
    }

    def search_condition(self, word: str, agency_id: str) -> Q:
        return members_matching(agency_id, word)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_member")

    @admin.action(description="Remove from the agency", permissions=["remove"])
    def remove(self, request: HttpRequest, members: "QuerySet[Member]") -> HttpResponse | None:
        chosen = list(members.select_related("agency", "user"))
        self.apply_to_each(request, chosen, partial(remove_member, by=acting_user(request)), "Removed")
        return HttpResponseRedirect(reverse("admin:accounts_member_changelist")) if len(chosen) == 1 else None

    @admin.display(description="member since")
    def since(self, member: Member) -> str:
        return ago(member.created_at)


class NewInvitationForm(ServiceForm):
    class Meta:
        model = Invitation
        fields = ("agency", "email", "role")

    def apply(self) -> Invitation:
        data = self.cleaned_data
        return invite_member(data["agency"], email=data["email"], role=Role(data["role"]), invited_by=self.by)


@admin.register(Invitation)
class InvitationAdmin(BackOfficeAdmin):
    """Invitations. Staff invite the first owner of an agency, who invites the others."""

    menu_group = "Agencies"
    menu_position = 30
    audited = True
    list_display = ("email", "agency", "role", "state", "sent")
    list_filter = (ByAgency,)
    list_select_related = ("agency", "invited_by")
    autocomplete_fields = ("agency",)
    fieldsets = ((None, {"fields": ("email", "agency", "role", "state", "invited_by", "sent", "ends", "accepted")}),)
    add_form = NewInvitationForm
    add_fieldsets = (
        (
            None,
            {
                "fields": ("agency", "email", "role"),
                "description": "They get a link by e-mail and choose a password there. An agency needs an owner first.",
            },
        ),
    )
    search_help_text = "part of an e-mail address, or of the agency's name."
    text_search = ("email",)
    search_through: ClassVar[dict[str, type[Model]]] = {"agency": Agency}

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        if invitation.accepted_at:
            return badge("Accepted", "good")
        return badge("Pending", "busy") if invitation.is_open else badge("Expired", "warn")

    @admin.display(description="sent")
    def sent(self, invitation: Invitation) -> str:
        return ago(invitation.sent_at)

    @admin.display(description="expires")
    def ends(self, invitation: Invitation) -> str:
        return ago(invitation.expires_at)

    @admin.display(description="accepted")
    def accepted(self, invitation: Invitation) -> str:
        return ago(invitation.accepted_at)
