"""Serve the back office: Django's admin with its own dashboard and the product's sign-in."""

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
    "SourceIssue": "Source issues",
    "Reaction": "What follows events",
}


class BackOffice(admin.AdminSite):
    site_header = site_title = "Leadline back office"
    index_title = "Today"
    index_template = "admin/dashboard.html"

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register only Leadline's own pages, because those of libraries show what ours hide, such as second
        factors."""
        from accounts.web.backoffice.base import BackOfficeAdmin  # it registers itself here on import

        if admin_class is not None and issubclass(admin_class, BackOfficeAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return the menu in the order in which an event passes through the apps."""
        groups = {group["app_label"]: group for group in super().get_app_list(request, app_label)}
        for group in groups.values():
            for model in group["models"]:
                model["name"] = NAMES.get(model["object_name"], model["name"])
        return [groups[label] for label in GROUPS if label in groups]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Redirect to the product's sign-in page. A signed-in user who is no staff gets a 403."""
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
        """Leave out Django's "view on site": nothing links to it, and its pattern blocks the process on a long path."""
        from notifications.staff.preferences import my_alerts

        usual = [entry for entry in super().get_urls() if getattr(entry, "name", "") != "view_on_site"]
        return [path("my-alerts/", self.admin_view(my_alerts), name="my_alerts"), *usual]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from config.backoffice.dashboard import dashboard

        return super().index(request, {**dashboard(request.user), **(extra_context or {})})
