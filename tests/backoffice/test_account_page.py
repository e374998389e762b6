"""What staff see of an account's life, and what they can do about it."""

import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from accounts.campaigns.service import campaign_of, update_campaign
from accounts.core.enums import AccountStatus
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, AccountLink, Agency, BouncedAddress, Event, Member, ReauthPrompt, Source
from accounts.reauth.prompts import record_bounce
from accounts.services import report_status
from notifications.channels.service import create_channel
from notifications.delivery import fan_out_due_events
from tests.reactions import react


def report(
    agency: Agency, status: str, *, hours_ago: float, number: int = 1, email: str = "ada@example.com"
) -> Account:
    account = report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id=str(number), name=f"Ada {number}", email=email),
        status=AccountStatus(status),
        origin=Origin(by="salesflow", at=timezone.now() - timedelta(hours=hours_ago)),
    )
    react()
    return account


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def page_of(account: Account) -> str:
    return f"/admin/accounts/account/{account.pk}/change/"


def press(client: Client, account: Account, button: str) -> str:
    answer = client.post(f"/admin/accounts/account/{account.pk}/press/{button}/", follow=True)
    return answer.content.decode()


def test_deleted_accounts_are_listed_only_when_they_are_asked_for(agency: Agency, signed_in: Client) -> None:
    gone = report(agency, "deleted", hours_ago=1, number=1)
    report(agency, "active", hours_ago=1, number=2)
    names = {
        query: [name for name in ("Ada 1", "Ada 2") if name in text_of(signed_in, f"/admin/accounts/account/?{query}")]
        for query in ("", "status=deleted", "status=active", f"q={gone.pk}")
    }
    assert names == {"": ["Ada 2"], "status=deleted": ["Ada 1"], "status=active": ["Ada 2"], f"q={gone.pk}": ["Ada 1"]}
    assert "All but deleted" in text_of(signed_in, "/admin/accounts/account/")
    assert "Ada 1" in text_of(signed_in, page_of(gone))


def test_the_page_says_what_to_do_whose_turn_it_is_and_how_long_things_took(agency: Agency, signed_in: Client) -> None:
    report(agency, "active", hours_ago=30)
    report(agency, "disconnected", hours_ago=20)
    report(agency, "active", hours_ago=15)
    account = report(agency, "auth_error", hours_ago=2)
    page = text_of(signed_in, page_of(account))
    assert "The account's owner has to sign in to LinkedIn again." in page.replace("&#x27;", "'")
    assert re.search(r"! owner", page)
    assert re.search(r"Active 23 hours", page)
    assert re.search(r"Disconnected 5 hours", page)
    assert re.search(r"Time to reconnect 5 hours \(median of 1\)", page)
    for step in (
        "Reconnect request: link made",
        "Reconnect request: mail sent ada@example.com",
        "Reconnect request: closed",
    ):
        assert step in page


def test_staff_ask_again_and_withdraw_the_link(agency: Agency, signed_in: Client) -> None:
    account = report(agency, "disconnected", hours_ago=1)
    assert "Revoke the owner" in text_of(signed_in, page_of(account))
    assert "Reconnect e-mail sent to ada@example.com." in press(signed_in, account, "ask_owner")
    assert Event.objects.filter(recipient="ada@example.com").count() == 2
    assert "Revoked the link: 1." in press(signed_in, account, "withdraw")
    assert ReauthPrompt.objects.get().closed_as == "revoked"
    assert "Its owner has no link." in press(signed_in, account, "withdraw")
    assert [entry.change_message for entry in LogEntry.objects.order_by("id")] == [
        "Reconnect e-mail sent.",
        "Revoked the link.",
    ]


def test_without_any_address_staff_are_told(agency: Agency, signed_in: Client) -> None:
    account = report(agency, "disconnected", hours_ago=1, email="")
    assert "No e-mail address is known" in press(signed_in, account, "ask_owner")


def test_staff_revive_a_deleted_account(agency: Agency, signed_in: Client) -> None:
    report(agency, "disconnected", hours_ago=2)
    account = report(agency, "deleted", hours_ago=1)
    assert "Revived: 1." in press(signed_in, account, "revive")
    account.refresh_from_db()
    assert account.status == "disconnected"
    assert "Revived by staff." in text_of(signed_in, page_of(account))
    assert "not deleted" in press(signed_in, account, "revive")


@pytest.mark.once
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("reauth_url", "https://connect.example.com/x?a=1", "javascript:alert(1)"),
        ("reauth_url", "", "http://connect.example.com"),
        ("approved_frame_host", "app.northwind.example", "https://app.northwind.example"),
        ("approved_frame_host", "", "a b"),
        ("pin_endpoint", "/api/v1/login_pin", "https://evil.example.com/pin"),
        ("pin_endpoint", "", "//evil.example.com/pin"),
        ("update_frame_url", "https://{domain_host_name}/u/{token}", "https://evil.example.com/{token}"),
        (
            "update_frame_url",
            "https://{domain_host_name}/u?t={token}",
            "https://{domain_host_name}@evil.example.com/{token}",
        ),
    ],
)
def test_staff_say_how_a_sources_accounts_are_reconnected(
    agency: Agency, signed_in: Client, name: str, good: str, bad: str
) -> None:
    source = Source.objects.create(agency=agency, provider="salesflow", name="S")
    path = f"/admin/accounts/source/{source.pk}/change/"
    fields = {"name": "S", "enabled": "on", "proxy_location": "US"}
    assert signed_in.post(path, fields | {name: bad}).status_code == 200
    assert getattr(Source.objects.get(), name) == ""
    assert signed_in.post(path, fields | {name: good}).status_code == 302
    assert getattr(Source.objects.get(), name) == good


def test_one_timeline_holds_reports_prompts_pauses_deliveries_and_staff(agency: Agency, signed_in: Client) -> None:
    create_channel(agency=agency, kind="webhook", name="CRM hook", url="https://crm.example.com/hook")
    account = report(agency, "active", hours_ago=3)
    campaign = campaign_of(agency, provider="sendpilot", external_id="c1", name="Founders in Berlin")
    update_campaign(campaign, account=account)
    report(agency, "disconnected", hours_ago=2)
    fan_out_due_events()
    press(signed_in, account, "withdraw")

    page = text_of(signed_in, page_of(account))

    for words in (
        "✓ Active → ✕ Disconnected",
        "Reconnect request: mail sent ada@example.com",
        "Event: campaign paused The account is disconnected.",
        "CRM hook",
        "Staff: Revoked the link.",
        "happened 2 hours ago",
    ):
        assert words in page, words
    older = re.search(r"\?before=([\w.-]+)#", signed_in.get(page_of(account)).content.decode())
    assert older is None


def test_a_long_timeline_is_turned_page_by_page(agency: Agency, signed_in: Client) -> None:
    for number in range(40):
        account = report(agency, "disconnected" if number % 2 else "active", hours_ago=41 - number)
    first = signed_in.get(page_of(account)).content.decode()
    older = re.search(r"\?before=([\w.-]+)#", first)
    assert older
    second = signed_in.get(f"{page_of(account)}?before={older[1]}").content.decode()
    assert "Latest" in second
    assert first.count("<tr>") > 30
    assert signed_in.get(f"{page_of(account)}?before=%01x").status_code == 200


def test_staff_pause_and_resume_an_accounts_campaigns(agency: Agency, signed_in: Client) -> None:
    account = report(agency, "active", hours_ago=1)
    campaign = campaign_of(agency, provider="sendpilot", external_id="c1", name="Founders")
    update_campaign(campaign, account=account)
    assert "Pause its campaigns" in text_of(signed_in, page_of(account))

    assert "Paused its campaigns: 1." in press(signed_in, account, "pause")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by, campaign.pause_reason) == (
        *("paused", "user"),
        "Paused by Leadline's staff.",
    )
    report(agency, "disconnected", hours_ago=0.9)
    assert "The account is disconnected. Its campaigns can run again when that has ended." in press(
        signed_in, account, "resume"
    )
    report(agency, "active", hours_ago=0.8)
    campaign.refresh_from_db()
    assert campaign.status == "paused"
    assert "Resumed its campaigns: 1." in press(signed_in, account, "resume")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by) == ("active", "")
    assert "None of its campaigns is paused." in press(signed_in, account, "resume")


def test_staff_filter_by_provider_and_by_age(agency: Agency, signed_in: Client) -> None:
    report(agency, "active", hours_ago=0.5, number=1)
    report(agency, "blocked", hours_ago=5, number=2)
    report(agency, "blocked", hours_ago=100, number=3)
    report(agency, "blocked", hours_ago=1000, number=4)

    def numbers(query: str) -> list[int]:
        page = text_of(signed_in, f"/admin/accounts/account/?{query}")
        return [number for number in range(1, 5) if f"Ada {number} " in page]

    assert [numbers(f"age={age}") for age in ("hour", "day", "week", "longer")] == [[1], [2], [3], [4]]
    assert numbers("provider=salesflow&status=blocked&age=week") == [3]
    assert numbers("provider=welink") == []


def test_namesakes_are_proposed_and_decided_in_the_back_office(agency: Agency, signed_in: Client) -> None:
    account = report(agency, "active", hours_ago=1)
    other = report_status(
        agency,
        provider="linkedconnector",
        identity=AccountIdentity(location_id="loc1", name="Ada 1"),
        status=AccountStatus.BLOCKED,
        origin=Origin(by="linkedconnector", at=timezone.now() - timedelta(hours=1)),
    )
    link = AccountLink.objects.get()
    assert f"/admin/accounts/accountlink/{link.pk}/change/" in signed_in.get(page_of(account)).content.decode()
    assert "Ada 1 and Ada 1" in text_of(signed_in, "/admin/accounts/accountlink/")

    answer = signed_in.post(f"/admin/accounts/accountlink/{link.pk}/press/accept/", follow=True)

    assert "Linked: 1." in answer.content.decode()
    page = text_of(signed_in, page_of(account))
    assert "Providers disagree LinkedConnector: Blocked by LinkedIn since" in page
    assert f"/admin/accounts/account/{other.pk}/change/" in signed_in.get(page_of(account)).content.decode()
    assert "Ada 1 and Ada 1" not in text_of(signed_in, "/admin/accounts/accountlink/")
    assert "Ada 1 and Ada 1" in text_of(signed_in, "/admin/accounts/accountlink/?status=accepted")
    signed_in.post(f"/admin/accounts/accountlink/{link.pk}/press/decline/")
    assert "Providers disagree" not in text_of(signed_in, page_of(account))


def test_the_page_says_that_the_owner_gets_no_mail_who_is_asked_instead_and_what_to_do(
    agency: Agency, signed_in: Client
) -> None:
    account = report(agency, "disconnected", hours_ago=1)
    Member.objects.create(agency=agency, user=User.objects.create_user("olive", "olive@example.com"), role="owner")
    assert "Undeliverable" not in text_of(signed_in, page_of(account))
    record_bounce("ada@example.com", reason="Mail to this address came back: 550 No such user.")
    text = text_of(signed_in, page_of(account))
    assert (
        "Undeliverable Mail to this address came back: 550 No such user. Asked instead: olive@example.com. "
        "Have the address corrected at the provider or here." in text
    )
    assert "Reconnect request: mail came back" in text
    row = BouncedAddress.objects.get()
    response = signed_in.get("/admin/accounts/bouncedaddress/?q=Ada@example.com")
    assert [found.pk for found in response.context["cl"].result_list] == [row.pk]
    assert signed_in.post(f"/admin/accounts/bouncedaddress/{row.pk}/press/forgive/").status_code == 302
    assert "Undeliverable" not in text_of(signed_in, page_of(account))


def test_a_connection_to_linkedin_says_what_it_may_and_until_when(agency: Agency, signed_in: Client) -> None:
    now = timezone.now()
    account = Account.objects.create(
        agency=agency,
        provider="linkedin",
        external_id="urn:li:person:1",
        name="Ada",
        status="active",
        status_since=now,
        token_expires_at=now + timedelta(days=50, hours=1),
        refresh_expires_at=now + timedelta(days=55, hours=1),
        last_heartbeat_at=now - timedelta(hours=3),
        granted_scopes=["r_ads", "r_marketing_leadgen_automation"],
    )
    page = text_of(signed_in, page_of(account))
    for said in (
        "Access token ends: in 50 days",
        "A person signs in again by: in 55 days",
        "Last proved good: 3 hours ago",
        "Granted scopes: r_ads, r_marketing_leadgen_automation",
    ):
        assert said in page
    assert "Permission at LinkedIn" not in text_of(signed_in, page_of(report(agency, "active", hours_ago=1)))
