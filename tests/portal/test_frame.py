"""What stands around every page: menu, theme, agencies, and what is said after an error."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from accounts.core.enums import Role
from accounts.models import Agency, Member, Preference
from accounts.web.portal.navigation import menu_for
from leads.models import Lead
from tests.factories import Everything
from tests.portal.browser import Browser
from tests.portal.routes import ROUTES, walk

pytestmark = pytest.mark.one_backend

PAGES = [route for route in ROUTES if route.is_page]
#: Every form of every channel stands in this page.
LARGE = {"portal_notifications"}
MAX_BYTES = 60 * 1024
OF_EVERYBODY = ("/accounts/password/change/", "/accounts/2fa/", "/api/v1/docs", "/accounts/email/", "/no-such-page")


def page_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def counts_in(page: str) -> dict[str, str]:
    links = re.findall(r'<li><a href="([^"]*)"(.*?)</li>', page[: page.index("<main")], re.DOTALL)
    found = {path: re.search(r'<span class="badge[^>]*>(\d+\+?)</span>', rest) for path, rest in links}
    return {path: count[1] if count else "" for path, count in found.items()}


def test_the_menu_has_what_a_role_may_open_and_counts_what_waits(ours: Everything, sign_in: Browser) -> None:
    Lead.objects.filter(pk=ours.lead.pk).update(status="REPLY_RECEIVED")
    ours.agency.accounts.update(status="disconnected")
    seen = counts_in(page_of(sign_in(Role.OWNER), "/"))
    menu = menu_for(ours.agency, Role.OWNER)
    assert list(seen) == [reverse(link.entry.view) for group in menu for link in group.links]
    assert (seen["/leads"], seen["/linkedin"], seen["/team"]) == ("1", str(ours.agency.accounts.count()), "")
    assert "/team" not in counts_in(page_of(sign_in(Role.MANAGER), "/"))
    assert "/settings" not in counts_in(page_of(sign_in(Role.READ_ONLY), "/"))


@pytest.mark.parametrize("path", OF_EVERYBODY)
def test_pages_of_everybody_have_the_menu_for_a_member_and_the_slim_head_for_others(
    path: str, agency: Agency, sign_in: Browser
) -> None:
    assert 'id="sidebar"' in page_of(sign_in(Role.OWNER), path)
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff", "staff@example.com", "correct horse"))
    assert 'id="sidebar"' not in page_of(staff, path)
    assert "Sign out" in page_of(staff, path)


def test_the_sign_in_page_and_the_documentation_open_for_nobody_in_particular(db: None) -> None:
    for path in ("/accounts/login/", "/api/v1/docs", "/accounts/password/reset/"):
        page = page_of(Client(), path)
        assert 'class="slim"' in page, path
        assert "Sign out" not in page, path


@pytest.mark.one_backend
def test_a_page_is_small(ours: Everything, sign_in: Browser) -> None:
    client, pages = sign_in(Role.OWNER), [route for route in PAGES if route.name not in LARGE]
    sizes = walk(pages, lambda route: len(client.get(route.url(ours)).content))
    assert {page: size for page, size in sizes.items() if size > MAX_BYTES} == {}


def test_a_person_keeps_the_theme_wherever_they_sign_in(agency: Agency, sign_in: Browser) -> None:
    client = sign_in(Role.READ_ONLY)
    assert '<html lang="en">' in page_of(client, "/")
    answer = client.post("/theme", {"theme": "dark", "next": "/leads"})
    assert (answer.status_code, answer["Location"]) == (302, "/leads")
    other = sign_in(Role.READ_ONLY)
    for path in ("/", "/leads", "/accounts/password/change/"):
        assert '<html lang="en" data-theme="dark">' in page_of(other, path), path
    client.post("/theme", {"theme": "pink"})
    assert Preference.objects.get().theme == "dark"
    client.post("/theme", {"theme": "system"})
    assert '<html lang="en">' in page_of(other, "/")


def test_somebody_without_an_agency_chooses_a_theme_too(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("alone"))
    assert client.post("/theme", {"theme": "light", "next": "https://evil.example/"})["Location"] == "/"
    assert 'data-theme="light"' in page_of(client, "/")
    assert Client().post("/theme", {"theme": "light"}).status_code == 302
    assert Preference.objects.count() == 1


def test_who_is_in_two_agencies_switches_from_any_page(agency: Agency, stranger: Agency, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    switch = f'action="{reverse("portal_choose_agency")}"'
    assert switch not in page_of(client, "/leads")
    Member.objects.create(agency=stranger, user_id=client.session["_auth_user_id"], role=Role.READ_ONLY)
    page = page_of(client, "/leads")
    assert switch in page
    assert [f'value="{one.pk}"' in page for one in (agency, stranger)] == [True, True]


def test_after_an_error_the_title_says_so_and_the_first_wrong_field_has_the_focus(
    agency: Agency, sign_in: Browser
) -> None:
    client = sign_in(Role.OWNER)
    assert "<title>API keys" in page_of(client, "/keys")
    page = client.post("/keys", {"name": "", "scopes": ["read"]}).content.decode()
    assert "<title>Error: API keys" in page
    focused = re.findall(r"<[^>]*\sautofocus[^>]*>", page)
    assert [re.search(r'name="(\w+)"', tag)[1] for tag in focused] == ["name"]  # type: ignore[index]
    page = client.post("/keys", {"name": "CRM"}).content.decode()
    assert re.search(r"<fieldset[^>]*autofocus", page)


def test_an_error_that_is_said_as_a_message_is_in_the_title_too(agency: Agency, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    own = agency.members.get(user=client.session["_auth_user_id"])
    page = client.post(f"/team/{own.pk}/remove", follow=True).content.decode()
    assert "<title>Error: " in page
    assert 'class="toast-line toast-error"' in page
