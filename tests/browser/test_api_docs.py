"""The documentation of the API: accessible by day and by night, and its first call works when it is pasted."""

import json
import subprocess

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.tasks import Clicks, Seeded
from tests.browser.test_frame import assert_none, faults_of

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def open_reference(page: Page, url: str) -> None:
    page.goto(f"{url}/api/v1/docs")
    page.locator(".opblock-tag").first.wait_for()


def open_operation(page: Page, group: str, path: str) -> None:
    """Open a group of operations, unless it is open, and an operation of it."""
    operation = page.locator(f"[id$='{path}']")
    header = page.locator(f"#operations-tag-{group}")
    if header.get_attribute("data-is-open") != "true":
        header.locator("button").click()
    operation.locator(".opblock-summary-control").click()
    operation.locator(".responses-inner").wait_for()


def test_the_documentation_is_accessible_by_day_and_by_night(seeded: Seeded, clicks: Clicks, visit: Visit) -> None:
    page, faults = visit.page, []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        open_reference(page, clicks.url)
        faults += faults_of(page)
        for group, path in (("leads", "leads_list"), ("leads", "leads_create"), ("channels", "channels_test_create")):
            open_operation(page, group, path)
        faults += faults_of(page)
        page.get_by_role("button", name="Authorize").first.click()
        page.get_by_role("heading", name="Available authorizations").wait_for()
        faults += faults_of(page)
        page.locator(".close-modal").click()
        visit.look(f"api-docs-{scheme}")
    assert_none(faults)


def test_the_documentation_is_open_to_who_is_not_signed_in(seeded: Seeded, visit: Visit, clicks: Clicks) -> None:
    visit.page.context.clear_cookies()
    open_reference(visit.page, clicks.url)
    assert_none(faults_of(visit.page))
    assert "YOUR_API_KEY" in visit.page.locator("#first-call").inner_text()


def test_every_operation_of_the_open_groups_is_on_the_page(seeded: Seeded, visit: Visit, clicks: Clicks) -> None:
    """Swagger UI itself draws only a part of a long list, which the page's own search does not find."""
    page = visit.page
    open_reference(page, clicks.url)
    page.evaluate("document.querySelectorAll('.opblock-tag button').forEach(button => button.click())")
    document = page.request.get(f"{clicks.url}/api/v1/schema").json()
    operations = sum(
        len(path.keys() & {"get", "post", "put", "patch", "delete"}) for path in document["paths"].values()
    )
    expect(page.locator(".opblock")).to_have_count(operations)


def test_the_first_call_answers_200_when_it_is_pasted(seeded: Seeded, clicks: Clicks) -> None:
    clicks.open("/api/v1/docs")
    clicks.click("Create a key for this call")
    call = clicks.page.locator("#first-call")
    expect(call).to_contain_text("Bearer ll_")
    clicks.look("api-docs-first-call")
    pasted = f"{call.inner_text()} -w '%{{stderr}}%{{http_code}}'"
    done = subprocess.run(["/bin/bash", "-c", pasted], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "200"
    [lead] = json.loads(done.stdout)["results"]
    assert seeded.agency.leads.filter(pk=lead["id"]).exists()
    clicks.page.reload()
    expect(call).to_contain_text("YOUR_API_KEY")
    clicks.assert_at_most(1)
