"""The staff's back office: Django's admin with a dashboard of its own and the product's sign-in."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path

GROUPS = ("accounts", "leads", "webhooks", "notifications", "auth")
NAMES = {
    "ApiKey": "API keys",
    "SubAccount": "Sub-accounts",
    "ReauthPrompt": "Prompts to reconnect",
    "ProviderRequest": "Registered requests",
    "AccountLink": "Perhaps the same person",
    "SourceIssue": "Troubles of sources",
    "Reaction": "What follows events",
}


class BackOffice(admin.AdminSite):
    site_header = site_title = "Leadline back office"
    index_title = "Today"
    index_template = "admin/dashboard.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Only our own pages: those that libraries bring show what ours hide, second factors among it."""
        from accounts.web.backoffice.base import BackOfficeAdmin  # which registers itself here while it is imported

        if admin_class is not None and issubclass(admin_class, BackOfficeAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """The menu in the order of an event's way."""
        groups = {group["app_label"]: group for group in super().get_app_list(request, app_label)}
        for group in groups.values():
            for model in group["models"]:
                model["name"] = NAMES.get(model["object_name"], model["name"])
        return [groups[label] for label in GROUPS if label in groups]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The product's own sign-in page; who is signed in and no staff gets a 403."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied("This part is for Leadline's staff.")
        return redirect_to_login(request.GET.get("next") or request.get_full_path())

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        logout(request)
        return redirect("home")

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("account_change_password")

    def get_urls(self) -> list[Any]:
        """Without Django's "view on site": nothing links to it, and its pattern holds the process on a long path."""
        from notifications.staff.preferences import my_alerts

        usual = [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]
        return [path("my-alerts/", self.admin_view(my_alerts), name="my_alerts"), *usual]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from config.backoffice.dashboard import dashboard

        return super().index(request, {**dashboard(request.user), **(extra_context or {})})
