"""Serve the back office: Django's admin with its own dashboard and the product's sign-in."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path

from accounts.web.portal.viewing import end_viewing
from config.backoffice.menu import arrange


class BackOffice(admin.AdminSite):
    site_header = site_title = "Leadline back office"
    index_title = "Overview"
    index_template = "admin/dashboard.html"
    enable_nav_sidebar = False  # the menu is ours

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Register only Leadline's own pages, because those of libraries show what ours hide, such as second
        factors."""
        from accounts.web.backoffice.base import BackOfficeAdmin  # it registers itself here on import

        if admin_class is not None and issubclass(admin_class, BackOfficeAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> Any:
        """Return the groups of the menu. Django's own list asks for four permissions of each model, and every page
        shows the menu."""
        return arrange(self, request)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """Redirect to the overview: the menu has groups in place of apps."""
        return redirect("admin:index")

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
        return [
            path("my-alerts/", self.admin_view(my_alerts), name="my_alerts"),
            path("viewing/end/", self.admin_view(self.end_viewing), name="end_viewing"),
            path("search/", self.admin_view(self.search), name="search"),
            *usual,
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from config.backoffice.attention import dropped_accounts
        from config.backoffice.dashboard import dashboard
        from config.backoffice.traffic import pictures

        drawn = {"dropped": dropped_accounts(request.user), "pictures": pictures(request.user)}
        return super().index(request, {**dashboard(request.user), **drawn, **(extra_context or {})})

    def end_viewing(self, request: HttpRequest) -> HttpResponse:
        """End the view of the portal as an agency, and go back to the agency's page."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        agency = end_viewing(request)
        return redirect("admin:accounts_agency_change", agency.pk) if agency else redirect("admin:index")

    def search(self, request: HttpRequest) -> HttpResponse:
        """Show what the word in the head of every page finds, of each kind that this person may view."""
        from config.backoffice.search import search

        word = request.GET.get("q", "").replace("\x00", "").strip()
        groups = search(self, request, word)
        context = {**self.each_context(request), "title": "Search", "word": word, "groups": groups}
        return TemplateResponse(request, "admin/search.html", context)
