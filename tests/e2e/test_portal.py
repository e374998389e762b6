"""An agency's people at work in a browser: invited, signed in, a webhook set up, tested, rotated, replayed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from email import message_from_bytes, policy
from shutil import which

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.e2e.stack import ROOT, Run, wait_for
from tests.notifications.receiver import Receiver, Request, receiver

pytestmark = pytest.mark.browser

CHROMIUM = which("chromium") or "/usr/bin/chromium"
PASSWORD = "a long and strange sentence"
REPORT_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI))"
)
PHONE, DESKTOP = 390, 1440


@pytest.fixture(scope="module")
def program() -> Iterator[Receiver]:
    """An agency's program. It begins before the browser, and ends after it: both have loops."""
    with receiver() as it:
        yield it


@pytest.fixture(scope="module")
def chromium(program: Receiver) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@contextmanager
def visitor(chromium: Browser, run: Run, width: int) -> Iterator[Page]:
    """A page whose console stays clean, and which is never wider than its window."""
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    context: BrowserContext = chromium.new_context(
        viewport={"width": width, "height": 900}, base_url=run.checkout.url, timezone_id="UTC"
    )
    context.add_init_script(REPORT_VIOLATIONS)
    page = context.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("load", lambda loaded: complaints.extend(_too_wide(loaded)))
    yield page
    context.close()
    assert complaints == []


def _too_wide(page: Page) -> list[str]:
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{page.url} is {wider} px too wide"] if wider > 0 else []


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("User name or e-mail address").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".topbar")).to_be_visible()


def sign_out(page: Page) -> None:
    page.locator(".person summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def go(page: Page, name: str) -> None:
    """Open a page by the menu, which a phone has behind a button."""
    if page.get_by_role("button", name="Menu", exact=True).is_visible():
        page.get_by_role("button", name="Menu", exact=True).click()
    page.locator("#sidebar").get_by_role("link", name=name).click()


def invitation_for(run: Run, address: str) -> str:
    """The link of the mail that this address got."""

    def link() -> str:
        for path in (run.checkout.folder / "var" / "mail").glob("*.eml"):
            mail = message_from_bytes(path.read_bytes(), policy=policy.default)
            if mail["To"] == address:
                body = mail.get_body(("plain",))
                assert body is not None
                return re.findall(r"http://\S+/invitation/\S+", body.get_content())[0]
        return ""

    return str(wait_for(link, 30))


def keep(page: Page, name: str, width: int) -> None:
    """Leave a picture for whoever wants to look."""
    folder = ROOT / "var" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"portal-{name}-{width}.png"), full_page=True)


def come_in(chromium: Browser, run: Run, page: Page, address: str, width: int) -> None:
    """The owner invites; the invited person opens the mail's link, chooses a password, leaves and signs in."""
    with visitor(chromium, run, width) as owner:
        sign_in(owner, run.value("agency's owner"), run.value("their password"))
        keep(owner, "overview", width)
        go(owner, "Team")
        owner.get_by_label("E-mail address").fill(address)
        owner.locator("#id_role").select_option("manager")
        owner.get_by_role("button", name="Send invitation").click()
        expect(owner.get_by_text(f"Invitation sent to {address}.")).to_be_visible()
        keep(owner, "team", width)
    page.goto(invitation_for(run, address))
    keep(page, "invitation", width)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Confirm password").fill(PASSWORD)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Welcome to Demo Outreach Agency")).to_be_visible()
    sign_out(page)
    sign_in(page, address, PASSWORD)
    expect(page.locator("#sidebar a", has_text="Team")).to_have_count(0)


def set_up(page: Page, url: str, name: str, width: int) -> str:
    """Add a webhook URL; the secret that is shown."""
    go(page, "Notifications")
    page.get_by_text("Add a webhook URL").click()
    form = page.locator("form[action$='/add/webhook']")
    form.get_by_label("Name").first.fill(name)
    form.get_by_label("URL").fill(url)
    keep(page, "add-webhook", width)
    form.get_by_role("button", name="Add").click()
    secret = page.get_by_label("Signing secret").input_value()
    keep(page, "shown-once", width)
    page.get_by_role("link", name="Done").click()
    return secret


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_an_invited_manager_sets_up_a_webhook_and_sees_what_became_of_it(
    chromium: Browser, program: Receiver, run: Run, width: int
) -> None:
    name = f"CRM {width}"

    def received() -> list[Request]:
        return [request for request in program.requests if request.path.endswith(f"?{width}")]

    with visitor(chromium, run, width) as page:
        come_in(chromium, run, page, f"lena{width}@example.com", width)
        first = set_up(page, f"{program.url}?{width}", name, width)
        card = page.locator(".channel", has_text=name)

        card.get_by_role("button", name="Send a test").click()
        expect(page.get_by_text(f"A test is on its way to {name}")).to_be_visible()
        [tested] = wait_for(received, 30)

        card.get_by_text("Rotate secret", exact=True).click()
        card.get_by_role("button", name="Rotate").click()
        second = page.get_by_label("Signing secret").input_value()
        assert first.startswith("whsec_")
        assert second.startswith("whsec_")
        assert first != second
        page.get_by_role("link", name="Done").click()
        expect(card.get_by_text("signed with two secrets")).to_be_visible()
        keep(page, "notifications", width)

        card.get_by_role("link", name="Log").click()
        page.get_by_role("link", name="Test", exact=True).click()
        expect(page.locator(".history").get_by_text("HTTP 200")).to_be_visible()
        expect(page.get_by_text(tested.message_id).first).to_be_visible()
        keep(page, "delivery", width)

        go(page, "Notifications")
        card.get_by_text("Replay…", exact=True).click()
        since = timezone.now().astimezone(UTC) - timedelta(hours=1)
        card.locator("[name=since]").fill(since.strftime("%Y-%m-%dT%H:%M"))
        keep(page, "replay", width)
        card.get_by_role("button", name="Replay").click()
        expect(page.get_by_text("will be resent.")).to_be_visible()
        again = wait_for(lambda: [one for one in received()[1:] if one.message_id == tested.message_id], 30)[0]
        assert len(again.headers["webhook-signature"].split()) == 2
        keep(page, "log", width)
