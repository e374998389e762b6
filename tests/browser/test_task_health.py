"""The account that broke last is found, and its owner is asked to reconnect it: two clicks."""

import re

import pytest
from playwright.sync_api import expect

from accounts.linkedin.advice import needs_owner
from accounts.models import Account, Incident, ReauthPrompt, ReauthStep
from accounts.models.reauth import StepKind
from accounts.reauth.asking import ask_owner
from tests.browser.tasks import Clicks, Seeded

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broken(seeded: Seeded) -> Account:
    """The account that broke last, looked up before there is a browser."""
    accounts = seeded.agency.accounts.order_by("-status_since")
    return next(account for account in accounts if needs_owner(account))


@pytest.fixture
def asked(broken: Account) -> Account:
    """An account whose owner was asked, and has opened the page."""
    ReauthPrompt.objects.filter(account=broken).delete()
    ask_owner(broken)
    ReauthStep.objects.create(prompt=ReauthPrompt.objects.get(account=broken), kind=StepKind.VIEWED)
    return broken


@pytest.fixture
def incident(seeded: Seeded) -> Incident:
    found = seeded.agency.incidents.order_by("-pk").first()
    assert found
    return found


def test_the_owner_of_the_account_that_broke_last_is_asked_from_the_overview(broken: Account, clicks: Clicks) -> None:
    clicks.click(clicks.page.locator("#accounts").get_by_role("link", name=str(broken), exact=True))
    clicks.look("task-account")
    clicks.click(clicks.page.get_by_role("button", name=re.compile("^Ask owner")))
    clicks.assert_at_most(2)
    expect(clicks.page.get_by_role("status")).to_contain_text("Reconnect e-mail sent to")
    expect(clicks.page.locator(".card", has_text="Reconnecting")).to_contain_text("Next reminder")
    assert ReauthPrompt.objects.get(account=broken, closed_at=None).recipients
    clicks.look("task-account-asked")


def test_an_owner_who_was_asked_already_is_seen_before_asking_again(asked: Account, clicks: Clicks) -> None:
    clicks.open("/linkedin")
    clicks.click(clicks.page.get_by_role("link", name=str(asked), exact=True))
    card = clicks.page.locator(".card", has_text="Reconnecting")
    expect(card).to_contain_text(f"Reconnect e-mail sent to {asked.email}")
    expect(card.locator("li", has_text="Opened")).not_to_contain_text("Not yet")
    expect(card.locator("li", has_text="Tried")).to_contain_text("Not yet")
    clicks.look("task-account-asked-before")
    clicks.click(clicks.page.get_by_role("button", name=re.compile("^Ask owner")))
    clicks.assert_at_most(2)


def test_the_list_begins_with_the_account_that_broke_last_and_asks_there(broken: Account, clicks: Clicks) -> None:
    clicks.open("/linkedin")
    first = clicks.page.locator("tbody tr").first
    expect(first).to_contain_text(str(broken))
    clicks.look("task-accounts")
    clicks.click(first.get_by_role("button", name=re.compile("^Ask")))
    clicks.assert_at_most(1)
    expect(clicks.page.get_by_role("status")).to_contain_text("Reconnect e-mail sent to")


def test_a_link_is_made_to_hand_over(broken: Account, clicks: Clicks) -> None:
    clicks.open(f"/linkedin/{broken.pk}")
    clicks.click("Copy link")
    clicks.assert_at_most(1)
    link = clicks.page.get_by_label("Link")
    expect(link).to_have_value(re.compile("/reauth/"))
    clicks.look("task-account-link")


def test_an_incident_its_accounts_and_its_cause_are_two_clicks_away(incident: Incident, clicks: Clicks) -> None:
    clicks.open("/incidents")
    clicks.look("task-incidents")
    clicks.click(clicks.page.locator(f'a[href="/incidents/{incident.pk}"]'))
    clicks.assert_at_most(1)
    expect(clicks.page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(clicks.page.locator("tbody tr").first).to_be_visible()
    clicks.look("task-incident")


def test_settings_about_the_agency_are_read_and_changed(clicks: Clicks) -> None:
    for path, name in (("/sub-accounts", "sub-accounts"), ("/brand", "brand")):
        clicks.open(path)
        clicks.look(f"task-{name}")
    clicks.page.get_by_label("Sender name").fill("Acme Sales")
    clicks.click("Save")
    expect(clicks.page.get_by_role("status")).to_contain_text("Brand saved.")
    clicks.open("/audit")
    expect(clicks.page.locator("tbody tr").first).to_contain_text("Brand changed")
    clicks.look("task-audit")
