"""From the mail's link to an account that is back, against a stand-in of each provider."""

import json
import re
from collections.abc import Iterator

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.fixtures import Settings

from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountToken, ReauthPrompt, Source
from accounts.services import report_status
from accounts.sources.service import create_source
from accounts.tenancy.agencies import create_agency
from accounts.tenancy.brand import update_brand
from notifications.delivery import drain_deliveries
from tests.browser.conftest import Visit, in_a_thread
from tests.images import tiny_png
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, work
from tests.reactions import react
from tests.receiving import receive
from tests.standins import StandIn, provider
from webhooks.processing.processor import process_due_receipts

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def there(settings: Settings) -> Iterator[StandIn]:
    with provider() as stand_in:
        settings.SALESFLOW_API_BASE = settings.WELINK_API_BASE = stand_in.base
        stand_in.answers = {
            "/public/api/v1/tokens/onboarding": (200, {"token": "onboarding-1"}),
            "/api/v1/login_v2": (200, {"request_id": "req-1"}),
            "/api/v1/pin": (200, {"request_id": "req-2"}),
        }
        yield stand_in


def source_with(slug: str, **credentials: str) -> Source:
    agency, _ = create_agency(name="Northwind Outreach")
    return create_source(agency=agency, provider=slug, credentials=credentials)[0]


def link_from_the_mail(source: Source, external_id: str) -> str:
    """Let the account drop; the link that its owner gets."""
    assert source.agency is not None
    mail.outbox.clear()
    report_status(
        source.agency,
        provider=source.provider,
        identity=AccountIdentity(external_id=external_id, name="Ada Lovelace", email="ada@example.com"),
        status=AccountStatus.DISCONNECTED,
        origin=Origin(by=source.provider, at=timezone.now(), source=source),
    )
    in_a_thread(react)
    in_a_thread(drain_deliveries)
    [message] = [message for message in mail.outbox if message.to == ["ada@example.com"]]
    return link_in(message)


def link_in(message: EmailMessage) -> str:
    found = re.search(r"Reconnect the account: (\S+)", str(message.body))
    assert found
    return found[1]


def webhook(source: Source, **body: object) -> None:
    """What the provider delivers next."""
    receive(source, json.dumps(body).encode())
    while process_due_receipts():
        pass
    react()


def is_done(page: Page) -> None:
    expect(page.get_by_role("heading", name="Thank you, that was all")).to_be_visible()
    assert Account.objects.get().status == "active"


def test_salesflows_page_is_completed_inside_ours(visit: Visit, there: StandIn) -> None:
    source = source_with("salesflow", api_key="sf-key", domain_host_name=there.host)
    page = visit.page
    page.goto(link_from_the_mail(source, "7688"))
    expect(page.get_by_text("Ada Lovelace")).to_be_visible()
    visit.look("reauth-salesflow-start")
    page.get_by_role("button", name="Start").click()
    frame = page.frame_locator("#provider")
    frame.get_by_role("button", name="It goes wrong").click()
    expect(page.get_by_text("Salesflow says that it did not work")).to_be_visible()
    visit.look("reauth-salesflow-frame")
    page.evaluate("postMessage({type: 'handleResponse', data: {action: '1', token: 'forged'}}, '*')")
    frame.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="One moment, please")).to_be_visible()
    visit.look("reauth-waiting")
    assert AccountToken.objects.get().token == "account-token-7688"
    webhook(
        source,
        EventType="ACCOUNT_STATUS_CHANGED",
        Payload={"Data": {"Status": "ACCOUNT_ACTIVE"}},
        LinkedInAccountId=7688,
        LinkedInEmail="ada@example.com",
    )
    is_done(page)
    visit.look("reauth-done")


def test_welinks_sign_in_and_code_are_completed_on_our_page(visit: Visit, there: StandIn) -> None:
    source = source_with("welink", api_key="wl-key", api_secret="wl-secret")
    Source.objects.update(pin_endpoint="/api/v1/pin")
    page = visit.page
    page.goto(link_from_the_mail(source, "john-doe"))
    visit.look("reauth-welink-start")
    page.get_by_label("LinkedIn password").fill("a password")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="One moment, please")).to_be_visible()
    webhook(source, request_id="req-1", status="PIN_REQUIRED", message="A code was sent.")
    expect(page.get_by_role("heading", name="Enter the code")).to_be_visible()
    visit.look("reauth-welink-code")
    page.get_by_label("Code").fill("123456")
    page.get_by_role("button", name="Send the code").click()
    expect(page.get_by_role("heading", name="One moment, please")).to_be_visible()
    webhook(source, request_id="req-2", status="LOGIN_SUCCESS")
    is_done(page)


def test_a_wrong_password_can_be_corrected(visit: Visit, there: StandIn) -> None:
    source = source_with("welink", api_key="wl-key", api_secret="wl-secret")
    page = visit.page
    page.goto(link_from_the_mail(source, "john-doe"))
    page.get_by_label("LinkedIn password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="One moment, please")).to_be_visible()
    webhook(source, request_id="req-1", status="WRONG_PASSWORD", message="wrong password")
    expect(page.get_by_text("LinkedIn did not accept this sign-in")).to_be_visible()
    visit.look("reauth-welink-wrong")
    page.get_by_label("LinkedIn password").fill("right")
    page.get_by_role("button", name="Sign in").click()
    webhook(source, request_id="req-1", status="LOGIN_SUCCESS")
    is_done(page)


def test_linkedins_own_sign_in_brings_a_connection_back(visit: Visit) -> None:
    agency, _ = create_agency(name="Northwind Outreach")
    with linkedin(over_http=True) as there:
        source = connected(agency)
        Account.objects.update(email="ada@example.com", name="Ada Lovelace")
        there.world.revoke()
        notify(source, there.world.submit())
        in_a_thread(work)
        assert Account.objects.get().status == "auth_error"
        in_a_thread(react)
        in_a_thread(drain_deliveries)
        [message] = [message for message in mail.outbox if message.to == ["ada@example.com"]]
        page = visit.page
        page.goto(link_in(message))
        visit.look("reauth-linkedin")
        page.get_by_role("link", name="Go to the sign-in page").click()
        expect(page.get_by_role("heading", name="LinkedIn is connected")).to_be_visible()
        visit.look("reauth-linkedin-done")
    assert Account.objects.get().status == "active"


def test_an_account_that_its_provider_reconnects_elsewhere_gets_a_link_there(visit: Visit) -> None:
    source = source_with("linkedconnector")
    Source.objects.update(reauth_url="https://connect.example.com/start")
    page = visit.page
    page.goto(link_from_the_mail(source, "li-1"))
    expect(page.get_by_role("link", name="Go to the sign-in page")).to_have_attribute(
        "href", "https://connect.example.com/start"
    )
    visit.look("reauth-link")


def test_a_page_that_is_merely_loaded_is_not_in_use_until_somebody_presses_something(visit: Visit) -> None:
    source = source_with("linkedconnector")
    page = visit.page
    page.goto(link_from_the_mail(source, "li-1"), wait_until="networkidle")
    page.evaluate("document.body.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true}))")
    assert ReauthPrompt.objects.get().viewed_at is None
    with page.expect_response(lambda answer: answer.request.method == "POST") as response:
        page.get_by_role("heading").first.click()
    assert response.value.status == 204
    assert ReauthPrompt.objects.get().viewed_at is not None


def test_an_owner_is_two_taps_from_the_sign_in_under_the_agencys_name(visit: Visit, there: StandIn) -> None:
    source = source_with("salesflow", api_key="sf-key", domain_host_name=there.host)
    assert source.agency is not None
    update_brand(source.agency, sender_name="Acme Sales", colour="#ffdd00", logo=tiny_png(120, 40))
    page, count = visit.page, 0
    link = link_from_the_mail(source, "7688")
    [message] = [message for message in mail.outbox if message.to == ["ada@example.com"]]
    assert message.from_email.startswith("Acme Sales <")
    page.goto(link)
    count += 1
    expect(page.get_by_role("img", name="Acme Sales")).to_be_visible()
    start = page.get_by_role("button", name="Start")
    box, window = start.bounding_box(), page.viewport_size
    assert box
    assert window
    assert box["y"] + box["height"] <= window["height"] / 2  # above the fold, also with a keyboard on the screen
    assert start.evaluate("button => getComputedStyle(button).backgroundColor") == "rgb(255, 221, 0)"
    visit.look("reauth-brand")
    start.click()
    count += 1
    expect(page.locator("#provider")).to_be_visible()
    assert count == 2


def test_the_sign_in_form_is_above_the_fold(visit: Visit, there: StandIn) -> None:
    source = source_with("welink", api_key="wl-key", api_secret="wl-secret")
    visit.page.goto(link_from_the_mail(source, "john-doe"))
    box, window = visit.page.get_by_role("button", name="Sign in").bounding_box(), visit.page.viewport_size
    assert box
    assert window
    assert box["y"] + box["height"] <= window["height"]
