"""Looking changes nothing: mail scanners, prefetching browsers and link previews open every address they see."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from accounts.core.enums import AccountStatus, Role, Scope
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Member, Outage, ReauthPrompt
from accounts.services import report_status
from accounts.tenancy.team import invitation_url, invite_member
from notifications.channels.service import create_channel
from tests.api.client import api_with
from tests.api.routes import HISTORIES, LISTS, OBJECT_ROUTES, REPORTS
from tests.factories import furnish, make_world
from tests.portal.routes import ROUTES
from tests.reactions import react
from tests.statements import written_tables

pytestmark = pytest.mark.one_backend

#: What may be noted of a request: when a key was last used, and Django's sessions.
BOOKKEEPING = {"accounts_apikey", "django_session"}
PREFETCH = {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch"}


def report(agency: Agency, status: AccountStatus) -> Account:
    account = report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="7688", name="Ada Lovelace", email="ada@example.com"),
        status=status,
        origin=Origin(by="salesflow", at=timezone.now()),
    )
    react()
    return account


@pytest.fixture
def links(agency: Agency) -> list[str]:
    """The path of every link that a mail carries."""
    create_channel(agency, kind="email", email="new@example.com")
    channel, _ = create_channel(agency, kind="email", email="team@example.com", verified=True)
    new = agency.channels.get(email="new@example.com")
    token = report(agency, AccountStatus.DISCONNECTED).prompts.get().token
    invitation = invite_member(agency, email="bea@example.com", role=Role.MANAGER)
    return [
        f"/verify/{new.verification_token}",
        f"/unsubscribe/{channel.unsubscribe_token}",
        f"/reauth/{token}",
        f"/reauth/{token}/progress",
        f"/{invitation_url(invitation.pk).split('/', 3)[3]}",
    ]


def test_a_link_of_a_mail_changes_nothing_when_it_is_opened(links: list[str]) -> None:
    for link in links:
        with written_tables() as tables:
            for headers in ({}, PREFETCH):
                assert Client().get(link, headers=headers).status_code in (200, 302), link
                assert Client().head(link, headers=headers).status_code in (200, 302), link
        assert tables == [], link


def test_a_mail_scanner_makes_no_drop_expected(agency: Agency) -> None:
    token = report(agency, AccountStatus.DISCONNECTED).prompts.get().token
    for request in (Client().get, Client().head):
        request(f"/reauth/{token}")
    report(agency, AccountStatus.ACTIVE)
    account = report(agency, AccountStatus.DISCONNECTED)
    outage = Outage.objects.get(account=account, back_at=None)
    assert (outage.expected, outage.pending) == (False, True)
    assert not ReauthPrompt.objects.filter(viewed_at__isnull=False).exists()


@pytest.mark.parametrize("step", ["used", "frame", "nonsense"])
def test_who_uses_the_page_makes_a_drop_expected(agency: Agency, step: str) -> None:
    token = report(agency, AccountStatus.DISCONNECTED).prompts.get().token
    Client().post(f"/reauth/{token}", {"step": step})
    report(agency, AccountStatus.ACTIVE)
    outage = Outage.objects.get(account=report(agency, AccountStatus.DISCONNECTED), back_at=None)
    assert (outage.expected, outage.pending) == (True, False)


def test_the_word_that_the_page_is_used_needs_the_pages_token(agency: Agency) -> None:
    path = f"/reauth/{report(agency, AccountStatus.DISCONNECTED).prompts.get().token}"
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(path, {"step": "used"}).status_code == 403
    page = browser.get(path).content.decode()
    token = re.search(r'data-csrf="(\w+)"', page)
    assert token
    assert browser.post(path, {"step": "used"}, headers={"X-CSRFToken": token[1]}).status_code == 204
    assert ReauthPrompt.objects.get().viewed_at is not None


def test_linkedins_way_back_is_not_used_up_by_a_head_request(db: None) -> None:
    assert Client().head("/oauth/linkedin/callback?code=c&state=s").status_code == 405


def test_no_page_of_the_portal_changes_anything(agency: Agency) -> None:
    things, client = furnish(agency), Client()
    client.force_login(Member.objects.get(agency=agency, role=Role.OWNER).user)
    for route in (route for route in ROUTES if not route.post):
        with written_tables() as tables:
            answer = client.get(route.url(things))
        assert answer.status_code in (200, 302), route
        assert set(tables) <= BOOKKEEPING, route


def test_no_get_of_the_api_changes_anything(agency: Agency) -> None:
    world, api = make_world(agency, "a"), api_with(agency, Scope.READ)
    reads = [f"{name}?q=ann" if name == "search" else name for name in REPORTS]
    paths = [*LISTS, *reads, *(f"{name}/{world.ids[name]}/{rest}" for name, rest in HISTORIES)]
    paths += [f"{name}/{world.ids[name]}{rest}" for method, name, rest, _, _ in OBJECT_ROUTES if method == "get"]
    for path in paths:
        with written_tables() as tables:
            answer = api.get(path)
        assert answer.status_code == 200, path
        assert set(tables) <= BOOKKEEPING, path
