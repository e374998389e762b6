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

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
BANNER = "You are signed out. Nothing here is lost"


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


def end_sessions(visit: Visit) -> None:
    in_a_thread(lambda: Session.objects.all().delete())


def forgive_refusals(visit: Visit) -> None:
    """Chromium and htmx complain of every 401."""
    visit.complaints[:] = [said for said in visit.complaints if "401" not in said]


def sign_in_by(page: Page) -> None:
    """Follow the link to sign in, which opens another tab."""
    with page.expect_popup() as opened:
        page.get_by_role("link", name="Sign in").last.click()
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
    card.get_by_role("button", name="Send a test").click()
    expect(page.locator("#messages")).to_contain_text(BANNER)
    card.get_by_role("button", name="Save").click()
    expect(card.locator("[name=name]")).to_have_value("Typed with care")
    sign_in_by(page)
    card.get_by_role("button", name="Save").click()
    expect(card).to_contain_text("Typed with care")
    expect(page.locator("#messages")).not_to_contain_text(BANNER)
    forgive_refusals(visit)


def test_a_plain_form_is_sent_after_signing_in(visit: Visit, channel: Channel, live_server: LiveServer) -> None:
    page = visit.page
    page.goto(f"{live_server.url}/settings")
    page.locator("[name=name]").fill("A name typed with care")
    end_sessions(visit)
    page.locator("main form button[type=submit]").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    expect(page.locator("main")).to_contain_text("A name typed with care")
    visit.look("signed-out")
    sign_in_by(page)
    page.get_by_role("button", name="Send it once more").click()
    page.wait_for_url(re.compile(r"/settings"))
    expect(page.locator("[name=name]")).to_have_value("A name typed with care")
    forgive_refusals(visit)
