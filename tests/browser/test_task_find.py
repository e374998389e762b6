"""Finding somebody, from any page: one click, and typing."""

import re

import pytest
from playwright.sync_api import expect

from leads.models import Lead
from tests.browser.tasks import Clicks, Seeded

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def lead(seeded: Seeded) -> Lead:
    """Somebody whom nothing sets apart from the other eight hundred. Looked up before there is a browser."""
    return Lead.objects.exclude(email="").exclude(linkedin_url="").exclude(company="").order_by("pk")[333]


def test_a_lead_is_found_by_a_part_of_what_one_knows(lead: Lead, clicks: Clicks) -> None:
    known = {lead.name[1:].upper(): "/", lead.email[:-9]: "/linkedin", lead.linkedin_url[12:]: "/leads"}
    for word, path in known.items():
        clicks.open(path)
        clicks.click(clicks.page.locator(".search-open"))
        clicks.type(word)
        found = clicks.page.locator("#search-results a", has_text=lead.name).first
        expect(found).to_be_visible()
        clicks.assert_at_most(1)
        found.click()
        expect(clicks.page).to_have_url(re.compile(f"/leads/{lead.pk}"))


def test_a_key_opens_the_search_for_a_company(lead: Lead, clicks: Clicks) -> None:
    clicks.open("/notifications/deliveries")
    clicks.press("/")
    clicks.type(lead.company[:-1])
    expect(clicks.page.locator("#search-results a").first).to_contain_text(lead.company)
    clicks.assert_at_most(1)
    clicks.look("task-find-company")
