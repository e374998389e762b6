"""Who may open what: every page and button, for every role, for strangers and for nobody."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern

import accounts.portal.urls
import leads.portal.urls
import notifications.urls
import webhooks.portal.urls
from accounts.core.enums import Role
from accounts.models import Agency, Member
from leads.models import Lead
from notifications.models import Channel, Delivery
from tests.factories import Everything, furnish
from tests.portal.browser import Browser
from tests.portal.routes import ELSEWHERE, ROUTES, Route, same, walk

WITH_ID = [route for route in ROUTES if route.of]
NOT_HOME = [route for route in ROUTES if route.name != "home"]
PAGES = [route for route in ROUTES if not route.post and not route.file]
BUTTONS = [route for route in ROUTES if route.post]
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202egpj\u202c"


def use(client: Client, route: Route, things: Everything) -> int:
    url = route.url(things)
    answer = client.post(url, route.data) if route.post else client.get(url)
    b"".join(answer)  # whatever is sent bit by bit, to its end
    return answer.status_code


def test_the_list_of_routes_is_whole() -> None:
    patterns = [
        pattern
        for urls in (accounts.portal.urls, leads.portal.urls, notifications.urls, webhooks.portal.urls)
        for pattern in urls.urlpatterns
        if isinstance(pattern, URLPattern)
    ]
    assert {str(pattern.name) for pattern in patterns} - ELSEWHERE == {route.name for route in ROUTES} - {"home"}
    assert len({str(route) for route in ROUTES}) == len(ROUTES)


@pytest.mark.one_backend
@pytest.mark.once
@pytest.mark.parametrize("role", Role)
def test_each_role_may_do_what_it_is_for(role: Role, ours: Everything, sign_in: Browser) -> None:
    client = sign_in(role)
    statuses = walk(ROUTES, lambda route: use(client, route, ours))
    assert statuses == {str(route): route.status if role in route.roles else 403 for route in ROUTES}


@pytest.mark.one_backend
def test_what_another_agency_has_is_not_there(
    ours: Everything, theirs: Everything, sign_in: Browser, stranger: Agency
) -> None:
    us, them = sign_in(Role.OWNER), sign_in(Role.OWNER, of=stranger)
    before = _rows(theirs)
    answers = walk(WITH_ID, lambda route: (use(us, route, theirs), _rows(theirs), use(them, route, ours)))
    assert answers == same(WITH_ID, (404, before, 404))


def test_no_list_shows_what_another_agency_has(ours: Everything, theirs: Everything, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    things = (theirs.account, theirs.lead, theirs.source, theirs.webhook, theirs.delivery, theirs.key)
    # A name of eight letters: three of them come by chance in one of a few thousand form tokens.
    words = ["Zedekiah", *(str(thing.pk) for thing in things)]

    def seen(route: Route) -> list[str]:
        html = client.get(route.url(ours)).content.decode()
        return [word for word in words if word in html]

    lists = [route for route in PAGES if not route.of]
    assert walk(lists, seen) == same(lists, [])


@pytest.mark.one_backend
def test_who_is_signed_out_is_sent_to_the_sign_in_page(ours: Everything) -> None:
    client = Client()

    def sent(route: Route) -> tuple[int, str]:
        answer = client.post(route.url(ours), route.data) if route.post else client.get(route.url(ours))
        return answer.status_code, answer["Location"][: len(sign_in)]

    sign_in = "/accounts/login/?next=/"
    assert walk(NOT_HOME, sent) == same(NOT_HOME, (302, sign_in))


@pytest.mark.one_backend
def test_who_is_member_of_no_agency_is_refused(ours: Everything) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("staff", "staff@example.com", "correct horse"))
    assert walk(NOT_HOME, lambda route: use(client, route, ours)) == same(NOT_HOME, 403)


@pytest.mark.one_backend
def test_no_button_works_without_the_pages_token(ours: Everything, sign_in: Browser) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = sign_in(Role.OWNER).cookies
    assert walk(BUTTONS, lambda route: use(strict, route, ours)) == same(BUTTONS, 403)


@pytest.mark.one_backend
def test_a_button_is_pressed_and_not_visited(ours: Everything, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    mere = [route for route in BUTTONS if route.name not in {page.name for page in PAGES}]
    assert walk(mere, lambda route: client.get(route.url(ours)).status_code) == same(mere, 405)


@pytest.mark.one_backend
def test_every_page_is_private_and_runs_nothing_but_our_own_files(ours: Everything, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)

    def kept(route: Route) -> dict[str, bool]:
        answer = client.get(route.url(ours))
        policy, html = answer["Content-Security-Policy"], answer.content.decode()
        return {
            "own files": "default-src 'none'; script-src 'self'; style-src 'self'" in policy,
            "private": "no-store" in answer["Cache-Control"],
            "nothing inline": not any(word in html for word in ("style=", "<style", " onclick")),
            "no script but files": html.count("<script") == html.count('<script src="'),
        }

    rules = {"own files": True, "private": True, "nothing inline": True, "no script but files": True}
    assert walk(PAGES, kept) == same(PAGES, rules)


@pytest.mark.one_backend
def test_hostile_names_stay_text(agency: Agency, sign_in: Browser) -> None:
    client, things = sign_in(Role.OWNER), furnish(agency, HOSTILE)

    def live(route: Route) -> list[str]:
        html = client.get(route.url(things)).content.decode()
        return [tag for tag in ("<script>alert", "<img src=x") if tag in html]

    assert walk(PAGES, live) == same(PAGES, [])


@pytest.mark.one_backend
def test_a_page_without_entries_says_what_to_do_next(agency: Agency, sign_in: Browser) -> None:
    client = sign_in(Role.OWNER)
    for path, words in (
        ("/", "Add source"),
        ("/linkedin", "Connect a source"),
        ("/leads", "Connect a source"),
        ("/campaigns", "Connect a source"),
        ("/reports", "Connect a source"),
        ("/notifications", "No e-mail recipients yet"),
        ("/notifications/deliveries", "Set up notifications"),
        ("/sources", "Add one for each outreach tool"),
        ("/received", "Connect a source"),
        ("/received/unrecognised", "wait here until you say"),
        ("/received/refused", "carried a good signature"),
        ("/team", "No pending invitations"),
        ("/audit", "No changes yet"),
        ("/pools", "Make a pool of the people"),
        ("/leads/board", "Show all leads"),
        ("/tasks", "Open a lead and add a task"),
        ("/routing", "Make the first rule"),
        ("/targets", "Make the first rule"),
        ("/hours", "Add when your people work"),
        ("/leads/unrouted", "New leads are routed once there is a"),
        ("/incidents", "No incidents yet"),
        ("/sub-accounts", "No sub-accounts yet"),
        ("/imports", "Upload a CSV file with a column"),
        ("/duplicates", "show up here as they come in"),
        ("/target-lists", "Upload a CSV file of companies"),
        ("/templates", "Write the first one"),
        ("/sequences", "Write a template, then make a sequence"),
        ("/mailing", "What could not be sent by itself"),
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
    templates = list((settings.BASE_DIR / "templates" / "portal").rglob("*.html"))
    assert len(templates) > 20
    for path in templates:
        text = path.read_text()
        assert "style=" not in text, path
        assert "|safe" not in text, path
        assert "autoescape" not in text, path
        assert not re.search(r'hx-trigger="[^"]*\[', text), path  # a condition is evaluated, which the policy refuses


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
