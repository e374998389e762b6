"""`reports/accounts` and `reports/leads`: only what is active counts, and a change shows in the next request."""

import csv
import io
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import time_machine
from django.utils import timezone

from accounts.core.csv_export import safe_cell
from accounts.core.enums import AccountStatus, Scope
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Campaign
from accounts.services import report_status
from accounts.tenancy.api_keys import create_api_key
from leads.analytics.rebuilding import rebuild_facts
from leads.enums import LeadStatus
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.pipeline.dto import Identity
from leads.pipeline.reports import report_status as report_lead
from tests.api.client import Api
from tests.leads.routing.teams import make_member
from tests.reactions import react

NOON = datetime(2026, 3, 11, 12, tzinfo=UTC)  # a Wednesday


@pytest.fixture
def api(agency: Agency) -> Api:
    return Api(create_api_key(agency, scopes=[Scope.READ])[1])


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def report(agency: Agency, status: str, *, number: int = 1, hours_ago: float = 0, **identity: Any) -> Account:
    at = timezone.now() - timedelta(hours=hours_ago)
    with time_machine.travel(at, tick=False):
        account = report_status(
            agency,
            provider="salesflow",
            identity=AccountIdentity(external_id=str(number), name=f"Ada {number}", **identity),
            status=AccountStatus(status),
            origin=Origin(by="salesflow", at=at),
        )
        react()
        return account


def get(api: Api, path: str, **query: Any) -> Any:
    answer = api.get(f"reports/{path}", {name.rstrip("_"): value for name, value in query.items()})
    assert answer.status_code == 200, answer.content
    return answer.json()


def day(found: Any, date: str) -> Any:
    [row] = [row for row in found["series"] if row["start"].startswith(date)]
    return row


def lead(agency: Agency, status: str, *, number: int = 1, hours_ago: float = 0, account: Account | None = None) -> Lead:
    at = timezone.now() - timedelta(hours=hours_ago)
    with time_machine.travel(at, tick=False):
        found = report_lead(
            agency,
            provider="sendpilot",
            identity=Identity(external_id=f"lead-{number}"),
            status=LeadStatus(status),
            stated=True,
            origin=Origin(by="sendpilot", at=at),
            account=account,
        )
        react()
    assert found is not None
    return found


def test_accounts_are_up_and_down_day_by_day(api: Api, agency: Agency) -> None:
    report(agency, "active", hours_ago=60)  # Monday 00:00
    report(agency, "disconnected", hours_ago=30)  # Tuesday 06:00
    report(agency, "auth_error", hours_ago=28)
    account = report(agency, "active", hours_ago=24)  # Tuesday 12:00

    found = get(api, "accounts", from_="2026-03-09", to="2026-03-11", timezone="UTC")

    assert {name: found[name] for name in ("from", "to", "timezone", "group_by")} == {
        "from": "2026-03-09T00:00:00.000Z",
        "to": "2026-03-11T12:00:00.000Z",
        "timezone": "UTC",
        "group_by": "day",
    }
    assert [(row["active_account_days"], row["downtime_seconds"], row["drops"]) for row in found["series"]] == [
        (1.0, 0, 0),
        (0.75, 6 * 3600, 1),
        (0.5, 0, 0),
    ]
    assert found["figures"]["accounts"] == 1
    assert found["figures"]["by_status"]["active"] == 1
    assert (found["figures"]["uptime"], found["figures"]["drops"]) == (0.9, 1)
    assert found["figures"]["median_seconds_to_reconnect"] == 6 * 3600
    assert found["downtime"] == [
        {
            "account": account.pk,
            "status": "auth_error",
            "from": "2026-03-10T08:00:00.000Z",
            "to": "2026-03-10T12:00:00.000Z",
        },
        {
            "account": account.pk,
            "status": "disconnected",
            "from": "2026-03-10T06:00:00.000Z",
            "to": "2026-03-10T08:00:00.000Z",
        },
    ]


def test_only_accounts_active_now_count_and_a_change_shows_at_once(
    api: Api, agency: Agency, stranger: Agency, clock: time_machine.Traveller
) -> None:
    report(agency, "active", number=1, hours_ago=24)
    report(agency, "active", number=2, hours_ago=24)
    report(agency, "deleted", number=3, hours_ago=24)
    report(stranger, "active", number=4, hours_ago=24)
    assert get(api, "accounts")["figures"]["accounts"] == 2

    report(agency, "blocked", number=2)

    assert get(api, "accounts")["figures"]["accounts"] == 1
    everyone = get(api, "accounts", include_inactive="true")["figures"]
    assert (everyone["accounts"], everyone["by_status"]["blocked"]) == (2, 1)
    assert everyone["active_account_days"] == 2.0
    clock.shift(60)
    report(agency, "active", number=2)
    assert get(api, "accounts")["figures"]["accounts"] == 2


def test_leads_of_inactive_accounts_do_not_count_those_without_an_account_do(api: Api, agency: Agency) -> None:
    active = report(agency, "active", number=1, hours_ago=48)
    blocked = report(agency, "blocked", number=2, hours_ago=48)
    lead(agency, "PENDING", number=1, hours_ago=5, account=active)
    lead(agency, "PENDING", number=2, hours_ago=5, account=blocked)
    lead(agency, "PENDING", number=3, hours_ago=5)
    Lead.objects.filter(pk=lead(agency, "PENDING", number=4, hours_ago=5).pk).update(is_test=True)
    rebuild_facts()

    assert get(api, "leads")["figures"]["leads"] == 2
    assert get(api, "leads", include_inactive="true")["figures"]["leads"] == 3
    assert get(api, "leads", include_test="true")["figures"]["leads"] == 3
    report(agency, "active", number=2)
    assert get(api, "leads")["figures"]["leads"] == 3


def test_conversions_per_active_account_day_with_downtime_beside_them(api: Api, agency: Agency) -> None:
    report(agency, "active", hours_ago=60)  # Monday 00:00
    report(agency, "disconnected", hours_ago=36)  # Tuesday 00:00
    account = report(agency, "active", hours_ago=24)  # Tuesday 12:00
    for number in (1, 2):
        lead(agency, "PENDING", number=number, hours_ago=50, account=account)
        lead(agency, "REPLY_RECEIVED", number=number, hours_ago=22, account=account)
        lead(agency, "OPPORTUNITY", number=number, hours_ago=20, account=account)
    lead(agency, "MEETING_BOOKED", number=1, hours_ago=18, account=account)
    lead(agency, "OPPORTUNITY", number=3, hours_ago=2, account=account)

    found = get(api, "leads", from_="2026-03-09", to="2026-03-11", timezone="UTC")

    figures = found["figures"]
    assert (figures["leads"], figures["conversions"], figures["active_account_days"]) == (3, 3, 2.0)
    assert figures["conversions_per_active_account_day"] == 1.5
    assert {status: n for status, n in figures["by_status"].items() if n} == {"OPPORTUNITY": 2, "MEETING_BOOKED": 1}
    assert {status: n for status, n in figures["changes"].items() if n} == {
        "PENDING": 2,
        "REPLY_RECEIVED": 2,
        "OPPORTUNITY": 3,
        "MEETING_BOOKED": 1,
    }
    tuesday = day(found, "2026-03-10")
    assert (tuesday["leads"], tuesday["conversions"], tuesday["downtime_seconds"]) == (0, 2, 12 * 3600)
    assert tuesday["conversions_per_active_account_day"] == 4.0
    assert (tuesday["changes"]["OPPORTUNITY"], tuesday["changes"]["MEETING_BOOKED"]) == (2, 1)
    assert day(found, "2026-03-09")["leads"] == 2
    assert day(found, "2026-03-11")["conversions"] == 1


def test_days_begin_at_midnight_of_the_time_zone_and_weeks_on_monday(api: Api, agency: Agency) -> None:
    create_lead(agency, email="late@example.com")
    Lead.objects.update(received_at=datetime(2026, 3, 8, 23, 30, tzinfo=UTC))
    rebuild_facts()
    for zone, expected in (("UTC", "2026-03-08T00:00"), ("Europe/Berlin", "2026-03-08T23:00")):
        found = get(api, "leads", timezone=zone, from_="2026-03-01")
        assert [row["start"][:16] for row in found["series"] if row["leads"]] == [expected], zone
        assert sum(row["leads"] for row in found["series"]) == 1
    weeks = get(api, "leads", timezone="Europe/Berlin", from_="2026-02-25", group_by="week")["series"]
    assert [row["start"][:10] for row in weeks] == ["2026-02-24", "2026-03-01", "2026-03-08"]
    assert [row["leads"] for row in weeks] == [0, 0, 1]
    months = get(api, "leads", timezone="UTC", from_="2026-02-25", group_by="month")["series"]
    assert [(row["start"][:10], row["leads"]) for row in months] == [("2026-02-25", 0), ("2026-03-01", 1)]


def test_groups(api: Api, agency: Agency) -> None:
    first = report(agency, "active", number=1, hours_ago=24)
    report(agency, "active", number=2, hours_ago=24)
    for number in range(3):
        lead(agency, "OPPORTUNITY", number=number, hours_ago=1, account=first if number else None)

    [row] = get(api, "accounts", group_by="provider")["groups"]
    assert (row["provider"], row["accounts"], row["active_account_days"]) == ("salesflow", 2, 2.0)
    assert len(get(api, "accounts", group_by="account")["groups"]) == 2
    assert get(api, "leads", group_by="account")["groups"] == [
        {"account": first.pk, "name": "Ada 1", "leads": 2, "conversions": 2},
        {"account": None, "name": "", "leads": 1, "conversions": 1},
    ]
    assert get(api, "leads", group_by="status")["groups"] == [
        {"status": "OPPORTUNITY", "name": "OPPORTUNITY", "leads": 3, "conversions": 3}
    ]
    assert get(api, "leads", provider="sendpilot")["figures"]["leads"] == 3
    assert get(api, "leads", provider="welink")["figures"]["leads"] == 0
    assert get(api, "leads", location_id="elsewhere")["figures"]["leads"] == 0


def test_a_report_on_accounts_is_of_a_campaigns_and_of_a_members_accounts(
    api: Api, agency: Agency, stranger: Agency
) -> None:
    first, second, _third = (report(agency, "active", number=number, hours_ago=5) for number in (1, 2, 3))
    campaign = Campaign.objects.create(agency=agency, provider="salesflow", external_id="1", account=first)
    theirs = Campaign.objects.create(agency=stranger, provider="salesflow", external_id="1", account=first)
    member = make_member(agency, "anna")
    create_lead(agency, name="Ada", account=second, assigned_to=member.user)
    create_lead(agency, name="Ben", account=second, assigned_to=member.user)

    def accounts(**query: str) -> list[str]:
        return [row["account"] for row in get(api, "accounts", group_by="account", **query)["groups"]]

    assert accounts(campaign=campaign.pk) == [first.pk]
    assert accounts(member=member.pk) == [second.pk]
    assert accounts(campaign=theirs.pk) == accounts(member="nobody") == []
    assert accounts(campaign=campaign.pk, member=member.pk) == []
    assert len(accounts()) == 3


def test_csv_has_no_formulas(api: Api, agency: Agency) -> None:
    account = report(agency, "active", hours_ago=24)
    for number, name in enumerate(["=cmd|' /C calc'!A0", "+1", "-2", "@SUM(A1)", "\ttab", "Ann"]):
        other = report(agency, "active", number=number + 5, hours_ago=24)
        Account.objects.filter(pk=other.pk).update(name=name)
    answer = api.get("reports/accounts", {"format": "csv", "group_by": "account"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    names = [row["name"] for row in rows if row["account"] != account.pk]
    assert names == ["'=cmd|' /C calc'!A0", "'+1", "'-2", "'@SUM(A1)", "'\ttab", "Ann"]

    series = list(csv.DictReader(io.StringIO(api.get("reports/leads", {"format": "csv"}).content.decode())))
    assert len(series) == 30
    assert {"start", "leads", "changes.OPPORTUNITY", "downtime_seconds"} <= set(series[0])


def test_an_excel_file_has_texts_and_numbers_but_no_formula_and_no_link(api: Api, agency: Agency) -> None:
    names = ["=1+1", "+1", "@SUM(A1)", "https://example.com", "{=A1}", "Ann <b> & \u202e\x07", "007", "x" * 100]
    for number, name in enumerate(names):
        other = report(agency, "active", number=number + 5, hours_ago=24)
        Account.objects.filter(pk=other.pk).update(name=name)
    answer = api.get("reports/accounts", {"format": "xlsx", "group_by": "account"})
    assert answer["Content-Type"] == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert answer["Content-Disposition"] == 'attachment; filename="accounts.xlsx"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as file:
        assert file.testzip() is None
        parts = {name: file.read(name).decode() for name in file.namelist()}
    sheet = ET.fromstring(parts["xl/worksheets/sheet1.xml"])
    space = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    rows = [
        ["".join(cell.itertext()) for cell in row.findall("x:c", space)] for row in sheet.findall(".//x:row", space)
    ]
    assert rows[0][:4] == ["account", "name", "accounts", "active_account_days"]
    shown = [name if name[:3] != "Ann" else "Ann <b> &" for name in names]
    assert sorted(row[1].strip() for row in rows[1:]) == sorted(shown)
    assert [cell.get("t") for cell in sheet.findall(".//x:row", space)[1].findall("x:c", space)][:3] == [
        "inlineStr", "inlineStr", None
    ]  # fmt: skip
    assert not sheet.findall(".//x:f", space)
    assert not [name for name, part in parts.items() if "<hyperlink " in part or "relationships/hyperlink" in part]
    assert api.get("reports/losses", {"format": "xlsx"}).content[:2] == b"PK"
    assert api.get("reports/losses", {"format": "pdf"}).status_code == 400


def test_numbers_stay_numbers() -> None:
    assert [safe_cell(value) for value in (-3, 1.5, None, "-3", "x")] == [-3, 1.5, "", "'-3", "x"]
    assert safe_cell("+12125550199") == "+12125550199"
    nearly = [
        "+1",
        "+12125550199+1",
        "+0125550199",
        "+1212555019912345",
        "+12125550199\n",
        "+١٢٣٤٥٦٧٨",
    ]
    assert [safe_cell(value) for value in nearly] == [f"'{value}" for value in nearly]


@pytest.mark.once
@pytest.mark.parametrize("report_name", ["accounts", "leads"])
@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"from": "yesterday"}, "from"),
        ({"from": ""}, "from"),
        ({"from": "9999-12-31"}, "from"),
        ({"from": "2026-03-11", "to": "2026-03-01"}, "from"),
        ({"from": "2020-01-01"}, "from"),
        ({"to": "2026-13-40"}, "to"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"provider": "nobody"}, "provider"),
        ({"group_by": "password"}, "group_by"),
        ({"include_inactive": "yes"}, "include_inactive"),
        ({"format": "pdf"}, "format"),
        ({"location_id": "x" * 300}, "location_id"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_cannot_be_asked_is_named(api: Api, report_name: str, query: dict[str, str], named: str) -> None:
    answer = api.get(f"reports/{report_name}", query)
    assert answer.status_code == 400, answer.content
    assert named in answer.content.decode()


def test_a_report_needs_a_key_and_only_reads(agency: Agency, api: Api) -> None:
    for path in ("reports/accounts", "reports/leads", "reports/funnel"):
        assert Api("").get(path).status_code == 401
        assert Api(create_api_key(agency)[1]).post(path, {}).status_code == 405


def test_a_reports_queries_do_not_grow_with_its_rows(
    api: Api, agency: Agency, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        account = report(agency, "active", number=number, hours_ago=40)
        for status in ("PENDING", "REPLY_RECEIVED", "OPPORTUNITY"):
            lead(agency, status, number=number, hours_ago=3, account=account)
    with django_assert_max_num_queries(9):
        get(api, "accounts", group_by="account")
    with django_assert_max_num_queries(24):
        get(api, "leads", group_by="account")
