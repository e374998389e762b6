"""An owner makes rules, puts them in order, and sees what they would have done."""

import re

import pytest
from playwright.sync_api import Page, expect

from leads.rules.preview_jobs import preview_due
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded, take_back_team_work
from tests.browser.test_frame import assert_none, faults_by_day_and_by_night

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def assert_accessible(page: Page) -> None:
    assert_none(faults_by_day_and_by_night(page))
    page.emulate_media(color_scheme="light")  # long before axe looks again: colours of buttons change slowly


def make_rule(clicks: Clicks, name: str, points: str) -> None:
    page = clicks.page
    clicks.open("/rules/scoring/new")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Points").fill(points)


def test_rules_are_built_previewed_and_put_in_order(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    in_a_thread(lambda: take_back_team_work(seeded.agency))
    make_rule(clicks, "Decision-makers", "30")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Field", exact=True).select_option("seniority")
    page.get_by_label("Comparison").select_option("in")
    page.get_by_label("Value", exact=True).select_option(["owner", "c_level", "vp"])
    expect(page.locator("[data-sentence]")).to_contain_text("The seniority is owner, C level or vice president")
    clicks.look("task-rule")
    assert_accessible(page)
    page.get_by_role("button", name="Preview 90 days").click()
    expect(page.locator("#rule-preview progress")).to_be_visible()
    in_a_thread(preview_due)
    expect(page.locator("#rule-preview")).to_contain_text(re.compile(r"\d+ leads of the last 90 days"))
    clicks.look("task-rule-preview")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".rule")).to_have_count(1)
    make_rule(clicks, "Everybody", "5")
    expect(page.locator(".condition-builder")).to_contain_text("Every lead matches.")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Move “Everybody” up").click()
    expect(page.locator(".rule a").first).to_have_text("Everybody")
    handle, second = page.locator(".rule-number").first, page.locator(".rule").last
    if not clicks.on_phone:
        handle.drag_to(second, target_position={"x": 40, "y": 60})
        expect(page.locator(".rule a").first).to_have_text("Decision-makers")
    page.get_by_role("button", name="Last 30 days").click()
    in_a_thread(preview_due)
    expect(page.locator("#rule-preview")).to_contain_text("of the last 30 days")
    clicks.look("task-rules")
    assert_accessible(page)
    page.get_by_role("link", name="History").click()
    clicks.look("task-rules-history")
    assert_accessible(page)
    page.get_by_role("button", name="Go back to this").first.click()
    expect(page.locator("#messages")).to_contain_text("The rules are those of version")


def test_nested_conditions_come_back_as_they_were_built(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    make_rule(clicks, "Nested", "10")
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Value", exact=True).fill("sales, growth")
    page.get_by_role("button", name="Add a group").first.click()
    inner = page.locator(".condition-group .condition-group")
    inner.get_by_label("Match").select_option("none")
    inner.get_by_label("Field", exact=True).select_option("company_size")
    inner.get_by_label("From").fill("1")
    inner.get_by_label("To", exact=True).fill("10")
    expect(page.locator("[data-sentence]")).to_have_text(
        "The role contains “sales” or “growth” and not (the company's size is 1 to 10)"
    )
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Nested").click()
    expect(page.get_by_label("Value", exact=True)).to_have_value("sales, growth")
    expect(inner.get_by_label("Match")).to_have_value("none")
    expect(inner.get_by_label("To", exact=True)).to_have_value("10")
    clicks.look("task-rule-nested")
