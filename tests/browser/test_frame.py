"""The frame of the portal at work: menu, search, keys, messages, themes. No page fails an accessibility rule."""

import re

import pytest
from axe_playwright_python.base import AXE_FILE_PATH as AXE
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.core.enums import Role
from accounts.models import Agency, Member
from accounts.tenancy.verified_email import mark_email_verified
from tests.browser.conftest import Visit
from tests.factories import Everything, furnish
from tests.portal.routes import ROUTES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
#: What a page asks for to replace a part of itself.
FRAGMENTS = {"portal_source_light", "portal_rule_preview_result", "portal_learning_result"}
PAGES = [route for route in ROUTES if route.is_page and route.name not in FRAGMENTS]
OF_EVERYBODY = {"password": "/accounts/password/change/", "second-factor": "/accounts/2fa/", "not-found": "/nowhere"}
SIGNED_OUT = {"sign-in": "/accounts/login/", "forgotten": "/accounts/password/reset/", "start": "/"}
#: Only the rules' names and the first elements come back: what passed is megabytes.
RUN_AXE = """async ([part, options]) => {
  const { violations } = await axe.run(part ?? document, options);
  return violations.map(one => [one.id, one.nodes.slice(0, 3).map(node => node.html)]);
}"""
OPEN_DETAILS = "document.querySelectorAll('main details').forEach(details => { details.open = true })"
#: WCAG 2.2 AA and what axe calls best practice.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def things(agency: Agency) -> Everything:
    """Made before there is a browser: both want the thread's event loop."""
    return furnish(agency, "Ann Lee")


@pytest.fixture
def page(things: Everything, visit: Visit, agency: Agency, live_server: LiveServer) -> Page:
    """The browser of an owner."""
    owner = User.objects.create_user("owner@example.com", "owner@example.com", "correct horse", first_name="Ada")
    mark_email_verified(owner, "owner@example.com")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    client = Client()
    client.force_login(owner)
    cookie = client.cookies["sessionid"]
    visit.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    return visit.page


def faults_of(page: Page, part: str | None = None, *, preload: bool = True, only: str = "") -> list[str]:
    """What axe finds wrong with the page, or with a part of it that lies over the rest. `only` names a single rule.

    For style sheets that import others `preload` makes styles of its own, which the policy refuses.
    """
    if page.evaluate("!window.axe"):
        page.evaluate(AXE.read_text())
    options = {**({"runOnly": [only]} if only else RULES), "resultTypes": ["violations"], "preload": preload}
    found = page.evaluate(RUN_AXE, [part, options])
    return [f"{page.url} {name}: {parts}" for name, parts in found]


def faults_by_day_and_by_night(page: Page, *, preload: bool = True) -> list[str]:
    """What axe finds in both themes. By night only colours are others; nothing fades from one theme to the other."""
    found = []
    for scheme, only in (("light", ""), ("dark", "color-contrast")):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {fault}" for fault in faults_of(page, preload=preload, only=only)]
    return found


def assert_none(faults: list[str]) -> None:
    """Fail with all of them, in full."""
    if faults:
        pytest.fail("\n".join(dict.fromkeys(faults)))


def open_menu(page: Page) -> None:
    if page.get_by_role("button", name="Menu", exact=True).is_visible():
        page.get_by_role("button", name="Menu", exact=True).click()


def test_every_page_is_accessible_by_day_and_by_night(
    visit: Visit, page: Page, things: Everything, live_server: LiveServer
) -> None:
    paths = {str(route).replace(" ", "-"): route.url(things) for route in PAGES} | OF_EVERYBODY
    faults = []
    for name, path in paths.items():
        page.goto(f"{live_server.url}{path}")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            visit.look(f"portal-{name}-{scheme}")
        page.evaluate(OPEN_DETAILS)
        faults += faults_by_day_and_by_night(page)
    visit.complaints[:] = [said for said in visit.complaints if "404" not in said]
    assert_none(faults)


def test_pages_of_who_is_signed_out_are_accessible(visit: Visit, live_server: LiveServer, db: None) -> None:
    faults = []
    for name, path in SIGNED_OUT.items():
        visit.page.goto(f"{live_server.url}{path}")
        faults += faults_by_day_and_by_night(visit.page)
        for scheme in ("light", "dark"):
            visit.page.emulate_media(color_scheme=scheme)
            visit.look(f"slim-{name}-{scheme}")
    assert_none(faults)


def test_the_menu_leads_everywhere_and_is_a_drawer_on_a_phone(
    visit: Visit, page: Page, live_server: LiveServer
) -> None:
    page.goto(live_server.url)
    menu = page.locator("#sidebar")
    expect(menu).to_be_visible(visible=visit.width > 600)
    open_menu(page)
    expect(menu).to_be_visible()
    visit.look("frame-menu")
    assert_none(faults_of(page))
    if visit.width < 600:
        page.keyboard.press("Escape")
        expect(menu).to_be_hidden()
        open_menu(page)
    menu.get_by_role("link", name="Delivery log").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delivery log")
    expect(page.locator("#sidebar [aria-current=page]")).to_have_text(re.compile("Delivery log"))


def test_keys_open_the_search_and_their_own_list(visit: Visit, page: Page, live_server: LiveServer) -> None:
    page.goto(live_server.url)
    search, keys = page.locator("#search"), page.locator("#keys")
    for key in ("/", "Control+k"):
        page.keyboard.press(key)
        expect(search.get_by_role("searchbox")).to_be_focused()
        page.keyboard.press("Escape")
        expect(search).to_be_hidden()
    page.keyboard.press("?")
    expect(keys.get_by_role("heading")).to_be_visible()
    assert_none(faults_of(page))
    visit.look("frame-keys")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.locator(".search-open").click()
    assert_none(faults_of(page))
    visit.look("frame-search")
    search.get_by_role("searchbox").fill("ann?/")
    expect(keys).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=ann"))


def test_j_and_k_walk_through_the_rows_of_a_list(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/linkedin")
    links = page.locator("main tbody .lead-cell a")
    page.keyboard.press("j")
    expect(links.first).to_be_focused()
    page.keyboard.press("j")
    expect(links.nth(min(1, links.count() - 1))).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page.locator(".crumbs")).to_have_text(re.compile("Accounts"))


def test_a_theme_is_chosen_in_the_menu_of_the_person(visit: Visit, page: Page, live_server: LiveServer) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(f"{live_server.url}/leads")
    page.locator(".person summary").click()
    assert_none(faults_of(page, ".person"))
    visit.look("frame-person")
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 27)"
    page.locator(".person summary").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Dark", exact=True)).to_be_hidden()
    expect(page.locator(".person summary")).to_be_focused()


def test_messages_are_toasts_that_can_be_closed(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/settings")
    page.get_by_role("button", name="Save").click()
    toast = page.locator("#messages .toast-success")
    expect(toast).to_contain_text("Saved.")
    page.get_by_role("button", name="Close this message").click()
    expect(toast).to_have_count(0)


def test_the_first_wrong_field_gets_the_focus(visit: Visit, page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server.url}/keys")
    page.locator("main form").first.evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Create API key").click()
    expect(page.locator("#id_name")).to_be_focused()
    assert page.title().startswith("Error: ")
    visit.complaints[:] = [said for said in visit.complaints if "422" not in said]  # the console notes every 4xx
