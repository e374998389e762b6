"""Arrange the pages of the back office in the groups of its menu."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.db.models.options import Options

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


def arrange(site: AdminSite, apps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return Django's list of apps as the groups of the menu; a group without pages is left out."""
    placed: dict[str, list[tuple[int, str, dict[str, Any]]]] = {title: [] for title in GROUPS}
    for app in apps:
        for entry in app["models"]:
            page: Any = site._registry[entry["model"]]
            title = title_of(page)
            placed[group_of(page)].append((page.menu_position, title, {**entry, "name": title}))
    return [
        {
            "name": title,
            "app_label": title,
            "app_url": "",
            "models": [row[2] for row in sorted(rows, key=lambda r: r[:2])],
        }
        for title, rows in placed.items()
        if rows
    ]
