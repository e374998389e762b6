"""Everyday tasks of staff, counted in clicks."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account
from accounts.services import report_status
from leads.models import Lead
from tests.browser.tasks import Clicks, Seeded
from tests.reactions import react

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def broken(seeded: Seeded) -> Account:
    """An account that broke an hour ago; its owner got a mail then. Made before there is a browser."""
    working = seeded.agency.accounts.filter(status="active", provider="salesflow", rate_limited_until=None)
    account = working.exclude(email="").order_by("pk")[0]
    report_status(
        seeded.agency,
        provider=account.provider,
        identity=AccountIdentity(external_id=str(account.external_id)),
        status=AccountStatus.DISCONNECTED,
        origin=Origin(by=account.provider, at=timezone.now() - timedelta(hours=1)),
    )
    react()
    account.refresh_from_db()
    return account


@pytest.fixture
def lead(seeded: Seeded) -> Lead:
    return Lead.objects.exclude(email="").exclude(linkedin_url="").exclude(company="").order_by("pk")[333]


@pytest.fixture
def office(seeded: Seeded, clicks: Clicks) -> Clicks:
    clicks.sign_in(seeded.staff)
    return clicks


def test_the_account_that_broke_an_hour_ago_is_found_and_its_owner_asked(broken: Account, office: Clicks) -> None:
    office.open("/admin/")
    row = office.page.locator("section", has_text="Accounts that need attention").locator("tr", has_text=str(broken))
    expect(row).to_contain_text(re.compile(r"Asked (just now|.*ago) at "))
    expect(row).to_contain_text(broken.email)
    expect(row).to_contain_text("not opened yet")
    office.look("task-office-overview")
    office.click(row.locator("summary"))
    office.click(row.get_by_role("button", name="Send reconnect e-mail"))
    expect(office.page.locator("#messages")).to_contain_text(f"Reconnect e-mail sent to {broken.email}")
    office.assert_at_most(2)
    office.look("task-office-asked")


def test_a_lead_is_found_from_any_page_by_a_part_of_what_staff_know(lead: Lead, office: Clicks) -> None:
    known = {
        lead.name[1:].upper(): "/admin/webhooks/receipt/",
        lead.email[:-9]: "/admin/",
        lead.linkedin_url[12:]: "/admin/accounts/account/",
    }
    for word, path in known.items():
        office.open(path)
        office.click(office.page.locator("#office-search"))
        office.type(word)
        office.page.keyboard.press("Enter")
        expect(office.page.get_by_role("main").get_by_role("link", name=lead.name).first).to_be_visible()
        office.assert_at_most(1)
    office.open("/admin/leads/lead/")
    office.click(office.page.locator("#office-search"))
    office.type(lead.company[:-1])
    office.page.keyboard.press("Enter")
    expect(office.page.get_by_role("main").get_by_text(lead.company).first).to_be_visible()
    office.assert_at_most(1)


def test_an_agency_and_its_owner_are_one_form(office: Clicks) -> None:
    office.open("/admin/accounts/agency/add/")
    page = office.page
    page.get_by_label("Name").fill("Contoso")
    page.get_by_label("Owner's e-mail address").fill("olive@example.com")
    office.look("task-office-new-agency")
    office.click(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator("#messages")).to_contain_text("Contoso created. Invitation sent to olive@example.com.")
    office.assert_at_most(1)
    expect(page.get_by_role("main")).not_to_contain_text(re.compile(r"\bll_"))  # no key of the agency
    office.look("task-office-agency")


def test_the_portal_is_seen_as_the_agency_sees_it_and_left_again(seeded: Seeded, office: Clicks) -> None:
    office.open(f"/admin/accounts/agency/{seeded.agency.pk}/change/")
    office.click("View portal as this agency")
    banner = office.page.get_by_role("region", name="Viewing as an agency")
    expect(banner).to_contain_text(seeded.agency.name)
    office.look("task-office-viewing")
    office.click("Back to the back office")
    expect(office.page.get_by_role("heading", level=1)).to_have_text(seeded.agency.name)
    office.assert_at_most(2)


def test_a_pipelines_count_leads_to_its_leads(seeded: Seeded, office: Clicks) -> None:
    office.open(f"/admin/leads/lead/?agency={seeded.agency.pk}")
    stage = office.page.locator(".stage", has_text="Replied")
    number = int(stage.locator("strong").inner_text().replace(",", ""))
    office.click(stage)
    expect(office.page.locator(".stage[aria-current]")).to_contain_text("Replied")
    rows = office.page.locator("#result_list tbody tr")
    expect(rows).to_have_count(min(number, 50))
    office.look("task-office-pipeline")
