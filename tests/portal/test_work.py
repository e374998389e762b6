"""A day's work: accounts, leads, sources, keys, settings."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.core.enums import PROVIDERS, AccountStatus, EventType, IssueKind, ProviderSlug, Role, SuggestedAction
from accounts.labels import ACCOUNT_STATUSES, ACTIONS
from accounts.models import Account, Agency, Source
from accounts.reauth.prompts import record_bounce
from accounts.sources import issues
from accounts.sources.service import create_source, valid_secrets
from accounts.tenancy.api_keys import find_api_key
from accounts.web.portal.pagination import SIZE
from leads.enums import LeadStatus
from leads.models import Lead, LeadChange
from leads.pipeline.changes import create_lead
from tests.cases import one_by_one
from tests.factories import Everything
from tests.portal.browser import Browser

#: Of the overview, without its caches: each number of it is one query.
MOST_QUERIES = 45


@pytest.fixture
def owner(sign_in: Browser) -> Client:
    return sign_in(Role.OWNER)


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_every_state_and_action_has_its_words() -> None:
    assert set(ACCOUNT_STATUSES) == set(AccountStatus)
    assert set(ACTIONS) == set(SuggestedAction)
    assert set(PROVIDERS) == set(ProviderSlug)


def test_the_overview_says_who_needs_somebody_and_what_to_do(ours: Everything, owner: Client) -> None:
    Lead.objects.filter(pk=ours.lead.pk).update(status=LeadStatus.REPLY_RECEIVED)
    page = html(owner, "/")
    assert "Needs attention" in page
    assert "account needs attention</span> <strong>1</strong>" in page
    assert "Ask its owner to sign in again." in page
    assert f'href="/linkedin/{ours.account.pk}"' in page
    assert "lead awaiting reply</span> <strong>1</strong>" in page
    assert f'href="/leads/{ours.lead.pk}"' in page
    assert "delivery failed today</span> <strong>1</strong>" in page


def test_the_overview_asks_the_database_as_often_for_many_accounts_and_leads_as_for_one(
    ours: Everything, owner: Client
) -> None:
    def questions() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as asked:
            html(owner, "/")
        return len(asked)

    before, now = questions(), timezone.now()
    for number in range(12):
        account = Account.objects.create(
            agency=ours.agency, provider="welink", external_id=f"{number}", status="blocked", status_since=now
        )
        create_lead(ours.agency, name=f"L{number}", account=account, campaign=ours.campaign)
    assert questions() == before <= MOST_QUERIES


def test_the_overview_shows_channels_that_do_not_deliver(ours: Everything, owner: Client) -> None:
    type(ours.webhook).objects.update(consecutive_failures=0, failing_since=None)
    assert "Failing channels" not in html(owner, "/")
    type(ours.webhook).objects.filter(pk=ours.webhook.pk).update(consecutive_failures=5, failing_since=timezone.now())
    page = html(owner, "/")
    assert "Failing channels" in page
    assert "Failing" in page


@one_by_one(
    "query, found",
    [
        ("", 1),
        ("?status=auth_error", 1),
        ("?status=active", 0),
        ("?provider=sendpilot", 0),
        ("?q=ann", 1),
        ("?q=zed", 0),
    ],
)
def test_accounts_are_filtered(ours: Everything, owner: Client, query: str, found: int) -> None:
    assert html(owner, f"/linkedin{query}").count(f'href="/linkedin/{ours.account.pk}"') == found


def test_an_account_shows_its_history_newest_first(ours: Everything, owner: Client) -> None:
    report = ours.account.reports.get()
    ours.account.reports.create(
        from_status="auth_error", to_status="active", occurred_at=timezone.now(), reported_by="welink", applied=True
    )
    page = html(owner, f"/linkedin/{ours.account.pk}")
    timeline = page.partition(">History</h2>")[2]
    assert timeline.index("Active") < timeline.index("Sign-in failed")
    assert report.note in timeline
    assert "Ask its owner to sign in again." in page


def test_an_account_says_that_its_address_gets_no_mail(agency: Agency, owner: Client) -> None:
    account = Account.objects.create(
        agency=agency,
        provider="salesflow",
        external_id="1",
        email="ada@example.com",
        status="active",
        status_since=timezone.now(),
    )
    record_bounce("ada@example.com", reason="Mail to this address came back.")
    page = html(owner, f"/linkedin/{account.pk}")
    assert "Mail bounces" in page
    assert "Mail to this address came back. Asked instead: " in page


@pytest.mark.parametrize("pages", [2, 3])
def test_a_long_list_is_read_to_its_end_and_back(agency: Agency, owner: Client, pages: int) -> None:
    now = timezone.now()
    for number in range(SIZE * (pages - 1) + 10):
        Account.objects.create(
            agency=agency, provider="welink", external_id=str(number), status="active", status_since=now
        )
    seen: list[str] = []
    path = "/linkedin?status=active"
    for _ in range(pages):
        page = html(owner, path)
        seen += re.findall(r'href="/linkedin/(acc_\w+)"', page)
        older = re.findall(r'href="([^"]+)" rel="next"', page)
        path = "/linkedin" + older[0].replace("&amp;", "&") if older else path
    assert older == []
    assert seen == sorted(agency.accounts.values_list("pk", flat=True), reverse=True)
    [newer] = re.findall(r'href="([^"]+)" rel="prev"', html(owner, path))
    back = html(owner, "/linkedin" + newer.replace("&amp;", "&"))
    assert re.findall(r'href="/linkedin/(acc_\w+)"', back) == seen[-SIZE - 10 : -10]


def test_a_lead_is_found_by_a_part_of_what_one_has(ours: Everything, owner: Client) -> None:
    mine = create_lead(
        ours.agency, name="Bob", email="Bob.Miller@Example.com", linkedin_url="https://linkedin.com/in/bob-miller"
    )
    for word, found in (
        ("bob.miller@example.com", True),
        ("http://www.LinkedIn.com/in/Bob-Miller/?trk=x", True),
        (mine.pk, True),
        ("bob", True),
        ("bob.miller@example.co", True),
        ("bob.miller@example.org", False),
        ("%", False),
    ):
        answer = owner.get("/leads", {"q": word}).content.decode()
        assert (f'href="/leads/{mine.pk}?' in answer) is found, word
    by_reference = owner.get("/leads", {"q": "ref-1"}).content.decode()
    assert f'href="/leads/{ours.lead.pk}?' in by_reference
    assert f'href="/leads/{mine.pk}?' not in by_reference


def test_leads_are_filtered_by_status_and_campaign(ours: Everything, owner: Client) -> None:
    other = create_lead(ours.agency, name="Bob", email="bob@example.com", status=LeadStatus.DONE)
    campaign = ours.lead.campaign_id
    for query, found in (
        ("?status=DONE", {other.pk}),
        (f"?campaign={campaign}", {ours.lead.pk}),
        ("?status=OPPORTUNITY", set()),
    ):
        shown = set(re.findall(r'href="/leads/(lead_\w+)\?', html(owner, f"/leads{query}")))
        assert shown == found, query


def test_setting_a_leads_status_is_history_and_news(ours: Everything, owner: Client) -> None:
    path = f"/leads/{ours.lead.pk}"
    answer = owner.post(f"{path}/status", {"status": "OPPORTUNITY", "note": "Called, wants an offer"})
    assert (answer.status_code, answer["Location"]) == (302, path)
    ours.lead.refresh_from_db()
    assert ours.lead.status == LeadStatus.OPPORTUNITY
    change = LeadChange.objects.filter(lead=ours.lead).order_by("-pk")[0]
    assert (change.changed_by, change.note) == ("user", "Called, wants an offer")
    recorded = ours.agency.events.filter(subject=ours.lead.pk).values_list("event_type", flat=True)
    assert {EventType.LEAD_STATUS_CHANGED, EventType.LEAD_OPPORTUNITY} <= set(recorded)
    page = html(owner, path)
    assert "Called, wants an offer" in page
    assert "by owner@" in page


def test_a_status_that_does_not_exist_changes_nothing(ours: Everything, owner: Client) -> None:
    page = owner.post(f"/leads/{ours.lead.pk}/status", {"status": "RICH"}, follow=True).content.decode()
    assert "Select a valid choice" in page
    assert Lead.objects.get(pk=ours.lead.pk).status == LeadStatus.PENDING


def test_a_profile_elsewhere_than_at_linkedin_is_no_link(agency: Agency, owner: Client) -> None:
    for url in ("https://evil.example.org/linkedin.com/in/x", "javascript:alert(1)", "https://linkedin.com.evil.org/"):
        lead = create_lead(agency, name="Eve", linkedin_url=url)
        page = html(owner, f"/leads/{lead.pk}")
        assert "evil" not in " ".join(re.findall(r'href="([^"]*)"', page))
        assert "javascript" not in " ".join(re.findall(r'href="([^"]*)"', page))


def test_a_source_is_made_and_waits_for_the_secret_that_its_provider_makes(agency: Agency, owner: Client) -> None:
    page = owner.post("/sources", {"provider": "salesflow", "name": "Sales", "secret": ""}, follow=True)
    source = Source.objects.get()
    assert page.request["PATH_INFO"] == f"/sources/{source.pk}"
    shown = page.content.decode()
    assert valid_secrets(source) == []
    assert source.webhook_url in shown
    assert "Waiting for the first request" in shown
    assert "Salesflow makes the secret itself" in shown
    owner.post(f"/sources/{source.pk}/secret", {"secret": "what-salesflow-made"})
    assert valid_secrets(Source.objects.get()) == ["what-salesflow-made"]
    after = html(owner, f"/sources/{source.pk}")
    assert "Secret set" in after
    assert "what-salesflow-made" not in after
    assert "Waiting for first event" in html(owner, "/sources")


def test_a_linkedin_source_needs_the_secret_that_linkedin_gave(agency: Agency, owner: Client) -> None:
    answer = owner.post("/sources", {"provider": "linkedin", "name": "", "secret": ""})
    assert answer.status_code == 422
    assert "Paste the client secret of your LinkedIn app." in answer.content.decode()
    assert not Source.objects.exists()


def test_rotating_keeps_the_old_secret_for_a_day(ours: Everything, owner: Client) -> None:
    [old] = valid_secrets(ours.source)
    shown = owner.post(f"/sources/{ours.source.pk}/rotate", {"secret": ""}, follow=True).content.decode()
    source = Source.objects.get(pk=ours.source.pk)
    new, kept = valid_secrets(source)
    assert kept == old
    assert new in shown
    assert old not in shown


def test_rotating_linkedconnector_changes_the_address(agency: Agency, owner: Client) -> None:
    owner.post("/sources", {"provider": "linkedconnector", "name": "", "secret": ""})
    before = Source.objects.get()
    shown = owner.post(f"/sources/{before.pk}/rotate", {"secret": ""}, follow=True).content.decode()
    after = Source.objects.get()
    assert after.webhook_url != before.webhook_url
    assert after.webhook_url in shown
    assert after.previous_token == before.token


def test_a_source_is_renamed_switched_and_removed(ours: Everything, owner: Client) -> None:
    path = f"/sources/{ours.source.pk}"
    owner.post(f"{path}/rename", {"name": "Renamed"})
    owner.post(f"{path}/switch", {"to": "off"})
    source = Source.objects.get(provider="welink")
    assert (source.name, source.enabled) == ("Renamed", False)
    assert "Disabled" in html(owner, "/sources")
    owner.post(f"{path}/remove")
    assert "Renamed" not in html(owner, "/sources").partition("<main")[2].partition("</ul>")[2]
    assert owner.post(f"{path}/switch", {"to": "on"}).status_code == 404


def test_a_source_says_what_it_refused_and_what_waits(ours: Everything, owner: Client) -> None:
    page = html(owner, "/sources")
    assert "3 requests rejected" in page
    ours.source.receipts.create(
        agency=ours.agency,
        provider="welink",
        dedupe_key=b"1",
        body=b"{}",
        received_at=timezone.now(),
        status="quarantined",
    )
    assert "2 unrecognised events" in html(owner, "/sources")
    assert "unrecognised events</span> <strong>2</strong>" in html(owner, "/")
    assert 'href="/received/unrecognised"' in html(owner, "/")


def test_a_key_is_shown_once_works_and_is_revoked(agency: Agency, owner: Client) -> None:
    answer = owner.post("/keys", {"name": "CRM", "scopes": ["read", "write"], "lifetime": "30"}, follow=True)
    [key] = re.findall(r'value="(ll_[^"]+)"', answer.content.decode())
    row = find_api_key(key)
    assert row is not None
    assert (row.agency, row.name, row.scopes) == (agency, "CRM", ["read", "write"])
    assert row.expires_at is not None
    assert abs(row.expires_at - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)
    assert key not in html(owner, "/keys")
    owner.post(f"/keys/{row.pk}/revoke")
    assert find_api_key(key) is None
    assert "Revoked" in html(owner, "/keys")


def test_a_key_without_rights_is_not_made(agency: Agency, owner: Client) -> None:
    before = agency.api_keys.count()
    assert owner.post("/keys", {"name": "CRM", "lifetime": ""}).status_code == 422
    assert agency.api_keys.count() == before


def test_times_are_told_where_the_agency_is(ours: Everything, owner: Client) -> None:
    owner.post("/settings", {"name": "Renamed", "timezone": "Asia/Tokyo", "locale": "en-GB"})
    ours.agency.refresh_from_db()
    assert (ours.agency.name, ours.agency.timezone, ours.agency.locale) == ("Renamed", "Asia/Tokyo", "en-GB")
    assert ' JST"' in html(owner, f"/linkedin/{ours.account.pk}")


@pytest.mark.parametrize("given", [{"name": ""}, {"timezone": "Mars/Olympus"}, {"locale": "xx"}])
def test_settings_that_cannot_be_are_refused(agency: Agency, owner: Client, given: dict[str, str]) -> None:
    data = {"name": "N", "timezone": "UTC", "locale": "en-US"} | given
    assert owner.post("/settings", data).status_code == 422
    before = (agency.name, agency.timezone, agency.locale)
    agency.refresh_from_db()
    assert (agency.name, agency.timezone, agency.locale) == before


def test_a_sources_troubles_are_said_with_what_to_do(agency: Agency, owner: Client) -> None:
    source, _ = create_source(agency=agency, provider="linkedin", secret="client-secret", name="Lead forms")
    issues.open_issue(source, IssueKind.AT_RISK, detail="1 of 3 checks was missed.", level=1)
    issues.open_issue(source, IssueKind.SLOW, detail="Ours to mend.")
    page = html(owner, "/sources")
    assert "May soon be blocked" in page
    assert "1 of 3 checks was missed." in page
    assert "Ours to mend." not in page
