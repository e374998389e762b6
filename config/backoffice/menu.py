"""Arrange the pages of the back office in the groups of its menu."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models.options import Options
from django.http import HttpRequest
from django.urls import reverse

#: In the order of the menu.
GROUPS = ("Agencies", "Accounts", "Campaigns and leads", "Inbound", "Outbound", "System")
#: App --> the group of its pages that name none.
APP_GROUPS: Mapping[str, str] = {
    "accounts": "Accounts",
    "leads": "Campaigns and leads",
    "webhooks": "Inbound",
    "notifications": "Outbound",
    "auth": "System",
}


def group_of(page: "ModelAdmin[Any]") -> str:
    """Return the title of the group that lists a page."""
    return getattr(page, "menu_group", "") or APP_GROUPS[page.opts.app_label]


def title_of(page: "ModelAdmin[Any]") -> str:
    """Return what the rows of a page are called in the menu, above their list and in the way up."""
    plural = str(page.opts.verbose_name_plural)
    return getattr(page, "menu_title", "") or plural[:1].upper() + plural[1:]


def page_of(site: AdminSite, opts: "Options[Any]") -> "ModelAdmin[Any] | None":
    return site._registry.get(opts.model)


def arrange(site: AdminSite, request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups of the menu with the pages that this person may view; a group without pages is left out."""
    placed: dict[str, list[tuple[int, str, str]]] = {title: [] for title in GROUPS}
    pages: Iterable[Any] = site._registry.values()
    for page in pages:
        if page.in_menu and page.has_view_or_change_permission(request):
            url = reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist")
            placed[group_of(page)].append((page.menu_position, title_of(page), url))
    return [
        {"name": group, "models": [{"name": title, "admin_url": url} for _, title, url in sorted(rows)]}
        for group, rows in placed.items()
        if rows
    ]
