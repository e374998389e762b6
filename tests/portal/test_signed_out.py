"""Whose session has ended loses nothing: no part of the page, and no word that was typed."""

import html
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Source
from tests.portal.conftest import Browser, Everything
from tests.portal.routes import ROUTES, Route

OURS = ({"sec-fetch-site": "same-origin"}, {"origin": "http://testserver"})
TYPED = 'Zoë & "Söhne"\n<b>second line</b>'
PAGES = [route for route in ROUTES if route.name != "home"]
BUTTONS = [route for route in ROUTES if route.post]


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_htmx_is_told_and_changes_nothing(route: Route, ours: Everything) -> None:
    client = Client()
    send = client.post if route.post else client.get
    answer = send(route.url(ours), route.data, headers={"hx-request": "true"})
    assert (answer.status_code, answer["HX-Reswap"], answer.content) == (401, "none", b"")
    assert "no-store" in answer["Cache-Control"]


def fields_of(answer: HttpResponse) -> dict[str, str]:
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.content.decode())
    return {html.unescape(name): html.unescape(value) for name, value in found}


@pytest.mark.parametrize("route", BUTTONS, ids=str)
@pytest.mark.parametrize("headers", OURS, ids=["fetch", "origin"])
def test_a_form_is_given_back_and_can_be_sent_after_signing_in(
    route: Route, headers: dict[str, str], ours: Everything, sign_in: Browser
) -> None:
    client, typed = Client(), {**route.data, "typed": TYPED, "secret": "hush hush"}
    answer = client.post(route.url(ours), typed, headers=headers)
    page = answer.content.decode()
    assert answer.status_code == 401
    assert "no-store" in answer["Cache-Control"]
    assert "You are signed out" in page
    assert f'action="{route.url(ours)}"' in page
    fields = fields_of(answer)
    assert {**typed, "csrfmiddlewaretoken": ""} == {**fields, "csrfmiddlewaretoken": ""}
    assert TYPED.splitlines()[0] in html.unescape(page)
    assert "<b>" not in page
    assert page.count("hush hush") == 1  # in the form alone
    member = sign_in(next(iter(sorted(route.roles))))
    sent = member.post(route.url(ours), {name: fields[name] for name in route.data})
    sent.close()  # a download that is not closed counts as under way
    assert sent.status_code == route.status


@pytest.mark.parametrize(
    "headers", [{}, {"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {"origin": "null"}]
)
def test_what_another_site_sends_is_not_given_back(headers: dict[str, str], ours: Everything) -> None:
    answer = Client().post(f"/sources/{ours.source.pk}/rename", {"name": "evil"}, headers=headers)
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=/"
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(f"/sources/{ours.source.pk}/rename", {"name": "evil"}, headers=headers)
    assert refused.status_code == 403
    assert b"evil" not in refused.content


@pytest.mark.parametrize("route", BUTTONS, ids=str)
def test_a_form_whose_token_has_expired_is_given_back(route: Route, ours: Everything, sign_in: Browser) -> None:
    signed_in = sign_in(next(iter(sorted(route.roles))))
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    typed: dict[str, Any] = {**route.data, "typed": TYPED}
    answer = client.post(route.url(ours), {**typed, "csrfmiddlewaretoken": "old"}, headers=OURS[0])
    assert answer.status_code == 403
    fields = fields_of(answer)
    assert fields["typed"].replace("\r\n", "\n") == TYPED
    again = {name: value for name, value in fields.items() if name != "typed"}
    sent = client.post(route.url(ours), again, headers=OURS[0])
    sent.close()  # a download that is not closed counts as under way
    assert sent.status_code == route.status


def test_a_reader_who_comes_back_by_a_link_signs_in_first(ours: Everything) -> None:
    assert Client().get("/sources")["Location"] == "/accounts/login/?next=/sources"


def test_nothing_is_done_for_who_is_signed_out(ours: Everything) -> None:
    for headers in ({}, *OURS, {"hx-request": "true"}):
        Client().post(f"/sources/{ours.source.pk}/rename", {"name": "changed"}, headers=headers)
    assert not Source.objects.filter(name="changed").exists()
