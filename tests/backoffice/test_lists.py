"""Lists of the back office: counts by status, filters above them, and a search that knows names everywhere."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.admin.owner_progress import owner_progress, with_open_prompts
from accounts.core.enums import Role
from accounts.models import Account, Agency, Member, ReauthPrompt, ReauthStep, RetentionRun
from accounts.models.reauth import StepKind
from accounts.web.backoffice import pipeline
from accounts.web.backoffice.base import BackOfficeAdmin, HiddenFromIndex
from leads.models import Lead
from tests.factories import make_everything
from webhooks.models import Receipt

LEADS, ACCOUNTS = "/admin/leads/lead/", "/admin/accounts/account/"


def lead(agency: Agency, status: str, **fields: Any) -> Lead:
    now = timezone.now()
    return Lead.objects.create(
        agency=agency, status=status, received_at=now, **{"name": "Ann", "status_since": now} | fields
    )


def stages(client: Client, path: str, **query: str) -> dict[str, str]:
    page = client.get(path, query).content.decode()
    return {
        text: number for number, text in re.findall(r"<strong>([^<]*)</strong> <span>([^<]*)</span></a></li>", page)
    }


def listed(client: Client, path: str, **query: str) -> list[str]:
    return [row.pk for row in client.get(path, query).context["cl"].result_list]


def test_a_pipeline_counts_each_status_within_the_other_filters(
    signed_in: Client, agency: Agency, stranger: Agency
) -> None:
    for status in ("REPLY_RECEIVED", "REPLY_RECEIVED", "DONE"):
        lead(agency, status, priority="high" if status == "DONE" else "")
    lead(stranger, "REPLY_RECEIVED")
    shown = stages(signed_in, LEADS, agency=agency.pk)
    assert (shown["Replied"], shown["Done"], shown["Meeting booked"]) == ("2", "1", "0")
    assert stages(signed_in, LEADS, agency=agency.pk, status="DONE") == shown
    assert stages(signed_in, LEADS, agency=agency.pk, priority="high")["Replied"] == "0"
    everywhere = stages(signed_in, LEADS)
    assert (everywhere["Replied"], everywhere["Done"], everywhere["Meeting booked"]) == ("3", "1", "0")
    assert stages(signed_in, LEADS, q="Ann") == {}  # no index counts what is searched for in all agencies


def test_each_count_is_a_link_to_its_rows_and_the_chosen_one_back(signed_in: Client, agency: Agency) -> None:
    replied = lead(agency, "REPLY_RECEIVED")
    lead(agency, "DONE")
    page = signed_in.get(LEADS, {"agency": agency.pk})
    [url] = [stage.url for stage in page.context["cl"].stages if stage.text == "Replied"]
    chosen = signed_in.get(LEADS + url)
    assert [row.pk for row in chosen.context["cl"].result_list] == [replied.pk]
    [back] = [stage.url for stage in chosen.context["cl"].stages if stage.is_chosen]
    assert back == f"?agency={agency.pk}"


def test_a_status_is_listed_over_all_agencies(signed_in: Client, agency: Agency, stranger: Agency) -> None:
    replied = [lead(agency, "REPLY_RECEIVED"), lead(stranger, "REPLY_RECEIVED")]
    lead(stranger, "DONE")
    page = signed_in.get(LEADS)
    [url] = [stage.url for stage in page.context["cl"].stages if stage.text == "Replied"]
    assert sorted(row.pk for row in signed_in.get(LEADS + url).context["cl"].result_list) == sorted(
        row.pk for row in replied
    )


def test_counting_a_status_ends_at_a_bound(signed_in: Client, agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MAX_STAGE_COUNT", 2)
    for _ in range(4):
        lead(agency, "DONE")
    assert stages(signed_in, LEADS, agency=agency.pk)["Done"] == "2+"


def test_leads_are_filtered_by_owner_priority_age_and_what_awaits_an_answer(signed_in: Client, agency: Agency) -> None:
    user = User.objects.create_user("ann", "ann@example.com")
    Member.objects.create(agency=agency, user=user, role=Role.MANAGER)
    old = lead(agency, "REPLY_RECEIVED", assigned_to=user, status_since=timezone.now() - timedelta(days=9))
    test = lead(agency, "REPLY_RECEIVED", is_test=True)
    high = lead(agency, "DONE", priority="high")
    found = {
        name: sorted(listed(signed_in, LEADS, agency=agency.pk, **{name: value}))
        for name, value in {"owner": str(user.pk), "priority": "high", "age": "longer", "waiting": "yes"}.items()
    }
    assert found == {"owner": [old.pk], "priority": [high.pk], "age": [old.pk], "waiting": [old.pk]}
    assert listed(signed_in, LEADS, agency=agency.pk, owner="none") == [high.pk, test.pk]


def test_filters_of_leads_are_offered_with_an_agency_whose_people_and_campaigns_they_list(
    signed_in: Client, agency: Agency, stranger: Agency, staff: User
) -> None:
    make_everything(agency, staff, text="Founders")
    make_everything(stranger, staff, text="Secret", number=1)
    names = [field.name for field in signed_in.get(LEADS).context["cl"].filter_fields]
    assert names == ["agency", "status"]
    fields = {field.name: field for field in signed_in.get(LEADS, {"agency": agency.pk}).context["cl"].filter_fields}
    assert set(fields) >= {"agency", "status", "campaign", "owner", "priority", "age", "waiting"}
    assert [text for _, text in fields["campaign"].options] == ["All", "Founders"]


def test_an_address_without_empty_filters_is_what_people_share(signed_in: Client, agency: Agency) -> None:
    answer = signed_in.get(f"{LEADS}?q=&agency={agency.pk}&status=&owner=")
    assert (answer.status_code, answer["Location"]) == (302, f"?agency={agency.pk}")
    assert signed_in.get(f"{ACCOUNTS}?q=&status=")["Location"] == ACCOUNTS


def test_accounts_are_counted_by_status_and_filtered_by_what_their_owner_was_asked(
    signed_in: Client, agency: Agency
) -> None:
    now = timezone.now()
    made = [
        Account.objects.create(agency=agency, provider="salesflow", external_id=str(n), status=status, status_since=now)
        for n, status in enumerate(("active", "disconnected", "auth_error", "deleted"))
    ]
    ReauthPrompt.objects.create(
        account=made[1], token="t", digest="d", status="disconnected", expires_at=now + timedelta(days=7)
    )
    shown = stages(signed_in, ACCOUNTS)
    assert shown == {
        "Active": "1",
        "Action required": "0",
        "Disconnected": "1",
        "Sign-in failed": "1",
        "Blocked by LinkedIn": "0",
        "Deleted": "1",
    }
    assert listed(signed_in, ACCOUNTS, owner="asked") == [made[1].pk]
    assert listed(signed_in, ACCOUNTS, owner="not_asked") == [made[2].pk]
    assert "Not asked yet" in signed_in.get(ACCOUNTS).content.decode()


def test_how_far_an_owner_is_stands_beside_the_account(agency: Agency) -> None:
    now = timezone.now()
    account = Account.objects.create(
        agency=agency, provider="salesflow", external_id="1", status="disconnected", status_since=now
    )
    prompt = ReauthPrompt.objects.create(
        account=account,
        token="t",
        digest="d",
        status="disconnected",
        recipients=["ada@example.com"],
        opened_at=now - timedelta(hours=2),
        expires_at=now + timedelta(days=7),
        next_attempt_at=now + timedelta(days=1, minutes=1),
    )

    def said() -> str:
        row = with_open_prompts(Account.objects.all()).get()
        return re.sub(r"<[^>]+>", "", str(owner_progress(row)))

    assert said() == "Asked 2 hours ago at ada@example.com · not opened yet · reminder in 1 day"
    ReauthPrompt.objects.update(viewed_at=now - timedelta(hours=1))
    ReauthStep.objects.create(prompt=prompt, kind=StepKind.FAILED, at=now - timedelta(minutes=5))
    assert said() == (
        "Asked 2 hours ago at ada@example.com · opened 1 hour ago · sign-in failed 5 minutes ago · reminder in 1 day"
    )


#: Rows that have neither a name nor an address, nor refer to somebody who has.
NAMELESS = {RetentionRun}


def test_every_list_of_the_menu_is_searched_by_a_part_of_a_name_or_an_address(
    signed_in: Client, staff: User, agency: Agency
) -> None:
    agency.name = "Wolkenstein & Co"
    agency.save()
    staff.first_name = "Wolkenstein"
    staff.save()
    everything = make_everything(agency, staff, text="wolkenstein@example.com")
    Receipt.objects.update(lead_id=everything[Lead].pk)
    for model, row in everything.items():
        page = admin.site._registry[model]
        if isinstance(page, HiddenFromIndex) or model in NAMELESS or not isinstance(page, BackOfficeAdmin):
            continue
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert row.pk in listed(signed_in, path, q="olkenst"), model
