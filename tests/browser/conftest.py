"""A headless Chromium against the product on this machine. Whatever a page complains about fails the test."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db import connections
from playwright.sync_api import ConsoleMessage, Page, sync_playwright
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.tasks import clicks as clicks
from tests.browser.tasks import seeded as seeded
from tests.browser.worked_leads import worked_leads as worked_leads

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
REPORT_VIOLATIONS = (
    "addEventListener('securitypolicyviolation', e => console.error('policy: ' + e.violatedDirective + e.blockedURI))"
)


@dataclass
class Visit:
    """One browser window, and what its pages complained about."""

    page: Page
    width: int
    complaints: list[str] = field(default_factory=list)

    def complain(self, said: ConsoleMessage) -> None:
        """Keep what the console says, and what it says it of."""
        self.complaints.append(f"{said.text} {said.location['url']}")

    def look(self, name: str) -> Path:
        """Take a picture for people; the page must not be wider than the window."""
        folder = Path(django_settings.VAR) / "browser"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}-{self.width}.png"
        self.page.screenshot(path=path, full_page=True)
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width
        return path


@pytest.fixture(params=[390, 1440])
def visit(
    request: pytest.FixtureRequest, live_server: LiveServer, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Visit]:
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright keeps an event loop in the test's thread
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)  # the server's threads keep none open
    settings.PUBLIC_URL = live_server.url
    width = request.param
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 844 if width < 600 else 900})
        page.add_init_script(REPORT_VIOLATIONS)
        page.set_default_timeout(15_000)
        made = Visit(page, width)
        page.on("console", lambda said: made.complain(said) if said.type == "error" else None)
        page.on("pageerror", lambda error: made.complaints.append(str(error)))
        yield made
        browser.close()
        connections.close_all()  # beside an event loop Django keeps connections apart: nobody else closes these
    assert made.complaints == []


def in_a_thread(work: Callable[[], object]) -> None:
    """Beside the event loop that Playwright keeps in this one."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(run).result()
