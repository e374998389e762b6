"""What apps add to pages that are not theirs: it is there, and where it leads there is something."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts.core.enums import Role
from accounts.models import Agency
from accounts.web.backoffice import cross_links
from accounts.web.portal.navigation import GROUPS, Entry, menu_for
from accounts.web.portal.navigation import _entries as entries


def admin_of(view: str) -> admin.ModelAdmin:  # type: ignore[type-arg]
    return admin.site.get_model_admin(apps.get_model(*view.split("_", 1)))


def test_a_role_sees_its_entries_of_the_menu_in_their_order(agency: Agency) -> None:
    everybody = {
        "Work": ["Overview", "Inbox", "Leads", "Unrouted", "Duplicates", "Tasks", "Campaigns", "Imports"],
        "Health": ["Accounts", "Incidents", "Sources", "Received"],
        "Outgoing": ["Notifications", "Delivery log"],
        "Insight": ["Reports"],
        "Automation": [
            "Routing",
            "Pools",
            "Scoring",
            "Target lists",
            "Targets",
            "Sequences",
            "Templates",
            "E-mails to leads",
        ],
    }
    seen = {
        role: {group.title: [link.entry.title for link in group.links] for group in menu_for(agency, role)}
        for role in Role
    }
    assert seen == {
        Role.OWNER: {
            **everybody,
            "Settings": ["Agency", "Sub-accounts", "Team", "Working hours", "API keys", "Brand", "Audit log"],
        },
        Role.MANAGER: {**everybody, "Settings": ["Agency", "Sub-accounts", "Working hours", "Brand", "Audit log"]},
        Role.READ_ONLY: {**everybody, "Settings": ["Sub-accounts"]},
    }


def test_every_entry_of_the_menu_leads_to_a_page_and_has_a_place_of_its_own() -> None:
    assert all(isinstance(entry, Entry) and reverse(entry.view).startswith("/") for entry in entries.values())
    assert {entry.group for entry in entries.values()} <= set(GROUPS)
    assert len({(entry.group, entry.position) for entry in entries.values()}) == len(entries)


def test_a_link_to_a_list_sets_only_filters_that_the_list_offers() -> None:
    links = [(model, link) for model, found in cross_links._lists.items() for link in found]
    assert len(links) > 20
    for model, link in links:
        filters: Any = admin_of(link.view).list_filter
        offered = {choice.parameter_name for choice in filters}
        assert set(link.filters) <= offered, (model, link)
        columns = {field.attname for field in apps.get_model(model)._meta.fields} | {"pk"}
        assert set(link.filters.values()) <= columns, (model, link)


def test_the_subject_of_an_event_has_a_page_whichever_app_it_belongs_to() -> None:
    for prefix, view in cross_links._pages.items():
        assert admin_of(view).model().pk.startswith(f"{prefix}_"), view
