"""The page of reports and the trends of the overview: one definition, and never another agency's numbers."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.core.enums import Role
from accounts.linkedin import uptime
from accounts.models import Account, AccountReport, Agency, Campaign, Source
from accounts.sources.service import create_source
from config.backoffice.trends import trends
from leads.analytics.periods import comparison
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead, set_status
from tests.portal.browser import Browser
from tests.reactions import react

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 18, 12, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def lead(agency: Agency, days_ago: float, *moves: LeadStatus, **fields: Any) -> Lead:
    """Make a lead that came some days ago, and has had each status since then."""
    at = NOW - days_ago * DAY
    with time_machine.travel(at, tick=False):
        made = create_lead(agency, name="Ada", **fields)
        for status in moves:
            set_status(made, status=status, changed_by=ChangedBy.API)
        react()
    return made


def html(client: Client, path: str = "/reports") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def tiles(page: str) -> dict[str, tuple[str, str]]:
    """What each tile says: its number, and the text below it."""
    found = re.findall(r'class="tile-label">(.*?)</span> <strong>(.*?)</strong></a>(.*?)</li>', page)
    plain = [[" ".join(re.sub(r"<.*?>", " ", part).split()) for part in row] for row in found]
    return {label: (number, more) for label, number, more in plain}


@pytest.fixture
def source(agency: Agency) -> Source:
    return create_source(agency=agency, provider="sendpilot", name="Pilot & Co")[0]


@pytest.fixture
def weeks(agency: Agency, stranger: Agency, source: Source) -> Campaign:
    """Three leads this week and one last week, of which one each replied; and a stranger's."""
    campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id="1", name="Founders")
    lead(agency, 0.1, source=source, campaign=campaign)
    lead(agency, 1, LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY, source=source, campaign=campaign)
    lead(agency, 1, campaign=campaign)
    lead(agency, 8, LeadStatus.REPLY_RECEIVED)
    lead(agency, 1, LeadStatus.REPLY_RECEIVED, is_test=True)
    lead(stranger, 1, LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY)
    return campaign


@pytest.mark.usefixtures("weeks")
def test_overview_and_reports_count_alike(agency: Agency, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)
    reports, overview = tiles(html(owner)), tiles(html(owner, "/"))
    assert {name: reports[name] for name in ("leads", "replies", "conversions")} == {
        "leads": ("3", "▲ +200% 1 before"),
        "replies": ("1", "– ±0% 1 before"),
        "conversions": ("1", "▲ new 0 before"),
    }
    assert {name: overview[name] for name in ("leads", "replies", "conversions")} == {
        name: reports[name] for name in ("leads", "replies", "conversions")
    }
    by_name = {str(tile.label): tile.trend for tile in trends(agency)}
    assert list(by_name["leads"].values) == [0] * 5 + [1] + [0] * 6 + [2, 1]


def test_a_reply_counts_whatever_became_of_the_lead(agency: Agency, sign_in: Browser) -> None:
    lead(agency, 2, LeadStatus.REPLY_RECEIVED, LeadStatus.DONE)
    lead(agency, 2, LeadStatus.REPLY_RECEIVED, LeadStatus.NOT_INTERESTED)
    lead(agency, 2, LeadStatus.MEETING_BOOKED, LeadStatus.PENDING)
    lead(agency, 2, LeadStatus.MESSAGE_SENT, LeadStatus.DONE)
    found = tiles(html(sign_in(Role.OWNER)))
    assert (found["replies"][0], found["conversions"][0]) == ("2", "3")  # who is done converted


def test_an_agencys_reports_are_those_of_its_accounts(agency: Agency, stranger: Agency) -> None:
    for owner in (agency, stranger):
        with time_machine.travel(NOW - 3 * DAY, tick=False):
            account = Account.objects.create(
                agency=owner, provider="sendpilot", external_id="1", status="active", status_since=NOW - 3 * DAY
            )
        AccountReport.objects.create(
            account=account, from_status="active", to_status="blocked", applied=True, occurred_at=NOW - DAY
        )
    accounts = uptime.watched(agency.accounts.all())
    spans = uptime.account_spans(accounts, NOW - 7 * DAY, NOW, agency=agency)
    assert spans == uptime.account_spans(accounts, NOW - 7 * DAY, NOW)
    assert [(span.account_id, span.status) for span in spans] == [
        (accounts[0].pk, "active"), (accounts[0].pk, "blocked")
    ]  # fmt: skip


def test_leads_are_stacked_by_source_and_each_day_leads_to_them(weeks: Campaign, sign_in: Browser) -> None:
    page = html(sign_in(Role.READ_ONLY))
    legend = re.findall(r'class="swatch series-\d"></span>(.*?)</span>', page)
    assert legend == ["Pilot &amp; Co", "No source"]
    rows = re.findall(r'<tr> <th scope="row">(.*?)</th> (.*?)</tr>', page)
    assert [re.sub(r"<.*?>", " ", cells).split() for _day, cells in rows][-3:] == [
        ["0", "0", "0", "0"],
        ["1", "1", "2", "1"],
        ["1", "0", "1", "0"],
    ]
    assert rows[-2][0] == "Tue 17 Mar"
    link = "/leads?received_after=2026-03-17&received_before=2026-03-18"
    assert f'href="{link.replace("&", "&amp;")}"' in rows[-2][1]
    listed = html(sign_in(Role.READ_ONLY), link)
    assert len(set(re.findall(r'href="/leads/(lead_\w+)', listed))) == 3  # the test lead of that day too
    listed = html(sign_in(Role.READ_ONLY), "/leads?received_after=2026-02-31&received_before=x")
    assert len(set(re.findall(r'href="/leads/(lead_\w+)', listed))) == 5


def test_the_campaign_that_converts_best_stands_first(agency: Agency, sign_in: Browser) -> None:
    for name, converted, count in (("Good", 4, 10), ("Better", 6, 12), ("Lucky", 1, 1), ("Poor", 0, 11)):
        campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id=name, name=name)
        for number in range(count):
            lead(agency, 2, *([LeadStatus.MEETING_BOOKED] if number < converted else []), campaign=campaign)
    for _ in range(5):
        lead(agency, 40, LeadStatus.MEETING_BOOKED, campaign=campaign)  # too long ago to count for the last one
    page = html(sign_in(Role.OWNER), "/reports?period=30d")
    table = page.partition('id="campaigns"')[2].partition("</section>")[0]
    assert re.findall(r'class="lead-cell"><a href=".*?">(.*?)</a>', table) == ["Better", "Good", "Poor", "Lucky"]
    assert re.findall(r'data-label="Leads">(\d+)</td>', table) == ["12", "10", "11", "1"]
    assert "<strong>Better</strong> converts best: 50.0% of its 12 leads converted." in table
    csv = sign_in(Role.OWNER).get("/reports/campaigns.csv?period=30d")
    assert csv["Content-Type"] == "text/csv; charset=utf-8"
    assert csv.content.decode().splitlines()[1].split(",")[0].strip('"') == "Better"


def test_accounts_that_were_down_longest_stand_first(agency: Agency, stranger: Agency, sign_in: Browser) -> None:
    for of, name, hours in ((agency, "Ada", 2), (agency, "Bob", 20), (agency, "Cy", 0), (stranger, "Dot", 30)):
        since = NOW - 40 * DAY
        account = Account.objects.create(
            agency=of, provider="welink", external_id=name, name=name, status="active", status_since=since
        )
        Account.objects.filter(pk=account.pk).update(created_at=since)
        down = NOW - 2 * DAY
        changes = [("active", "blocked", down), ("blocked", "active", down + timedelta(hours=hours))]
        for before, after, at in changes if hours else ():
            account.reports.create(
                from_status=before, to_status=after, occurred_at=at, reported_by="welink", applied=True
            )
    page = html(sign_in(Role.OWNER))
    assert tiles(page)["account uptime"] == ("95.3%", "2 outages, 0 before")
    table = page.partition('id="accounts"')[2]
    assert re.findall(r'class="lead-cell"><a href="/linkedin/.*?">(.*?)</a>', table) == ["Bob", "Ada"]
    assert "1 of 3 accounts was active all the time." in table
    lines = sign_in(Role.OWNER).get("/reports/accounts.csv").content.decode().splitlines()
    assert len(lines) == 3


@pytest.mark.parametrize("period", ["7d", "last_week", "30d", "13w", "nonsense"])
@pytest.mark.usefixtures("weeks")
@pytest.mark.once
def test_every_period_has_its_page_and_files(sign_in: Browser, period: str) -> None:
    owner = sign_in(Role.OWNER)
    assert "Leads per" in html(owner, f"/reports?period={period}")
    for name in ("leads", "campaigns", "accounts"):
        assert owner.get(f"/reports/{name}.csv?period={period}").status_code == 200
    assert owner.get("/reports/nonsense.csv").status_code == 404


@pytest.mark.parametrize(("language", "first"), [("de", "2026-03-09"), ("en", "2026-03-08")])
def test_a_week_begins_on_the_day_of_the_locale(language: str, first: str) -> None:
    with translation.override(language):
        compared = comparison("last_week", NOW, ZoneInfo("Europe/Berlin"))
    assert f"{compared.now.begin:%Y-%m-%d}" == first
    assert len(compared.now.periods()) == len(compared.before.periods()) == 7
    assert compared.before.end == compared.now.begin


def test_reports_say_what_to_do_where_nothing_came(sign_in: Browser) -> None:
    page = html(sign_in(Role.OWNER))
    assert "No leads in this period" in page
    assert "No campaign brought leads in this period" in page
    assert "No accounts yet" in page


def test_reports_ask_as_often_for_many_leads_as_for_few(agency: Agency, source: Source, sign_in: Browser) -> None:
    owner = sign_in(Role.OWNER)

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            html(owner)
        return len(queries)

    def fill(count: int) -> None:
        for _ in range(count):
            number = Lead.objects.count()
            campaign = Campaign.objects.create(agency=agency, provider="sendpilot", external_id=str(number), name="x")
            Account.objects.create(
                agency=agency, provider="welink", external_id=str(number), status="blocked", status_since=NOW - DAY
            )
            lead(agency, 1, LeadStatus.OPPORTUNITY, campaign=campaign, source=source)

    fill(2)
    few = asked()
    fill(6)
    assert asked() == few
