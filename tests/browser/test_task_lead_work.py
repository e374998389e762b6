"""Work on leads: an owner sets up routing, a lead arrives at whom it is for, a member works it, staff read why."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
import time_machine
from django.utils import timezone
from playwright.sync_api import Locator, expect

from accounts.models import Agency
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status
from leads.routing.rules import KIND as ROUTING
from leads.rules.preview_jobs import preview_due
from leads.rules.service import create_rule
from tests.browser.conftest import in_a_thread
from tests.browser.tasks import Clicks, Seeded, take_back_team_work
from tests.browser.test_frame import assert_none, faults_by_day_and_by_night
from tests.browser.worked_leads import WorkedLeads
from tests.reactions import react

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

AT_ONCE = 2_000  # milliseconds
T = TypeVar("T")


def fetch(work: Callable[[], T]) -> T:
    found: list[T] = []
    in_a_thread(lambda: found.append(work()))
    return found[0]


def assert_accessible(clicks: Clicks) -> None:
    assert_none(faults_by_day_and_by_night(clicks.page))
    clicks.page.emulate_media(color_scheme="light")


def make_pool(clicks: Clicks, name: str) -> None:
    page = clicks.page
    clicks.open("/pools")
    page.get_by_role("link", name="New pool").click()
    page.get_by_label("Name", exact=True).fill(name)
    boxes = page.locator("fieldset input[type=checkbox]")
    for number in range(2):
        boxes.nth(number).check()
    clicks.look("leads-walk-pool")
    page.get_by_role("button", name="Create pool").click()
    expect(page.locator("h1")).to_contain_text(name)


def make_rule(clicks: Clicks, name: str, field: str, comparison: str, values: str | list[str], target: str) -> None:
    page = clicks.page
    clicks.open("/rules/routing/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="Add a condition").click()
    page.get_by_label("Field", exact=True).select_option(field)
    page.get_by_label("Comparison").select_option(comparison)
    value = page.get_by_label("Value", exact=True)
    if isinstance(values, str):
        value.fill(values)
    else:
        value.select_option(values)
    page.get_by_label("Leads to").select_option(label=target)
    expect(page.locator("[data-sentence]")).not_to_be_empty()
    clicks.look("leads-walk-rule")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".rule").last).to_contain_text(name)


def test_an_owner_makes_three_rules_and_a_pool_and_sees_who_would_get_how_many(seeded: Seeded, clicks: Clicks) -> None:
    page = clicks.page
    in_a_thread(lambda: take_back_team_work(seeded.agency))
    make_pool(clicks, "Enterprise")
    make_rule(clicks, "Decision-makers", "seniority", "in", ["owner", "c_level", "vp", "head"], "Enterprise")
    make_rule(clicks, "Marketing", "title", "contains", "marketing", seeded.manager.get_full_name())
    make_rule(clicks, "The rest of sales", "job_function", "in", "sales", "Nobody: leave it to whoever takes it")
    expect(page.locator(".rule")).to_have_count(3)
    page.get_by_role("button", name="Last 90 days").click()
    in_a_thread(preview_due)
    preview = page.locator("#rule-preview")
    expect(preview).to_contain_text("Who would have got how many")
    expect(preview).to_contain_text(seeded.manager.get_full_name())
    clicks.look("leads-walk-preview")
    assert_accessible(clicks)


def route_to(seeded: Seeded, agency: Agency) -> None:
    """Let every lead that comes go to the manager."""
    take_back_team_work(agency)
    member = agency.members.get(user=seeded.manager)
    create_rule(ROUTING, agency, name="Everything", member_id=member.pk)


@pytest.mark.parametrize("path", ["/", "/leads?assigned_to=me", "/leads/board?assigned_to=me"])
def test_a_lead_shows_up_by_itself_at_whom_it_is_for(seeded: Seeded, clicks: Clicks, path: str) -> None:
    agency, page = seeded.agency, clicks.page
    in_a_thread(lambda: route_to(seeded, agency))
    clicks.sign_in(seeded.manager)
    clicks.open(path)
    expect(page.get_by_role("link", name="Liv Lindqvist")).to_have_count(0)
    page.evaluate("window.isTheSamePage = true")

    def arrive() -> None:
        create_lead(agency, name="Liv Lindqvist", email="liv@example.com", title="Head of Sales")
        react()

    in_a_thread(arrive)
    expect(page.locator("main").get_by_role("link", name="Liv Lindqvist")).to_be_visible(timeout=AT_ONCE)
    assert page.evaluate("window.isTheSamePage")
    expect(page.locator("main").get_by_text(re.compile("Due in 1[45] min")).first).to_be_visible()
    clicks.look(f"leads-walk-arrived-{len(path)}")
    assert_accessible(clicks)


def test_a_countdown_goes_on_by_itself(worked_leads: WorkedLeads, clicks: Clicks) -> None:
    page = clicks.page
    page.clock.install()
    clicks.open("/leads?clock=open&sort=due")
    badge = page.locator(f"#{worked_leads.lead.pk} .due")
    before = badge.inner_text()
    with time_machine.travel(timezone.now() + timedelta(seconds=21)):
        page.clock.run_for(21_000)
        expect(badge).not_to_have_text(before)


def test_a_member_answers_finishes_a_task_and_hands_the_lead_over_and_staff_read_why(
    worked_leads: WorkedLeads, seeded: Seeded, clicks: Clicks
) -> None:
    page, lead = clicks.page, worked_leads.lead
    clicks.open(f"/leads/{lead.pk}")
    page.get_by_text("I answered elsewhere").click()
    page.get_by_label("How").fill("by telephone")
    clicks.look("leads-walk-answered-form")
    page.get_by_role("button", name="Stop the clock").click()
    expect(page.locator("#messages")).to_contain_text("counts as answered")
    expect(page.locator("#clocks")).to_contain_text("Answered elsewhere")
    clicks.open("/tasks")
    task = page.locator(".item", has_text="Call her back")
    task.locator("summary").click()
    task.get_by_role("button", name="Reached").click()
    expect(page.locator("#messages")).to_contain_text("“Call her back” is done.")
    clicks.look("leads-walk-task-done")
    clicks.open(f"/leads/{lead.pk}")
    page.locator("summary[data-key=a]").click()
    page.get_by_role("button", name=seeded.manager.get_full_name()).click()
    expect(page.locator("#messages")).to_contain_text(f"is assigned to {seeded.manager.get_full_name()}")
    expect(page.locator("main")).to_contain_text(f"assigned by {seeded.owner.get_full_name()}")
    clicks.look("leads-walk-handed-over")
    assert_accessible(clicks)
    clicks.sign_in(seeded.staff)
    clicks.open(f"/admin/leads/lead/{lead.pk}/change/")
    page.get_by_role("link", name="Assignments").click()
    expect(page.locator("#result_list")).to_contain_text(f"assigned by {seeded.owner.get_full_name()}")
    expect(page.locator("#result_list")).to_contain_text("rule “Enterprise”")
    clicks.look("leads-walk-assignments")
    assert_none(faults_by_day_and_by_night(page, preload=False))
    page.locator("#result_list tbody tr").last.get_by_role("link").first.click()
    expect(page.locator("body")).to_contain_text("was not next")
    clicks.look("leads-walk-assignment")
    assert_none(faults_by_day_and_by_night(page, preload=False))


def card_of(clicks: Clicks, lead: Lead) -> Locator:
    return clicks.page.locator(f".board #{lead.pk}")


def column_of(clicks: Clicks, status: LeadStatus) -> Locator:
    return clicks.page.locator(f".board-cards[data-status={status}]")


def drag(clicks: Clicks, card: Locator, to: Locator) -> None:
    page = clicks.page
    card.scroll_into_view_if_needed()
    start = card.bounding_box()
    assert start
    page.mouse.move(start["x"] + 20, start["y"] + start["height"] - 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 30, start["y"] + start["height"], steps=4)
    end = to.bounding_box()
    assert end
    page.mouse.move(end["x"] + 30, end["y"] + 30, steps=12)
    page.mouse.up()


def test_cards_move_by_mouse_by_keyboard_and_by_menu(worked_leads: WorkedLeads, clicks: Clicks) -> None:
    page, lead = clicks.page, worked_leads.lead
    clicks.open(f"/leads/board?q={lead.pk}")
    card = card_of(clicks, lead)
    expect(column_of(clicks, LeadStatus.REPLY_RECEIVED)).to_contain_text(lead.name)
    clicks.look("leads-board")
    card.get_by_role("link").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#board-says")).to_contain_text("In Meeting booked.")
    clicks.look("leads-board-held")
    page.keyboard.press("Escape")
    expect(column_of(clicks, LeadStatus.REPLY_RECEIVED)).to_contain_text(lead.name)
    expect(card.get_by_role("link")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("changed to “Opportunity”")
    expect(page.locator(f"#count-{LeadStatus.OPPORTUNITY}")).to_have_text("1")
    expect(column_of(clicks, LeadStatus.OPPORTUNITY)).to_contain_text(lead.name)
    expect(card.get_by_role("button")).to_be_focused()
    assert fetch(lambda: Lead.objects.get(pk=lead.pk).status) == LeadStatus.OPPORTUNITY
    card.get_by_role("button", name=f"Move {lead.name}").click()
    expect(page.locator("#board-move")).to_be_visible()
    clicks.look("leads-board-menu")
    assert_none(faults_by_day_and_by_night(page))
    page.emulate_media(color_scheme="light")
    page.locator("#board-move").get_by_role("button", name="Meeting booked").click()
    expect(column_of(clicks, LeadStatus.MEETING_BOOKED)).to_contain_text(lead.name)
    assert_accessible(clicks)
    if not clicks.on_phone:
        drag(clicks, card, column_of(clicks, LeadStatus.OPPORTUNITY))
        expect(page.locator("#messages")).to_contain_text("changed to “Opportunity”")
        assert fetch(lambda: Lead.objects.get(pk=lead.pk).status) == LeadStatus.OPPORTUNITY
    card.get_by_role("button", name=f"Move {lead.name}").click()
    page.locator("#board-move").get_by_role("button", name="Done", exact=True).click()
    expect(page.locator("#messages")).to_contain_text("changed to “Done”")
    expect(card).to_have_count(0)
    assert fetch(lambda: Lead.objects.get(pk=lead.pk).status) == LeadStatus.DONE


def test_a_card_that_somebody_moved_meanwhile_goes_where_the_lead_is(worked_leads: WorkedLeads, clicks: Clicks) -> None:
    page, lead = clicks.page, worked_leads.lead
    clicks.open(f"/leads/board?q={lead.pk}")
    card = card_of(clicks, lead)
    card.get_by_role("link").focus()
    page.keyboard.press("ArrowLeft")  # the board does not ask again while a card is held
    in_a_thread(lambda: set_status(lead, status=LeadStatus.OPPORTUNITY, changed_by=ChangedBy.USER))
    page.keyboard.press("Enter")
    expect(page.locator("#messages")).to_contain_text("was not moved: the status is another one by now")
    expect(column_of(clicks, LeadStatus.OPPORTUNITY)).to_contain_text(lead.name)
    clicks.look("leads-board-refused")


def test_a_long_column_shows_more_on_demand(worked_leads: WorkedLeads, clicks: Clicks) -> None:
    page = clicks.page
    clicks.open("/leads/board")
    column = column_of(clicks, LeadStatus.CONNECTION_SENT)
    before = column.locator(".board-card").count()
    column.get_by_role("link", name=re.compile("Show more")).click()
    expect(column.locator(".board-card")).to_have_count(2 * before)
    clicks.look("leads-board-full")
    assert_accessible(clicks)
    page.get_by_role("link", name="List", exact=True).click()
    expect(page).to_have_url(re.compile("/leads$"))
