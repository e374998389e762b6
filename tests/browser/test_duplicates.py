"""Duplicates are decided by key, and what belongs to them and to imports is accessible at both widths."""

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import Visit
from tests.browser.test_frame import OPEN_DETAILS, assert_none, faults_by_day_and_by_night, page, things
from tests.factories import Everything

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["page", "things"]  # fixtures


def test_duplicates_are_decided_by_key_and_merges_and_imports_can_be_read(
    visit: Visit, page: Page, things: Everything, live_server: LiveServer
) -> None:
    other = things.duplicate.other_id
    paths = {
        "duplicates": "/duplicates",
        "lead-merge": f"/leads/{things.lead.pk}/merge?other={other}",
        "imports": "/imports",
        "import": f"/imports/{things.file.pk}",
    }
    faults = []
    for name, path in paths.items():
        page.goto(f"{live_server.url}{path}")
        visit.look(f"portal-{name}-shown")
        page.evaluate(OPEN_DETAILS)
        faults += faults_by_day_and_by_night(page)
    assert_none(faults)
    page.goto(f"{live_server.url}/duplicates")
    page.keyboard.press("j")
    page.keyboard.press("n")
    expect(page.get_by_text("The two stay apart, and are not proposed again.")).to_be_visible()
    things.duplicate.refresh_from_db()
    assert things.duplicate.decision == "dismissed"
