"""Leads taken along as a file, and the language of a form as a condition, on a phone and on a desktop."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page

from accounts.core.enums import Role
from accounts.models import Account, Agency, Member
from leads.models import Enrichment
from leads.pipeline.changes import create_lead
from notifications.channels.service import create_channel
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def people(agency: Agency) -> None:
    for name, locale in (("Ada Lovelace", "en_US"), ("Emmy Noether", "de_DE"), ("Kevin Okafor", "")):
        email = f"{name.split()[0].lower()}@example.com"
        create_lead(agency, name=name, email=email, company="Example Industries", creation_locale=locale)
    create_lead(agency, name="Tried Out", is_test=True, creation_locale="en_US")


def sign_in(user: User, visit: Visit) -> Page:
    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    visit.page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": settings.PUBLIC_URL}]
    )
    return visit.page


def taken_along(page: Page, button: str) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    return Path(download.value.path()).read_text(encoding="utf-8-sig")


@pytest.mark.usefixtures("people")
def test_an_owner_takes_leads_along_and_listens_to_a_language(agency: Agency, visit: Visit) -> None:
    user = User.objects.create_user("owner@example.com", "owner@example.com")
    Member.objects.create(agency=agency, user=user, role=Role.OWNER)
    channel, _ = create_channel(agency, kind="webhook", url="https://example.com/in", creation_locales=["de_DE"])
    page = sign_in(user, visit)
    page.goto(f"{settings.PUBLIC_URL}/leads")
    visit.look("leads-list")
    file = taken_along(page, "Export CSV")
    assert [name in file for name in ("Ada Lovelace", "Emmy Noether", "Tried Out")] == [True, True, False]
    page.get_by_role("link", name="Emmy Noether").click()
    page.get_by_text("German (DE)").wait_for()
    visit.look("lead-page")
    page.goto(f"{settings.PUBLIC_URL}/notifications")
    card = page.locator(f"#{channel.pk}")
    card.get_by_text("Edit", exact=True).click()
    card.get_by_text("More settings").click()
    assert card.get_by_label("German (DE)").is_checked()
    visit.look("channel-languages")
    page.goto(f"{settings.PUBLIC_URL}/notifications/channels/{channel.pk}")
    page.get_by_text("form languages: German (DE)").wait_for()
    visit.look("channel-page")


@pytest.mark.usefixtures("people")
def test_staff_take_an_agencys_leads_along(agency: Agency, staff: User, visit: Visit) -> None:
    page = sign_in(staff, visit)
    page.goto(f"{settings.PUBLIC_URL}/admin/leads/lead/?agency={agency.pk}&creation_locale=en_US")
    visit.look("admin-leads")
    file = taken_along(page, "Export CSV")
    assert ("Ada Lovelace" in file, "Emmy Noether" in file, "Tried Out" in file) == (True, False, False)


def test_staff_see_what_could_not_be_enriched_and_what_linkedin_permits(
    agency: Agency, staff: User, visit: Visit
) -> None:
    lead = create_lead(agency, name="Ada Lovelace", email="ada@example.com")
    Enrichment.objects.create(lead=lead, attempts=5, next_attempt_at=None, error="acme.leads.look_up: TimeoutError")
    now = timezone.now()
    account = Account.objects.create(
        agency=agency,
        provider="linkedin",
        external_id="urn:li:person:1",
        name="Grace Hopper",
        status="active",
        status_since=now,
        token_expires_at=now + timedelta(days=50),
        refresh_expires_at=now + timedelta(days=300),
        last_heartbeat_at=now - timedelta(hours=3),
        granted_scopes=["r_ads", "r_events", "r_marketing_leadgen_automation", "r_organization_admin"],
    )
    page = sign_in(staff, visit)
    page.goto(f"{settings.PUBLIC_URL}/admin/leads/enrichment/")
    page.locator("#result_list").get_by_text("Failed").wait_for()
    visit.look("admin-enrichments")
    page.goto(f"{settings.PUBLIC_URL}/admin/leads/enrichment/{lead.pk}/change/")
    page.get_by_role("button", name="Try again").wait_for()
    visit.look("admin-enrichment")
    page.goto(f"{settings.PUBLIC_URL}/admin/accounts/account/{account.pk}/change/")
    page.get_by_text("r_marketing_leadgen_automation").wait_for()
    visit.look("admin-account-linkedin")
