"""Show users and groups, and let superusers reset a lost second factor."""

from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.core.email_addresses import email_key
from accounts.core.markup import ago, badge
from accounts.models import Preference
from accounts.tenancy.members import activation_changed
from accounts.tenancy.second_factor import forget_second_factor
from accounts.tenancy.verified_email import set_unverified_email
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex, acting_user


@admin.register(Preference)
class PreferenceAdmin(HiddenFromIndex, BackOfficeAdmin):
    """How a person wants the pages to look."""

    list_display = ("user", "theme", "language")
    list_select_related = ("user",)
    fieldsets = ((None, {"fields": ("user", "theme", "language")}),)
    search_help_text = "an id."


@admin.register(User)
class PersonAdmin(BackOfficeAdmin, UserAdmin):  # type: ignore[type-arg]
    menu_position = 10
    list_display = ("username", "email", "kind", "second_factor", "seen")
    list_filter = ()
    search_help_text = "part of a name, user name or e-mail address."
    text_search = ("username", "email", "first_name", "last_name")
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("last_login", "date_joined", "second_factor", "email_state")
    fieldsets = (
        (None, {"fields": ("username", "password", "second_factor")}),
        ("Person", {"fields": ("first_name", "last_name", "email", "email_state")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    actions = ("forget_second_factor",)
    buttons = ("forget_second_factor",)
    confirm: ClassVar[dict[str, str]] = {
        "forget_second_factor": "Make sure by another way that the request is from this person: "
        "whoever has the password may then set up two-factor authentication anew."
    }

    def has_add_permission(self, request: HttpRequest) -> bool:
        return UserAdmin.has_add_permission(self, request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return UserAdmin.has_change_permission(self, request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Let only superusers grant rights. Otherwise the right to edit people would be a right to everything."""
        fields = [*self.readonly_fields]
        if not request.user.is_superuser:
            fields += ["is_superuser", "is_staff", "groups", "user_permissions"]
            if obj is not None and obj.is_superuser:
                fields += ["username", "email", "is_active", "password"]
        return fields

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return UserAdmin.get_form(self, request, obj, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save the person. An address that staff typed identifies nobody until the person proves it."""
        UserAdmin.save_model(self, request, obj, form, change)
        if change and "is_active" in form.changed_data:
            activation_changed(obj)
        if change and "email" in form.changed_data:
            set_unverified_email(obj, email_key(obj.email))

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return UserAdmin.get_fieldsets(self, request, obj)

    add_fieldsets = UserAdmin.add_fieldsets  # type: ignore[misc]
    add_form = UserAdmin.add_form  # type: ignore[misc]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        own = Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=Authenticator.Type.RECOVERY_CODES)
        verified = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
        people: QuerySet[Any] = (
            super().get_queryset(request).annotate(has_second_factor=Exists(own), has_verified_email=Exists(verified))
        )
        return people

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 (Django's name)
        form_url: str = "",
    ) -> HttpResponse:
        if not request.user.is_superuser and User.objects.filter(pk=id, is_superuser=True).exists():
            self.message_user(request, "Only a superuser sets a superuser's password.", messages.ERROR)
            return redirect("admin:auth_user_change", id)
        return super().user_change_password(request, id, form_url)

    @admin.display(description="kind")
    def kind(self, user: User) -> str:
        if not user.is_active:
            return badge("Deactivated", "bad")
        return (
            badge("Superuser" if user.is_superuser else "Staff", "good") if user.is_staff else badge("Member", "quiet")
        )

    @admin.display(description="two-factor authentication")
    def second_factor(self, user: Any) -> str:
        return badge("On", "good") if user.has_second_factor else badge("Off", "warn" if user.is_staff else "quiet")

    @admin.display(description="e-mail address")
    def email_state(self, user: Any) -> str:
        if user.has_verified_email:
            return badge("Confirmed", "good")
        return badge("Unconfirmed: signs in by user name until it is confirmed", "warn")

    @admin.display(description="last sign-in")
    def seen(self, user: User) -> str:
        return ago(user.last_login) if user.last_login else "never"

    def is_button_applicable(self, button: str, obj: Any) -> bool:
        return bool(obj.has_second_factor)

    def has_forget_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    @admin.action(description="Reset two-factor authentication", permissions=["forget"])
    def forget_second_factor(self, request: HttpRequest, users: "QuerySet[User]") -> None:
        people = list(users)
        for user in people:
            forget_second_factor(user, by=acting_user(request))
        self.message_result(request, len(people), "Two-factor authentication reset")


@admin.register(Group)
class StaffGroupAdmin(BackOfficeAdmin, GroupAdmin):
    menu_position = 20
    menu_title = "Staff groups"
    list_display = ("name",)
    text_search = ("name",)
    search_help_text = "part of a name."

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        GroupAdmin.save_model(self, request, obj, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return []

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return GroupAdmin.get_fieldsets(self, request, obj)
