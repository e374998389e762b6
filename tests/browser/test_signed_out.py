"""Whose session ends while a page is open loses neither the page nor what was typed on it."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from accounts.core.enums import Role
from accounts.models import Agency, Member
from notifications.channels.service import create_channel
from notifications.models import Channel
from tests.browser.conftest import Visit, in_a_thread
from tests.factories import Everything, furnish
from tests.portal.routes import ROUTES

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BANNER = "You were signed out. Nothing here is lost"


@pytest.fixture
def channel(visit: Visit, agency: Agency, live_server: LiveServer) -> Channel:
    """A channel of an agency whose owner is signed in to the browser."""
    owner = User.objects.create_user("owner", "owner@example.com", "correct horse")
    Member.objects.create(agency=agency, user=owner, role=Role.OWNER)
    client = Client()
    client.force_login(owner)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    visit.page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_server.url}])
    return create_channel(agency, kind="email", email="team@example.com", name="Team", verified=True)[0]


#: Sends a form, or follows a link, as a person who presses it.
PRESS = "one => one.tagName === 'FORM' ? one.requestSubmit() : one.click()"


def add_owner(agency: Agency, name: str) -> None:
    user = User.objects.create_user(name, f"{name}@example.com", "correct horse")
    Member.objects.create(agency=agency, user=user, role=Role.OWNER)


def end_sessions(visit: Visit) -> None:
    in_a_thread(lambda: Session.objects.all().delete())


def forgive_refusals(visit: Visit) -> None:
    """Chromium and htmx complain of every 401, Chromium also of a fragment, opened by itself, that names no icon."""
    visit.complaints[:] = [said for said in visit.complaints if "401" not in said and "favicon.ico" not in said]


def sign_in_by(page: Page, link: str) -> None:
    """Follow a link to sign in, which opens another tab."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name=link, exact=True).click()
    tab = opened.value
    tab.locator("[name=login]").fill("owner")
    tab.locator("[name=password]").fill("correct horse")
    tab.locator("main form button[type=submit]").first.click()
    tab.wait_for_url(re.compile(r"/$"))
    tab.close()


def test_htmx_keeps_the_card_and_the_typed_text(visit: Visit, channel: Channel, live_server: LiveServer) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/notifications")
    card = page.locator(f"#{channel.pk}")
    card.get_by_text("Edit", exact=True).click()
    card.locator("[name=name]").fill("Typed with care")
    end_sessions(visit)
    card.get_by_role("link", name="Send a test").click()
    expect(page.locator("#messages")).to_contain_text(BANNER)
    expect(card.locator("[name=name]")).to_have_value("Typed with care")
    sign_in_by(page, "Sign in")
    card.get_by_role("button", name="Save").click()
    expect(page.locator("#messages")).to_contain_text("Saved")
    expect(page.locator("main")).to_contain_text("Typed with care")
    expect(page.locator("#messages")).not_to_contain_text(BANNER)
    forgive_refusals(visit)


def test_a_plain_form_is_sent_after_signing_in(visit: Visit, channel: Channel, live_server: LiveServer) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/settings")
    page.locator("[name=name]").fill("A name typed with care")
    end_sessions(visit)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You were signed out")
    expect(page.locator("main")).to_contain_text("A name typed with care")
    visit.look("signed-out")
    sign_in_by(page, "in a new tab")
    page.get_by_role("button", name="Send it again").click()
    page.wait_for_url(re.compile(r"/settings"))
    expect(page.locator("[name=name]")).to_have_value("A name typed with care")
    forgive_refusals(visit)


def test_who_signs_in_on_the_way_finds_the_typed_text_on_its_page(
    visit: Visit, channel: Channel, live_server: LiveServer
) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/settings")
    page.locator("[name=name]").fill("A name typed with care")
    page.locator("[name=locale]").select_option("de-DE")
    end_sessions(visit)
    page.locator("main form button[type=submit]").first.click()
    page.get_by_role("link", name="Sign in and go on").click()
    page.locator("[name=login]").fill("owner")
    page.locator("[name=password]").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/settings"))
    expect(page.locator("#messages")).to_contain_text("What you typed is back")
    expect(page.locator("[name=name]")).to_have_value("A name typed with care")
    expect(page.locator("[name=locale]")).to_have_value("de-DE")
    page.reload()
    expect(page.locator("[name=name]")).not_to_have_value("A name typed with care")
    forgive_refusals(visit)


def test_somebody_else_who_signs_in_finds_nothing_of_it(
    visit: Visit, channel: Channel, live_server: LiveServer
) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/settings")
    page.locator("[name=name]").fill("A name typed with care")
    in_a_thread(lambda: add_owner(channel.agency, "other"))
    end_sessions(visit)
    page.locator("main form button[type=submit]").first.click()
    page.get_by_role("link", name="Sign in and go on").click()
    page.locator("[name=login]").fill("other")
    page.locator("[name=password]").fill("correct horse")
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/settings"))
    expect(page.locator("[name=name]")).not_to_have_value("A name typed with care")
    forgive_refusals(visit)


#: Types into every field of the page that may be typed into, and opens what is folded. Menus and questions before a
#: press stay closed: they close at a click elsewhere, whoever is signed in.
TYPE = """() => {
  document.querySelectorAll("main details:not(.menu, .press:not(.wide))").forEach(one => { one.open = true });
  document.querySelectorAll("main form").forEach(form => { form.noValidate = true });
  document.querySelectorAll("main input, main textarea").forEach(field => {
    const plain = ["text", "email", "search", "url", "password", "textarea"].includes(field.type);
    if (field.readOnly || !plain) return;
    field.value = "typed with care";
  });
}"""
#: What is on the page and in its fields.
LOOK = """() => [
  [...document.querySelectorAll("main > :not(#messages)")].map(part => part.innerText),
  [...document.querySelectorAll("main :is(input, textarea, select):not([name=csrfmiddlewaretoken])")].map(
    field => field.value),
]"""
BY_HTMX = "main form[hx-post], main form[hx-get], main [hx-boost=true] a[href]:not([hx-boost=false])"
#: A form called `press` has no button of its own: buttons elsewhere on the page send it.
PLAIN = "main form[method=post]:not([hx-post], #press), main button[formaction]"


@pytest.fixture
def things(agency: Agency) -> Everything:
    """Made before there is a browser: both want the thread's event loop."""
    return furnish(agency, "Ann Lee")


def test_nothing_disappears_and_nothing_is_lost_on_any_page(
    things: Everything, visit: Visit, channel: Channel, live_server: LiveServer
) -> None:
    page, context = visit.page, visit.page.context
    signed_in = context.cookies()
    pressed = given_back = 0
    for route in ROUTES:
        if not route.is_page:
            continue
        url = f"{live_server.url}{route.url(things)}"
        page.goto(url)
        page.evaluate(TYPE)
        before = page.evaluate(LOOK)
        context.clear_cookies(name="sessionid")
        for number in range(page.locator(BY_HTMX).count()):
            with page.expect_response(lambda answer: answer.status == 401):
                page.locator(BY_HTMX).nth(number).evaluate(PRESS)
            expect(page.locator("#messages")).to_contain_text("You were signed out")
            assert page.evaluate(LOOK) == before, (url, number)
            pressed += 1
        context.add_cookies(signed_in)  # type: ignore[arg-type]
        page.goto(url)
        for number in range(page.locator(PLAIN).count()):
            page.goto(url)
            page.evaluate(TYPE)
            form = page.locator(PLAIN).nth(number)
            typed = form.locator("input:not([type=hidden]):not([readonly]), textarea").evaluate_all(
                "fields => fields.filter(field => field.value === 'typed with care').length"
            )
            context.clear_cookies(name="sessionid")
            form.evaluate(PRESS)
            expect(page.get_by_role("heading", level=1), f"{url} {number}").to_have_text("You were signed out")
            kept = page.locator("input[type=hidden][value='typed with care']").count()
            assert kept == typed, (url, number)
            given_back += 1
            context.add_cookies(signed_in)  # type: ignore[arg-type]
    assert pressed > 20
    assert given_back > 20
    forgive_refusals(visit)
