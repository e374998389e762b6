"""A connection's life: made by OAuth, looked at daily, renewed ahead, announced before it ends, mended by a person."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, override_settings

from accounts.core.enums import IssueKind, Scope
from accounts.models import Account, AccountToken, Agency, Event
from accounts.providers.linkedin import Api
from accounts.reauth.options import offer_for
from accounts.sources import issues
from config.demo.linkedin_api import StandIn
from config.demo.linkedin_api.forms import ACCOUNT, PAGE
from config.demo.linkedin_api.world import World
from leads.lead_sync import health_checks
from leads.lead_sync.oauth import connect_link
from leads.lead_sync.problems import problems_of
from leads.lead_sync.subscriptions import want
from leads.models import Lead, LeadSync, Subscription
from leads.tasks import look_after
from tests.api.client import api_with
from tests.leads.lead_sync.linkedin import SPONSORED, agree, connected, linkedin, notify, source_of, sync_of, work

pytestmark = [pytest.mark.django_db, pytest.mark.one_backend]
START = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Days:
    """LinkedIn's clock and ours, moved together."""

    def __init__(self, stand_in: StandIn, clock: time_machine.Traveller) -> None:
        self.world, self.clock = stand_in.world, clock

    def on(self, day: float) -> None:
        self.clock.move_to(START + timedelta(days=day))
        look_after()
        work()


@pytest.fixture
def days() -> Iterator[Days]:
    with time_machine.travel(START, tick=False) as clock, linkedin() as stand_in:
        yield Days(stand_in, clock)


def codes(sync: LeadSync) -> set[str]:
    return {problem.code for problem in problems_of(sync)}


def recorded_events(kind: str) -> list[Event]:
    return list(Event.objects.filter(event_type=kind).order_by("pk"))


def test_the_callback_completes_a_connection_without_a_sign_in_of_ours(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = source_of(agency)
        link = connect_link(source)
        asked = {name: values[0] for name, values in parse_qs(urlsplit(link.url).query).items()}
        assert asked["redirect_uri"] == "http://127.0.0.1:8000/oauth/linkedin/callback"
        assert asked["scope"].split() == ["r_marketing_leadgen_automation", "r_ads", "r_organization_admin"]
        back = agree(link.url)
        page = Client().get("/oauth/linkedin/callback", back)
        assert (page.status_code, b"LinkedIn is connected" in page.content) == (200, True)
        assert stand_in.world.member not in page.content.decode()
    account = Account.objects.get()
    assert (account.provider, account.external_id, account.status) == ("linkedin", stand_in.world.member, "active")
    assert account.granted_scopes == sorted(asked["scope"].split())
    assert None not in (account.token_expires_at, account.refresh_expires_at, account.last_heartbeat_at)
    assert account.sign_in_by == account.refresh_expires_at
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT token FROM {AccountToken._meta.db_table}")
        stored = cursor.fetchone()[0]
    assert not [token for token in (*stand_in.world.access, *stand_in.world.refresh) if token in stored]


@pytest.mark.once
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": "made-up"}, "not one of ours"),
        ({"state": ""}, "not one of ours"),
        ({"code": "made-up"}, "did not accept"),
        ({"code": ""}, "nothing to connect with"),
        ({"error": "user_cancelled_authorize"}, "the permission was not given"),
    ],
)
def test_a_way_back_that_is_not_right_connects_nothing(agency: Agency, change: dict[str, str], words: str) -> None:
    with linkedin():
        page = Client().get("/oauth/linkedin/callback", agree(connect_link(source_of(agency)).url) | change)
    assert (page.status_code, words in page.content.decode()) == (400, True)
    assert not Account.objects.exists()


def test_a_link_works_once_and_for_an_hour(agency: Agency) -> None:
    with linkedin(), time_machine.travel(START, tick=False) as clock:
        source = source_of(agency)
        link = connect_link(source).url
        late = agree(link)
        assert Client().get("/oauth/linkedin/callback", agree(link)).status_code == 200
        assert "used already" in Client().get("/oauth/linkedin/callback", agree(link)).content.decode()
        clock.shift(timedelta(minutes=61))
        assert "older than an hour" in Client().get("/oauth/linkedin/callback", late).content.decode()


def test_the_api_makes_the_link(agency: Agency) -> None:
    with linkedin():
        source = source_of(agency)
        answer = api_with(agency, Scope.ADMIN).post(f"sources/{source.pk}/connect")
    assert answer.status_code == 202
    assert set(answer.json()) == {"authorize_url", "expires_at"}
    assert "/oauth/v2/authorization?" in answer.json()["authorize_url"]


def test_the_token_is_renewed_ahead_and_the_refresh_tokens_end_stays(agency: Agency, days: Days) -> None:
    connected(agency)
    work()
    ends = Account.objects.get().refresh_expires_at
    assert ends is not None
    issued = []
    for day in (1, 30, 52, 53, 54, 59):
        days.on(day)
        token = Account.objects.get().token_expires_at
        assert token is not None
        assert token - (START + timedelta(days=day)) > timedelta(days=5)
        issued.append(len(days.world.access))
    assert issued == [1, 1, 1, 2, 2, 2]
    assert abs(Account.objects.get().refresh_expires_at - ends) < timedelta(seconds=5)  # type: ignore[operator]
    assert Account.objects.get().status == "active"


def test_people_are_warned_14_7_3_and_1_days_before_they_must_sign_in_again(agency: Agency, days: Days) -> None:
    connected(agency)
    work()
    for day in (340, 350.9, 351.1, 352, 357.9, 358.1, 361.9, 362.1, 363.9, 364.1, 364.5):
        days.on(day)
    warned = [(event.occurred_at - START) / timedelta(days=1) for event in recorded_events("linkedin_token_expiring")]
    assert warned == pytest.approx([351.1, 358.1, 362.1, 364.1])
    assert {event.payload["expires_at"] for event in recorded_events("linkedin_token_expiring")} == {
        "2027-01-01T12:00:00.000Z"
    }
    days.on(365.1)
    assert Account.objects.get().status == "auth_error"
    assert "expired" in recorded_events("linkedin_auth_error")[0].payload["error_detail"]
    assert codes(sync_of(Account.objects.get().lead_syncs.get().source)) >= {"token_expired"}


def test_without_refresh_tokens_a_person_signs_in_every_sixty_days(agency: Agency, days: Days) -> None:
    days.world.may_refresh = False
    connected(agency)
    for day in (45, 46.5, 53.5, 57.5, 59.5):
        days.on(day)
    assert len(recorded_events("linkedin_token_expiring")) == 4
    days.on(60.1)
    assert Account.objects.get().status == "auth_error"


def test_a_permission_taken_back_is_told_apart_from_one_that_ran_out(agency: Agency, days: Days) -> None:
    source = connected(agency)
    work()
    days.clock.shift(timedelta(seconds=1))
    days.world.revoke()
    notify(source, days.world.submit())
    work()
    [event] = recorded_events("linkedin_auth_error")
    assert "revoked" in event.payload["error_detail"]
    assert "65601" in event.payload["error_detail"]
    assert codes(sync_of(source)) == {"token_revoked"}
    days.clock.shift(timedelta(seconds=1))
    assert Client().get("/oauth/linkedin/callback", agree(connect_link(source).url)).status_code == 200
    work()
    assert Account.objects.get().status == "active"
    assert not Lead.objects.filter(details_pending=True).exists()


def test_the_owner_is_offered_the_way_back(agency: Agency, days: Days) -> None:
    source = connected(agency)
    days.clock.shift(timedelta(seconds=1))
    days.world.revoke()
    notify(source, days.world.submit())
    work()
    offer = offer_for(Account.objects.get())
    path = urlsplit(offer.url).path
    there = Client().get(path)
    assert (offer.way, there.status_code) == ("link", 302)
    days.clock.shift(timedelta(seconds=1))
    assert Client().get("/oauth/linkedin/callback", agree(there["Location"])).status_code == 200
    assert Account.objects.get().status == "active"
    assert Client().get(path + "x").status_code == 404
    days.clock.shift(timedelta(days=9))
    assert Client().get(path).status_code == 404


def test_no_heartbeat_for_26_hours_is_a_finding(agency: Agency, days: Days) -> None:
    source = connected(agency)
    work()
    assert codes(sync_of(source)) == set()
    days.clock.shift(timedelta(hours=25, minutes=59))
    assert codes(sync_of(source)) == set()
    days.clock.shift(timedelta(minutes=2))
    assert codes(sync_of(source)) == {"no_heartbeat"}
    work()
    assert codes(sync_of(source)) == set()


def test_missing_permissions_and_roles_are_said_in_words(agency: Agency) -> None:
    world = World(scopes=("r_marketing_leadgen_automation", "r_ads"), page_roles={}, account_roles={ACCOUNT: "VIEWER"})
    with linkedin(world):
        source = connected(agency)
        want(source, [SPONSORED, {"owner": "urn:li:sponsoredAccount:9", "lead_type": "SPONSORED"}])
        work()
        found = {problem.code: problem.message for problem in problems_of(sync_of(source))}
    assert "Developer Portal" in found["scope_r_organization_admin"]
    assert "ad account 9" in found["role_ad_account"]
    assert "Campaign Manager" in found["role_ad_account"]
    assert "scope_r_ads" not in found


def test_event_leads_need_their_own_scope_and_role(agency: Agency) -> None:
    world = World(page_roles={PAGE: "LEAD_GEN_FORMS_MANAGER"})
    with linkedin(world):
        source = connected(agency)
        want(source, [{"owner": PAGE, "lead_type": "EVENT"}])
        assert "r_events" in connect_link(source).url
        work()
    assert codes(sync_of(source)) >= {"scope_r_events", "role_page"}


def test_a_subscription_that_vanished_is_made_anew_and_a_foreign_one_reported(agency: Agency, days: Days) -> None:
    source = connected(agency)
    work()
    [row] = days.world.subscriptions.values()
    assert (row["webhook"], row["owner"]) == (source.webhook_url, {"sponsoredAccount": ACCOUNT})
    days.world.subscriptions.clear()
    days.world.subscriptions[7] = row | {"id": 7, "webhook": "https://other.example.com/hook"}
    days.on(1.01)
    assert {row["webhook"] for row in days.world.subscriptions.values()} == {
        source.webhook_url, "https://other.example.com/hook",
    }  # fmt: skip
    [problem] = problems_of(sync_of(source))
    assert problem.code == "foreign_subscription"
    assert "https://other.example.com/hook" in problem.message


def test_what_is_no_longer_wanted_is_taken_away_at_linkedin(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        want(source, [])
        work()
        assert stand_in.world.subscriptions == {}
    assert not Subscription.objects.exists()
    assert codes(sync_of(source)) == {"no_subscription"}


def test_an_address_that_linkedin_blocked_is_looked_at_once_it_is_back(agency: Agency, days: Days) -> None:
    source = connected(agency)
    work()
    issues.open_issue(source, IssueKind.BLOCKED, detail="3 of 3 checks were missed.", level=3)
    days.on(0.3)
    days.world.subscriptions.clear()
    days.world.submit()
    days.on(0.4)
    assert days.world.subscriptions == {}
    issues.close_issues(source, IssueKind.BLOCKED)
    days.on(0.41)
    assert len(days.world.subscriptions) == 1
    assert Lead.objects.get().recovered is True
    checked = sync_of(source).checked_at
    days.on(0.42)
    assert sync_of(source).checked_at == checked


def test_a_version_that_linkedin_no_longer_serves_names_the_setting(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        stand_in.world.versions = {"209901"}
        work()
        [problem] = [found for found in problems_of(sync_of(source)) if found.code == "sunset"]
        assert "LINKEDIN_VERSION" in problem.message
        with override_settings(LINKEDIN_VERSION="209901"):
            LeadSync.objects.update(next_attempt_at=START)
            work()
    assert codes(sync_of(source)) == set()


def test_what_is_wanted_during_a_check_makes_another_due_at_once(
    agency: Agency, monkeypatch: pytest.MonkeyPatch
) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        reconcile = health_checks.reconcile  # type: ignore[attr-defined]

        def want_more(sync: LeadSync, api: Api) -> list[str]:
            monkeypatch.setattr(health_checks, "reconcile", reconcile)
            foreign = reconcile(sync, api)
            want(source, [SPONSORED, {"owner": PAGE, "lead_type": "COMPANY"}])
            assert health_checks.check_due() is False  # not beside the one that is under way
            return foreign

        monkeypatch.setattr(health_checks, "reconcile", want_more)
        assert health_checks.check_due() is True
        assert len(stand_in.world.subscriptions) == 1
        assert health_checks.check_due() is True
        assert len(stand_in.world.subscriptions) == 2


def test_a_webhook_that_fails_the_challenge_is_a_finding(agency: Agency) -> None:
    with linkedin() as stand_in:
        stand_in.world.challenge = lambda url: False  # type: ignore[method-assign]
        source = connected(agency)
        work()
    [problem] = problems_of(sync_of(source))
    assert "did not pass the security challenge check" in problem.message


def test_who_has_no_role_at_all_is_connected_and_told_so(agency: Agency) -> None:
    with linkedin(World(page_roles={}, account_roles={})):
        source = connected(agency)
        work()
    account = Account.objects.get()
    assert (account.status, account.external_id) == ("active", f"urn:li:source:{source.pk}")
    assert codes(sync_of(source)) >= {"role_ad_account", "role_page"}


def test_a_version_that_is_gone_already_is_said_to_who_connects(agency: Agency) -> None:
    with linkedin(World(versions={"209901"})):
        page = Client().get("/oauth/linkedin/callback", agree(connect_link(source_of(agency)).url))
    assert (page.status_code, "LINKEDIN_VERSION" in page.content.decode()) == (400, True)


def test_a_person_stays_with_their_agency(agency: Agency, stranger: Agency) -> None:
    person = User.objects.create_user("ann", "ann@example.com")
    with linkedin():
        source = connected(agency, user=person)
    assert sync_of(source).connected_by == person
    assert stranger.accounts.count() == 0
    assert agency.accounts.count() == 1
