"""Whose session has ended loses nothing: no part of the page, and no word that was typed."""

import html
import re

import pytest
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Source
from tests.answers import Answer
from tests.cases import one_by_one
from tests.factories import Everything
from tests.portal.browser import Browser
from tests.portal.routes import ROUTES, Route, walk

pytestmark = pytest.mark.one_backend

OURS = ({"sec-fetch-site": "same-origin"}, {"origin": "http://testserver"})
TYPED = 'Zoë & "Söhne"\n<b>second line</b>'
PAGES = [route for route in ROUTES if route.name != "home"]
BUTTONS = [route for route in ROUTES if route.post]


def test_htmx_is_told_and_changes_nothing(ours: Everything) -> None:
    client = Client()
    for route in PAGES:
        send = client.post if route.post else client.get
        answer = send(route.url(ours), route.data, headers={"hx-request": "true"})
        assert (answer.status_code, answer["HX-Reswap"], answer.content) == (401, "none", b""), route
        assert "no-store" in answer["Cache-Control"], route


def fields_of(answer: Answer) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.content.decode())
    return {html.unescape(name): html.unescape(value) for name, value in found}


def first_role(route: Route) -> Role:
    return min(route.roles)


def press(client: Client, route: Route, things: Everything, data: dict[str, str]) -> int:
    sent = client.post(route.url(things), data, headers=OURS[0])
    b"".join(sent)  # whatever is sent bit by bit, to its end: closing it before would close the database's connection
    return sent.status_code


def test_a_form_is_given_back_and_can_be_sent_after_signing_in(ours: Everything, sign_in: Browser) -> None:
    members = {role: sign_in(role) for role in {first_role(route) for route in BUTTONS}}

    def sent_after_signing_in(route: Route) -> int:
        typed = {**route.data, "typed": TYPED, "secret": "hush hush"}
        for headers in OURS:
            answer = Client().post(route.url(ours), typed, headers=headers)
            page = answer.content.decode()
            assert answer.status_code == 401
            assert "no-store" in answer["Cache-Control"]
            assert "You were signed out" in page
            assert f'action="{route.url(ours)}"' in page
            fields = fields_of(answer)
            assert {**typed, "csrfmiddlewaretoken": ""} == {**fields, "csrfmiddlewaretoken": ""}
            assert TYPED.splitlines()[0] in html.unescape(page)
            assert "<b>" not in page
            assert page.count("hush hush") == 1  # in the form alone
        return press(members[first_role(route)], route, ours, {name: fields[name] for name in route.data})

    assert walk(BUTTONS, sent_after_signing_in) == {str(route): route.status for route in BUTTONS}


@one_by_one("headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}])
def test_what_another_site_sends_is_not_given_back(headers: dict[str, str], ours: Everything) -> None:
    answer = Client().post(f"/sources/{ours.source.pk}/rename", {"name": "evil"}, headers=headers)
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/"
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(f"/sources/{ours.source.pk}/rename", {"name": "evil"}, headers=headers)
    assert refused.status_code == 403
    assert b"evil" not in refused.content


def test_a_form_whose_token_has_expired_is_given_back(ours: Everything, sign_in: Browser) -> None:
    members = {role: sign_in(role) for role in {first_role(route) for route in BUTTONS}}

    def sent_again(route: Route) -> int:
        client = Client(enforce_csrf_checks=True)
        client.cookies = members[first_role(route)].cookies
        typed = {**route.data, "typed": TYPED, "csrfmiddlewaretoken": "old"}
        answer = client.post(route.url(ours), typed, headers=OURS[0])
        assert answer.status_code == 403
        fields = fields_of(answer)
        assert fields["typed"].replace("\r\n", "\n") == TYPED
        return press(client, route, ours, {name: value for name, value in fields.items() if name != "typed"})

    assert walk(BUTTONS, sent_again) == {str(route): route.status for route in BUTTONS}


def test_a_reader_who_comes_back_by_a_link_signs_in_first(ours: Everything) -> None:
    assert Client().get("/sources")["Location"] == "/accounts/login/?next=/sources"


def test_nothing_is_done_for_who_is_signed_out(ours: Everything) -> None:
    for headers in ({}, *OURS, {"hx-request": "true"}):
        Client().post(f"/sources/{ours.source.pk}/rename", {"name": "changed"}, headers=headers)
    assert not Source.objects.filter(name="changed").exists()
