"""Staff's pages in a browser, on a phone and on a desktop: the dashboard, an account, a source, lists."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from accounts.campaigns.service import campaign_of, update_campaign
from accounts.core.enums import AccountStatus, IssueKind
from accounts.events.ordering import Origin
from accounts.linkedin.incidents import update_incidents
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountLink, Agency, Incident, Source
from accounts.reauth.prompts import ask
from accounts.services import report_status
from accounts.sources import issues
from accounts.sources.service import create_source
from accounts.tenancy.agencies import create_agency
from notifications.channels.service import create_channel
from notifications.delivery import fan_out_due_events
from tests.browser.conftest import Visit, in_a_thread
from tests.reactions import react
from webhooks.models import LatencyTally, RejectedRequest

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DOCTOR = (
    "The signature would match but for this. The sender uses an old secret of this source, which ended 3 days ago. "
    "The sender signs the JSON written anew (with blanks after commas and colons, as Python's json.dumps does), "
    "not the bytes that it sends."
)


def report(agency: Agency, provider: str, status: str, *, hours_ago: float, **identity: Any) -> Account:
    account = report_status(
        agency,
        provider=provider,
        identity=AccountIdentity(**identity),
        status=AccountStatus(status),
        origin=Origin(by=provider, at=timezone.now() - timedelta(hours=hours_ago)),
    )
    react()
    return account


def furnish() -> tuple[Account, Source]:
    """An account with a life, and a source with an issue."""
    agency, _ = create_agency(name="Northwind Outreach")
    create_channel(agency=agency, kind="webhook", name="CRM hook", url="https://crm.example.com/hook")
    ada = {"external_id": "7688", "name": "Ada Lovelace", "email": "ada@example.com"}
    account = report(agency, "salesflow", "active", hours_ago=30, **ada)
    campaign = campaign_of(agency, provider="sendpilot", external_id="c1", name="Founders in Berlin")
    update_campaign(campaign, account=account)
    for hours, status in ((20, "disconnected"), (15, "active"), (6, "auth_error"), (5, "auth_error")):
        report(agency, "salesflow", status, hours_ago=hours, **ada)
    report(agency, "welink", "active", hours_ago=40, external_id="w1", name="A. King", email="ada@example.com")
    report(agency, "linkedconnector", "blocked", hours_ago=3, location_id="loc1", name="Ada Lovelace")
    ask(account, by="staff", email="ada@example.com")
    fan_out_due_events()
    source, _ = create_source(agency=agency, provider="linkedin", secret="client-secret", name="Lead forms")
    now = timezone.now()
    Source.objects.filter(pk=source.pk).update(
        last_receipt_at=now, validated_at=now - timedelta(hours=5), drift={"data.utm_campaign": 12}, gaps=2
    )
    issues.open_issue(source, IssueKind.SILENT, detail="Nothing has come for 5 hours.")
    issues.close_issues(source, IssueKind.SILENT)
    issues.open_issue(source, IssueKind.AT_RISK, detail="2 of 3 checks were missed.", level=2)
    issues.open_issue(source, IssueKind.REJECTING, detail="7 requests were refused.")
    RejectedRequest.objects.create(
        source=source, reason="wrong_signature", diagnosis=DOCTOR, count=7, first_seen=now, last_seen=now
    )
    LatencyTally.objects.create(source=source, began_at=now, requests=1200, slow=3)
    assert AccountLink.objects.exists()
    return account, source


@pytest.fixture
def office(visit: Visit) -> tuple[Visit, str, Account, Source]:
    """A signed-in member of staff, the back office's address, an account and a source."""
    staff = User.objects.create_superuser("staff", "staff@example.com", "correct horse battery")
    account, source = furnish()
    client = Client()
    client.force_login(staff)
    from django.conf import settings

    base = settings.PUBLIC_URL
    visit.page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": base,
            }
        ]
    )
    return visit, f"{base}/admin", account, source


def test_the_dashboard(office: tuple[Visit, str, Account, Source]) -> None:
    visit, base, _, _ = office
    visit.page.goto(f"{base}/")
    expect(visit.page.get_by_role("heading", name="Source issues")).to_be_visible()
    expect(visit.page.get_by_text("2 of 3 checks were missed.")).to_be_visible()
    visit.look("dashboard")


def test_an_accounts_page(office: tuple[Visit, str, Account, Source]) -> None:
    visit, base, account, _ = office
    visit.page.goto(f"{base}/accounts/account/{account.pk}/change/")
    expect(visit.page.get_by_role("heading", name="Timeline")).to_be_visible()
    expect(visit.page.get_by_text("Providers disagree")).to_be_visible()
    visit.look("account")
    visit.page.get_by_role("button", name="Revoke the owner's link").or_(
        visit.page.get_by_text("Revoke the owner's link", exact=True)
    ).first.click()
    visit.look("account-confirm")
    visit.page.locator("details[open] button").click()
    expect(visit.page.get_by_text("Staff: Revoked the link.")).to_be_visible()


def test_a_sources_page(office: tuple[Visit, str, Account, Source]) -> None:
    visit, base, _, source = office
    visit.page.goto(f"{base}/accounts/source/{source.pk}/change/")
    expect(visit.page.get_by_text("an old secret of this source").first).to_be_visible()
    visit.look("source")


def test_lists_and_a_pair_of_namesakes(office: tuple[Visit, str, Account, Source]) -> None:
    visit, base, _, _ = office
    visit.page.goto(f"{base}/accounts/account/")
    visit.look("accounts")
    visit.page.goto(f"{base}/accounts/source/")
    visit.look("sources")
    visit.page.goto(f"{base}/accounts/accountlink/{AccountLink.objects.get().pk}/change/")
    visit.page.get_by_role("button", name="The same person", exact=True).click()
    expect(visit.page.get_by_text("Linked: 1.")).to_be_visible()
    visit.look("namesakes")


def test_an_incident_and_ones_own_alerts(office: tuple[Visit, str, Account, Source]) -> None:
    visit, base, account, _ = office
    for name in ("Bea", "Cid", "Dan"):
        report(account.agency, "salesflow", "disconnected", hours_ago=0, external_id=name, name=name)
    in_a_thread(update_incidents)
    incident = Incident.objects.get()
    page = visit.page
    page.goto(f"{base}/")
    expect(page.locator(f"a[href$='/incident/{incident.pk}/change/']").first).to_be_visible()
    page.goto(f"{base}/accounts/incident/")
    visit.look("incidents")
    page.goto(f"{base}/accounts/incident/{incident.pk}/change/")
    for name in ("Bea", "Cid", "Dan"):
        expect(page.get_by_role("link", name=name).first).to_be_visible()
    visit.look("incident")
    page.goto(f"{base}/my-alerts/")
    visit.look("my-alerts")
