"""Every page of the back office in a browser: nothing is cut off at any width, and none fails an accessibility rule."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import models
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.models import Account, Agency
from tests.browser.conftest import Visit
from tests.browser.test_frame import OPEN_DETAILS, assert_none, faults_by_day_and_by_night, faults_of
from tests.factories import make_everything

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

TEXT = "Ann-Katrin Wolkenstein ann.wolkenstein@northwind-outreach.example.com"
#: What lies outside of the window, or inside of a box that shows only a part of it.
CUT = """width => {
  const hidden = ".visually-hidden, .skip-to-content-link, .selector";
  const shown = element => element.checkVisibility() && !element.closest(hidden);
  const text = element => element.textContent.trim().replace(/\\s+/g, " ").slice(0, 30);
  const name = element => `${element.tagName}.${element.className} ${text(element)}`;
  const cut = [...document.querySelectorAll("#container *")].filter(shown).filter(element => {
    if (["INPUT", "SELECT", "OPTION", "TEXTAREA"].includes(element.tagName)) return false;
    const holds = getComputedStyle(element).overflowX !== "visible" && element.clientWidth > 1;
    return holds && element.scrollWidth > element.clientWidth + 1 || element.getBoundingClientRect().right > width + 1;
  });
  if (document.documentElement.scrollWidth > width) cut.unshift(document.documentElement);
  return cut.slice(0, 3).map(name);
}"""


@pytest.fixture
def everything(agency: Agency, staff: User) -> Mapping[type[models.Model], Any]:
    """Made before there is a browser: both want the thread's event loop."""
    return make_everything(agency, staff, text=TEXT)


@pytest.fixture
def page(everything: Mapping[type[models.Model], Any], staff: User, visit: Visit, live_server: LiveServer) -> Page:
    client = Client()
    client.force_login(staff)
    cookie = client.cookies["sessionid"]
    visit.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    return visit.page


def paths_of(everything: Mapping[type[models.Model], Any]) -> list[str]:
    """The list and the page of one object of every model, the pages that add one, and those of no model."""
    found = ["/admin/", "/admin/my-alerts/", "/admin/search/?q=ann", "/admin/search/"]
    for model, row in everything.items():
        if not admin.site.is_registered(model):
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
        if getattr(admin.site.get_model_admin(model), "add_form", None):
            found.append(reverse(f"{name}_add"))
    account = everything[Account]
    found.append(reverse("admin:accounts_account_history", args=[account.pk]))
    found.append(f"{reverse('admin:leads_lead_changelist')}?agency={account.agency_id}&q=ann")
    return found


def test_nothing_is_cut_off_on_a_phone_a_laptop_and_a_desk(
    visit: Visit, page: Page, everything: Mapping[type[models.Model], Any], live_server: LiveServer
) -> None:
    faults = []
    for path in paths_of(everything):
        page.goto(f"{live_server.url}{path}")
        for width in (1440, 1280) if visit.width > 600 else (390,):
            page.set_viewport_size({"width": width, "height": 900})
            faults += [f"{path} at {width}: {cut}" for cut in page.evaluate(CUT, width)]
    assert_none(faults)


def test_every_page_is_accessible_by_day_and_by_night(
    visit: Visit, page: Page, everything: Mapping[type[models.Model], Any], live_server: LiveServer
) -> None:
    faults = []
    for path in paths_of(everything):
        page.goto(f"{live_server.url}{path}")
        page.evaluate(OPEN_DETAILS)
        faults += faults_by_day_and_by_night(page, preload=False)
    assert_none(faults)


def test_the_menu_is_a_drawer_on_a_phone_and_marks_the_page(visit: Visit, page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/admin/accounts/apikey/")
    menu = page.locator("#office-menu")
    expect(menu).to_be_visible(visible=visit.width > 600)
    if visit.width < 600:
        page.get_by_role("button", name="Menu", exact=True).click()
        assert_none(faults_of(page, "#office-menu"))
        visit.look("office-menu")
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        page.get_by_role("button", name="Menu", exact=True).click()
    expect(menu.locator("[aria-current=page]")).to_have_text("API keys")
    menu.get_by_role("link", name="Possible duplicates").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Possible duplicates")


def test_a_slash_and_a_part_of_a_name_find_everything(visit: Visit, page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/admin/webhooks/receipt/")
    page.keyboard.press("/")
    expect(page.locator("#office-search")).to_be_focused()
    page.keyboard.type("wolkenst")
    page.keyboard.press("Enter")
    for heading in ("Leads", "Accounts", "Sub-accounts", "Campaigns", "Sources", "Channels"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    visit.look("office-search")
