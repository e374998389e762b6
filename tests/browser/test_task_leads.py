"""Everyday tasks about leads and campaigns, at a seeded agency."""

import re

import pytest
from playwright.sync_api import expect

from leads.models import Lead
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def assigned_to(seeded: Seeded) -> int:
    counts: list[int] = []
    in_a_thread(lambda: counts.append(Lead.objects.filter(assigned_to=seeded.owner).count()))
    return counts[0]


def test_forty_leads_are_assigned_in_two_clicks(seeded: Seeded, clicks: Clicks) -> None:
    before = assigned_to(seeded)
    clicks.open("/leads?assigned_to=none")
    page = clicks.page
    count = page.locator(".pick").count()
    clicks.click(page.get_by_text("Select page"))
    expect(page.locator("[data-count]")).to_have_text(str(count))
    clicks.look("task-leads-ticked")
    clicks.click(page.locator("#bulk").get_by_role("button", name="Me", exact=True))
    expect(page.locator("#messages")).to_contain_text(f"{count} leads changed.")
    clicks.assert_at_most(2)
    assert assigned_to(seeded) == before + count >= 32


def test_a_lead_is_assigned_in_two_clicks_on_its_page_and_from_the_keyboard(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    clicks.open("/leads?assigned_to=none")
    page.locator(".lead-cell a").first.click()
    clicks.count = 0
    clicks.click(page.locator("summary[data-key=a]"))
    clicks.click(page.get_by_role("button", name=re.compile(r"\(me\)")))
    expect(page.locator("#messages")).to_contain_text("is assigned to")
    clicks.assert_at_most(2)
    clicks.look("task-lead-page")
    clicks.open("/leads?assigned_to=none")
    name = page.locator(".lead-cell a").first.inner_text()
    for key in ("j", "a"):
        page.keyboard.press(key)
    expect(page.locator("#bulk .dropdown-menu button").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("1 lead changed.")
    expect(page.locator(".lead-cell a").first).not_to_have_text(name)


def test_all_that_match_are_changed_with_a_bar_that_moves(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    clicks.open("/leads?status=CONNECTION_SENT&age=90")
    total = page.locator(".list-count strong").inner_text()
    page.get_by_text("Select page").click()
    page.get_by_text(re.compile("that match")).click()
    page.locator("#bulk").get_by_role("button", name="Me", exact=True).click()
    expect(page.locator("main")).to_contain_text(f"Change {total} leads")
    clicks.look("task-leads-all")
    page.get_by_role("button", name=f"Change {total} leads").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("leads changed.", timeout=60_000)


def test_everything_that_waits_for_an_answer_is_one_click_away(clicks: Clicks) -> None:
    page = clicks.page
    clicks.open("/leads")
    clicks.click(page.get_by_role("link", name=re.compile("^Awaiting reply")))
    expect(page.locator("thead")).to_contain_text("Assigned to")
    times = [str(one.get_attribute("datetime")) for one in page.locator("td[data-label='Status since'] time").all()]
    assert times == sorted(times)
    expect(page.locator("td.reply").first).not_to_be_empty()
    clicks.assert_at_most(1)
    clicks.look("task-leads-waiting")
    page.locator(".lead-cell a").first.click()
    first = page.locator("h1").inner_text()
    page.keyboard.press("j")
    expect(page.locator("h1")).not_to_have_text(first)
    second = page.locator("h1").inner_text()
    page.keyboard.press("e")
    expect(page.locator("#messages")).to_contain_text("Done")
    expect(page.locator("h1")).not_to_have_text(second)


def test_the_campaign_that_converts_best_is_two_clicks_away(clicks: Clicks) -> None:
    page = clicks.page
    clicks.open("/campaigns?sort=-conversion")
    clicks.look("task-campaigns")
    shares = [one.inner_text() for one in page.locator("td[data-label=Conversion]").all()]
    numbers = [float(share.removesuffix("%")) for share in shares if share != "–"]
    assert numbers == sorted(numbers, reverse=True)
    clicks.click(page.locator(".lead-cell a").first)
    expect(page.locator("main")).to_contain_text("How far its leads came")
    clicks.look("task-campaign")
    clicks.click("View leads")
    expect(page.locator("h1")).to_have_text("Leads")
    clicks.assert_at_most(2)
