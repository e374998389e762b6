"""Every mail as a mail program shows it: in light and in dark, on a phone and on a desktop, also with hostile names."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings as conf
from django.contrib.auth.models import User
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, sync_playwright
from pytest_django.fixtures import Settings

from accounts.core.enums import AGENCY_EVENTS, AccountStatus, EventType, Role
from accounts.events.ordering import Origin
from accounts.linkedin.incidents import ALERT_DELAY
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency
from accounts.services import report_status
from accounts.sources.service import create_source
from accounts.tenancy.agencies import create_agency
from accounts.tenancy.team import invite_member
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from tests.browser.conftest import CHROMIUM, FLAGS
from tests.browser.test_frame import assert_none, faults_of
from tests.leads.pipeline.test_assigning import person
from tests.leads.pipeline.test_replies import reply
from tests.notifications.mails import FREE_TEXT, HOSTILE, happened, html_of, only_for
from tests.reactions import react

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
RAW = re.compile(r"\{\{|\}\}|\{%|%\}|\bNone\b|linkedin_account_name")
WIDTHS = (390, 820)


@pytest.fixture
def mails(agency: Agency, settings: Settings) -> dict[str, EmailMultiAlternatives]:
    """One of each, as they were sent; made before a browser brings its event loop."""
    sent: dict[str, EmailMultiAlternatives] = {}

    def take(name: str, *, to: str = "") -> None:
        with time_machine.travel(timezone.now() + ALERT_DELAY, tick=False):  # alerts of drops wait
            drain_deliveries()
        messages = [message for message in mail.outbox if isinstance(message, EmailMultiAlternatives)]
        found = [message for message in messages if not to or message.to == [to]]
        assert found, name
        sent[name] = found[0]
        mail.outbox.clear()

    create_channel(agency, kind="email", email="new@example.com")
    take(EventType.CHANNEL_VERIFICATION)
    invite_member(agency, email="lena@example.com", role=Role.MANAGER, invited_by=User.objects.create_user("boss"))
    take(EventType.MEMBER_INVITED)
    settings.STAFF_ALERT_EMAILS = ["staff@example.com"]
    happened(agency, EventType.STAFF_ALERT)
    take(EventType.STAFF_ALERT)
    happened(agency, EventType.MEMBER_DIGEST, recipient="anna@example.com")
    take(EventType.MEMBER_DIGEST)
    create_lead(agency, name="Ada Lovelace", assigned_to=person(agency, "anna").user)
    react()
    take(EventType.LEAD_ASSIGNED_TO_YOU, to="anna@example.com")
    source, _ = create_source(agency=agency, provider="salesflow")
    report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="7", name="Ada Lovelace", email="ada@example.com"),
        status=AccountStatus.DISCONNECTED,
        origin=Origin(by="salesflow", at=timezone.now(), source=source),
    )
    react()
    take("letter_to_an_owner", to="ada@example.com")  # the staff hear of it, too
    for event_type in map(EventType, AGENCY_EVENTS):
        if (
            event_type != EventType.CHANNEL_VERIFICATION
        ):  # each at an agency of its own: none is part of another's story
            one, _ = create_agency(name="Northwind Outreach")
            listener, _ = create_channel(
                one, kind="email", email="team@example.com", event_types=[event_type], verified=True
            )
            if event_type is EventType.LEAD_REPLIED:
                reply(one, create_lead(one, name="Ada Lovelace"), "Sounds good.\nCould we talk next week?")
            else:
                happened(one, event_type, **only_for(listener, event_type))
            take(event_type)
    listener, _ = create_channel(agency, kind="email", email="team@example.com", mode="hourly", verified=True)
    for event_type in (EventType.LINKEDIN_AUTH_ERROR, EventType.LEAD_CREATED, EventType.CAMPAIGN_PAUSED):
        happened(agency, event_type)
    drain_deliveries()
    mail.outbox.clear()
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        take("summary")
    for number, text in enumerate(HOSTILE):
        harsh, _ = create_agency(name=text.replace("\x00", "").replace("\ud800", "")[:150].strip() or "x")
        create_channel(harsh, kind="email", email="team@example.com", verified=True)
        known = text.replace("\x00", "").replace("\ud800", "")
        happened(harsh, EventType.LEAD_STATUS_CHANGED, **{name: known for name in FREE_TEXT if "lead" in name})
        take(f"hostile_{number}")
    return sent


@pytest.fixture
def page(mails: dict[str, EmailMultiAlternatives]) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser.new_page()
        browser.close()


def test_every_mail_looks_right_in_light_and_dark(mails: dict[str, EmailMultiAlternatives], page: Page) -> None:
    folder = Path(conf.VAR) / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    asked: list[str] = []
    problems: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (problems.append(dialog.message), dialog.dismiss()))  # type: ignore[call-overload]
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    assert {template.name.partition(".")[0] for template in _templates()} <= {*mails, "summary"}
    for name, message in mails.items():
        grounds = set()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 700})
                page.set_content(html_of(message))
                assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            page.screenshot(path=folder / f"mail-{name}-{scheme}.png", full_page=True)
            grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            assert _contrast(page) >= 4.5, (name, scheme)
            faults += [f"{name} in {scheme}: {fault}" for fault in faults_of(page)]
        assert len(grounds) == 2, f"{name} looks the same in light and dark"
        if not name.startswith("hostile"):
            assert not RAW.search(page.inner_text("body") + message.subject + str(message.body)), name
        assert page.locator("script, img, iframe, form, object").count() == 0, name
    assert problems == []
    assert_none(faults)
    assert asked == []  # nothing is loaded from anywhere: opening a mail tells nobody


def test_every_link_in_a_mail_leads_somewhere(mails: dict[str, EmailMultiAlternatives]) -> None:
    browser, seen = Client(), set()
    for name, message in mails.items():
        links = re.findall(r'href="([^"]+)"', html_of(message).replace("&amp;", "&"))
        assert links, name
        for link in links:
            parts = urlsplit(link)
            if not link.startswith(conf.PUBLIC_URL):
                assert (parts.scheme, parts.hostname) in {("https", "www.linkedin.com"), ("https", "linkedin.com")}, (
                    name
                )
                continue
            seen.add(parts.path.split("/")[1])
            answer = browser.get(f"{parts.path}?{parts.query}")
            assert answer.status_code in (200, 302), f"{name}: {link}"
            assert link in str(message.body), f"{name}: only the HTML has {link}"
    assert {"verify", "unsubscribe", "invitation", "reauth"} <= seen
    assert Account.objects.exists()


def _templates() -> Iterator[Path]:
    yield from (Path(conf.BASE_DIR) / "templates" / "email").glob("*.subject.txt")


def _contrast(page: Page) -> float:
    """The worst contrast of a text to what is behind it (WCAG 2.2)."""
    return float(
        page.evaluate(
            """() => {
              const numbers = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
              const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
                .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
              const behind = (element) => {
                for (let at = element; at; at = at.parentElement) {
                  const ground = numbers(getComputedStyle(at).backgroundColor);
                  if (ground.length === 3 || ground[3] > 0) return ground;
                }
                return [255, 255, 255];
              };
              let worst = 21;
              const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                if (!walker.currentNode.data.trim()) continue;
                const element = walker.currentNode.parentElement;
                const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
                worst = Math.min(worst, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
              }
              return worst;
            }"""
        )
    )
