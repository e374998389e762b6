"""The pages of reports: every number opens exactly the leads that it counts, and says what it counts."""

import html
import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.core.enums import Role
from accounts.models import Account, Agency, Campaign
from accounts.sources.service import create_source
from leads.analytics.counted import facts_counted, read_counted
from leads.analytics.counting import GROUPS
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead, LeadFact
from leads.pipeline.changes import create_lead, set_status
from leads.portal.figures.labels import DIMENSIONS
from leads.portal.figures.spec import PAGES
from leads.sla.responses import answer_elsewhere
from tests.leads.routing.teams import make_member
from tests.portal.browser import Browser
from tests.reactions import react

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)  # a Wednesday
LINKED = re.compile(r'<a href="(/leads\?counted=[^"]+)">([^<]+)</a>')


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def work(agency: Agency, stranger: Agency, clock: time_machine.Traveller) -> Agency:
    """Leads of two months, to which things happened by chance, of accounts that are active and down."""
    chance = random.Random(7)
    members = [make_member(agency, name) for name in ("anna", "ben")]
    campaigns = [
        Campaign.objects.create(agency=agency, provider="sendpilot", external_id=name, name=name)
        for name in ("Founders", "A: B/C & <i>D</i>")
    ]
    accounts = [
        Account.objects.create(
            agency=agency, provider=provider, external_id="1", name=status, status=status, status_since=NOW
        )
        for provider, status in (("sendpilot", "active"), ("salesflow", "blocked"))
    ]
    source = create_source(agency=agency, provider="linkedin", name="Forms", secret="s")[0]
    for number in range(45):
        clock.move_to(NOW - timedelta(days=chance.random() * 60))
        lead = create_lead(
            agency,
            name="Ada",
            email=f"{number}@example.com",
            title=chance.choice(["CEO", "Head of Sales", ""]),
            is_test=chance.random() < 0.1,
            campaign=chance.choice([None, *campaigns]),
            account=chance.choice([None, *accounts]),
            assigned_to=chance.choice(members).user if chance.random() < 0.6 else None,
            source=chance.choice([None, source]),
        )
        for _ in range(chance.randrange(4)):
            clock.shift(chance.choice([120, 3000, 90_000]))
            set_status(lead, status=chance.choice(list(LeadStatus)), changed_by=ChangedBy.USER)
            if chance.random() < 0.4:
                answer_elsewhere(lead)
        react()
    clock.move_to(NOW - timedelta(days=1))
    create_lead(stranger, name="Theirs")
    react()
    clock.move_to(NOW)
    return agency


def links(page: str) -> list[tuple[str, int]]:
    """Return the lists that numbers of a page lead to, with the numbers."""
    found = [(html.unescape(url), text.strip()) for url, text in LINKED.findall(page)]
    return [(url, int(text)) for url, text in found if text.isdecimal()]


def counted_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["counted"][0]


@pytest.mark.parametrize("name", [name for name in PAGES if name != "accounts"])
def test_every_number_opens_the_leads_that_it_counts(work: Agency, sign_in: Browser, name: str) -> None:
    owner = sign_in(Role.READ_ONLY)
    seen = 0
    for by in ("time", *GROUPS):
        everything = "&inactive=on" if seen % 2 else ""
        page = owner.get(f"/reports/{name}?period=13w&by={by}{everything}").content.decode()
        for url, number in links(page):
            counted = read_counted(counted_of(url))
            assert counted is not None, url
            facts = facts_counted(work, counted)
            assert (url, facts.count()) == (url, number)
            assert facts.filter(is_test=True).count() == facts.exclude(agency=work).count() == 0
            seen += 1
    assert seen > 60


def test_the_list_has_these_leads_and_says_of_what_they_are(work: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    page = owner.get("/reports/response-times?period=13w&by=member").content.decode()
    url, number = next((url, n) for url, n in links(page) if ":never:" in counted_of(url))
    listed = owner.get(url).content.decode()
    assert f"<strong>{number}</strong>" in listed
    assert len(set(re.findall(r'href="/leads/(lead_\w+)', listed))) == number
    assert "Response times · Not answered · December 22 – March 18 · Member: " in listed
    again = owner.get(f"{url}&status=PENDING").content.decode()
    assert html.escape(counted_of(url)) in again  # other filters keep it
    assert "Not answered" in owner.get(url.replace("/leads?", "/leads/board?")).content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "losses", "losses:nothing:2026-03-01:2026-03-02:all::", "nothing:lost:2026-03-01:2026-03-02:all::",
        "losses:lost:2026-02-31:2026-03-02:all::", "losses:lost:2026-03-01:0001-01-01:all::",
        "losses:lost:2026-03-01:2026-03-02:all:password:x", "losses:lost:2026-03-01:2026-03-02:all:hour:x",
        "losses:lost:2026-03-01:2026-03-02:all:hour:²", "losses:lost:2026-03-01:2026-03-02:all:hour:",
        "losses:lost:2026-03-01:2026-03-02:all:campaign:\x00",
    ],
)  # fmt: skip
def test_an_address_that_names_no_number_filters_nothing(text: str) -> None:
    assert read_counted(text) is None


def test_another_agencys_campaign_is_neither_named_nor_opened(work: Agency, stranger: Agency, sign_in: Browser) -> None:
    theirs = Campaign.objects.create(agency=stranger, provider="sendpilot", external_id="x", name="Secret")
    Lead.objects.filter(agency=stranger).update(campaign=theirs)
    LeadFact.objects.filter(agency=stranger).update(campaign=theirs)
    url = f"/leads?counted=funnel:leads:2026-01-01:2026-04-01:all:campaign:{theirs.pk}"
    listed = sign_in(Role.OWNER).get(url).content.decode()
    assert "Secret" not in listed
    assert not re.findall(r'href="/leads/(lead_\w+)', listed)


def test_a_page_says_how_it_counts_and_compares(work: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    for name, spec in PAGES.items():
        page = " ".join(owner.get(f"/reports/{name}?period=30d").content.decode().split())
        assert "How this is counted" in page
        for sentence in spec.explained:
            assert html.escape(str(sentence)) in page
        assert "30 days before" in page
    assert owner.get("/reports/nothing").status_code == 404


def test_what_is_asked_wrongly_is_the_first_choice(work: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    right = owner.get("/reports/losses?period=7d&by=time").content
    wrong = owner.get("/reports/losses?period=x&by=password").content
    assert [counted_of(url) for url, _ in links(right.decode())] == [
        counted_of(url) for url, _ in links(wrong.decode())
    ]


def test_the_file_has_the_table(work: Agency, sign_in: Browser) -> None:
    answer = sign_in(Role.OWNER).get("/reports/losses/table.csv?period=13w&by=campaign&inactive=on")
    lines = answer.content.decode().splitlines()
    assert lines[0].startswith('"campaign","name","lost","account_down"')
    assert (
        len(lines)
        == 1
        + LeadFact.objects.filter(lost_at__isnull=False, is_test=False, agency=work)
        .values("campaign")
        .distinct()
        .count()
    )
    assert 'filename="losses-2026-03-18.csv"' in answer["Content-Disposition"]


def test_an_empty_agency_is_told_what_to_do(agency: Agency, sign_in: Browser, clock: Any) -> None:
    owner = sign_in(Role.OWNER)
    for name in PAGES:
        assert "Choose a longer period above" in owner.get(f"/reports/{name}").content.decode()


def test_dimensions_are_those_of_the_reports() -> None:
    assert set(DIMENSIONS) == set(GROUPS)


def test_a_page_asks_a_bounded_number_of_statements(work: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    owner.get("/reports/leads")
    for name in PAGES:
        with CaptureQueriesContext(connection) as asked:
            owner.get(f"/reports/{name}?period=13w&by=campaign")
        assert (name, len(asked) <= 45) == (name, True), len(asked)
