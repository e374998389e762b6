"""Who may open what: every page and button, for every role, for strangers and for nobody."""

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern

import accounts.portal.urls
import leads.urls
import notifications.urls
import webhooks.urls
from accounts.models import Agency, Member
from accounts.vocabulary import Role
from leads.models import Lead
from notifications.models import Channel, Delivery
from tests.portal.conftest import Browser, Everything, furnish
from tests.portal.routes import ELSEWHERE, ROUTES, Route

WITH_ID = [route for route in ROUTES if route.of]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egpj\u202c"


def use(client: Client, route: Route, things: Everything) -> int:
    url = route.url(things)
    answer = client.post(url, route.data) if route.post else client.get(url)
    b"".join(answer)  # whatever is sent bit by bit, to its end
    return answer.status_code


def test_the_list_of_routes_is_whole() -> None:
    patterns = [
        pattern
        for urls in (accounts.portal.urls, leads.urls, notifications.urls, webhooks.urls)
        for pattern in urls.urlpatterns
        if isinstance(pattern, URLPattern)
    ]
    assert {str(pattern.name) for pattern in patterns} - ELSEWHERE == {route.name for route in ROUTES} - {"home"}


@pytest.mark.parametrize("route", ROUTES, ids=str)
@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_it_is_for(route: Route, role: Role, ours: Everything, sign_in: Browser) -> None:
    status = use(sign_in(role), route, ours)
    assert status == (route.status if role in route.roles else 403)


@pytest.mark.parametrize("route", WITH_ID, ids=str)
def test_what_another_agency_has_is_not_there(
    route: Route, ours: Everything, theirs: Everything, sign_in: Browser, stranger: Agency
) -> None:
    before = _rows(theirs)
    assert use(sign_in(Role.OWNER), route, theirs) == 404
    assert _rows(theirs) == before
    assert use(sign_in(Role.OWNER, of=stranger), route, ours) == 404


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.post and not route.of], ids=str)
def test_no_list_shows_what_another_agency_has(
    route: Route, ours: Everything, theirs: Everything, sign_in: Browser
) -> None:
    html = sign_in(Role.OWNER).get(route.url(ours)).content.decode()
    assert "Zed" not in html
    for thing in (theirs.account, theirs.lead, theirs.source, theirs.webhook, theirs.delivery, theirs.key):
        assert thing.pk not in html


@pytest.mark.parametrize("route", [route for route in ROUTES if route.name != "home"], ids=str)
def test_who_is_signed_out_is_sent_to_the_sign_in_page(route: Route, ours: Everything) -> None:
    client, url = Client(), route.url(ours)
    answer = client.post(url, route.data) if route.post else client.get(url)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/")


@pytest.mark.parametrize("route", [route for route in ROUTES if route.name != "home"], ids=str)
def test_who_is_member_of_no_agency_is_refused(route: Route, ours: Everything) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("staff", "staff@example.com", "correct horse"))
    assert use(client, route, ours) == 403


@pytest.mark.parametrize("route", [route for route in ROUTES if route.post], ids=str)
def test_no_button_works_without_the_pages_token(route: Route, ours: Everything, sign_in: Browser) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = sign_in(Role.OWNER).cookies
    assert use(strict, route, ours) == 403


@pytest.mark.parametrize(
    "route",
    [r for r in ROUTES if r.post and r.name not in {"portal_team", "portal_keys", "portal_settings", "portal_sources"}],
    ids=str,
)
def test_a_button_is_pressed_and_not_visited(route: Route, ours: Everything, sign_in: Browser) -> None:
    assert sign_in(Role.OWNER).get(route.url(ours)).status_code == 405


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.post], ids=str)
def test_every_page_is_private_and_runs_nothing_but_our_own_files(
    route: Route, ours: Everything, sign_in: Browser
) -> None:
    answer = sign_in(Role.OWNER).get(route.url(ours))
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    html = answer.content.decode()
    assert "style=" not in html
    assert "<style" not in html
    assert " onclick" not in html
    assert html.count("<script") == html.count('<script src="')


@pytest.mark.parametrize("route", [route for route in ROUTES if not route.post], ids=str)
def test_hostile_names_stay_text(route: Route, agency: Agency, sign_in: Browser) -> None:
    things = furnish(agency, HOSTILE)
    html = sign_in(Role.OWNER).get(route.url(things)).content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html


def test_a_page_without_entries_says_what_to_do_next(agency: Agency, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    for path, words in (
        ("/", "Add a source"),
        ("/linkedin", "connect a source"),
        ("/leads", "connect a source"),
        ("/notifications", "Nobody gets mails yet"),
        ("/notifications/deliveries", "Say who is told"),
        ("/sources", "Add one for each tool"),
        ("/team", "Nobody is invited"),
    ):
        assert words in client.get(path).content.decode(), path


def test_who_is_in_two_agencies_sees_one_at_a_time(ours: Everything, theirs: Everything, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    user = User.objects.get(pk=client.session["_auth_user_id"])
    Member.objects.create(agency=theirs.agency, user=user, role=Role.READ_ONLY)
    assert client.get(f"/leads/{theirs.lead.pk}").status_code == 404
    assert client.post("/agency", {"agency": theirs.agency.pk}).status_code == 302
    assert client.get(f"/leads/{theirs.lead.pk}").status_code == 200
    assert client.get(f"/leads/{ours.lead.pk}").status_code == 404
    assert client.post(f"/leads/{theirs.lead.pk}/status", {"status": "DONE"}).status_code == 403
    assert client.post("/agency", {"agency": "agc_none"}).status_code == 404


def test_who_lost_the_membership_sees_nothing_from_then_on(ours: Everything, sign_in: Browser) -> None:
    client = sign_in(Role.MANAGER)
    assert client.get("/leads").status_code == 200
    Member.objects.filter(user=client.session["_auth_user_id"]).delete()
    assert client.get("/leads").status_code == 403
    assert "You are signed in as" in client.get("/").content.decode()


def test_templates_have_no_inline_script_or_style() -> None:
    for path in Path("templates/portal").rglob("*.html"):
        text = path.read_text()
        assert "style=" not in text, path
        assert "|safe" not in text, path
        assert "autoescape" not in text, path


def _rows(things: Everything) -> tuple[object, ...]:
    return (
        Lead.objects.get(pk=things.lead.pk).status,
        Channel.objects.get(pk=things.email.pk).status,
        Delivery.objects.filter(agency=things.agency).count(),
        Member.objects.filter(agency=things.agency).count(),
        things.agency.invitations.count(),
        things.agency.api_keys.filter(revoked_at=None).count(),
        things.agency.sources.filter(removed_at=None, enabled=True).count(),
    )
