"""The pages of reports, with sixty days of leads: drawn at both widths in both themes, accessible, and printed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import expect

from leads.portal.figures.spec import PAGES
from tests.browser.tasks import Clicks
from tests.browser.test_frame import assert_none, faults_by_day_and_by_night

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def paths() -> Iterator[tuple[str, str]]:
    for name in PAGES:
        yield name, f"/reports/{name}?period=30d"
    yield "response-times-hours", "/reports/response-times?period=13w&by=hour&inactive=on"
    yield "funnel-campaigns", "/reports/funnel?period=30d&by=campaign"
    yield "accounts-each", "/reports/accounts?period=30d&by=account&inactive=on"


def test_every_report_is_accessible_by_day_and_by_night_and_prints(clicks: Clicks) -> None:
    page, faults = clicks.page, []
    for name, path in paths():
        clicks.open(path)
        expect(page.locator("#chart canvas")).to_be_visible()
        faults += faults_by_day_and_by_night(page)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            clicks.look(f"figures-{name}-{scheme}")
        page.emulate_media(media="print")
        expect(page.locator("#chart .bars-plot svg")).to_be_visible()
        expect(page.locator("#chart canvas")).to_be_hidden()
        expect(page.locator("#table table")).to_be_visible()
        expect(page.locator("#sidebar")).to_be_hidden()
        clicks.look(f"figures-{name}-printed")
        page.pdf(path=Path(settings.VAR) / "browser" / f"figures-{name}.pdf", format="A4")
        page.emulate_media(media="screen")
    assert_none(faults)


def test_a_number_opens_its_leads(clicks: Clicks) -> None:
    clicks.open("/reports/response-times?period=30d")
    page = clicks.page
    number = page.locator("#table tfoot tr").first.locator("td a").first
    expected = number.inner_text()
    clicks.click(number)
    clicks.assert_at_most(1)
    expect(page.locator(".list-count strong")).to_have_text(expected)
    expect(page.locator(".counted")).to_contain_text("Response times · Had to wait")
    clicks.look("figures-counted-leads")
