"""Accounts in the portal: what is urgent stands first, and the owner is asked from there."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.core.enums import AccountStatus, Role
from accounts.events.ordering import Origin
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Campaign, Incident, Outage, ReauthPrompt, SubAccount
from accounts.models.reauth import StepKind
from accounts.portal import account_history
from accounts.reauth.attempts import add_step
from accounts.services import report_status
from accounts.web.portal import pagination
from notifications.delivery import drain_deliveries
from tests.portal.browser import Browser
from tests.reactions import react


def an_account(agency: Agency, name: str, status: str, hours: int, **fields: object) -> Account:
    since = timezone.now() - timedelta(hours=hours)
    given = {"provider": "salesflow", "external_id": name, "name": name, "email": f"{name}@example.com".lower()}
    return Account.objects.create(agency=agency, status=status, status_since=since, **{**given, **fields})


def report(agency: Agency, status: str, number: int = 1, **fields: str) -> Account:
    account = report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id="1", **fields),
        status=AccountStatus(status),
        origin=Origin(by="salesflow", at=timezone.now(), sequence=number),
    )
    react()
    return account


def text_of(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def names(page: str) -> list[str]:
    found = [(page.find(f">{name}</a>"), name) for name in ("Anna", "Ben", "Cleo", "Dora", "Emil")]
    return [name for at, name in sorted(found) if at >= 0]


def test_accounts_that_need_somebody_stand_first_the_latest_change_at_the_top(agency: Agency, sign_in: Browser) -> None:
    an_account(agency, "Anna", "deleted", 0)
    an_account(agency, "Ben", "active", 2)
    an_account(agency, "Cleo", "blocked", 30)
    an_account(agency, "Dora", "active", 3, rate_limited_until=timezone.now() + timedelta(hours=1))
    an_account(agency, "Emil", "disconnected", 1)
    client = sign_in(Role.READ_ONLY)
    page = text_of(client, "/linkedin")
    assert names(page) == ["Emil", "Cleo", "Dora", "Ben", "Anna"]
    assert names(text_of(client, "/linkedin?status=attention")) == ["Emil", "Cleo"]
    assert names(text_of(client, "/linkedin?status=attention&q=cle")) == ["Cleo"]


def test_a_page_by_key_continues_where_the_one_before_ended(agency: Agency, sign_in: Browser) -> None:
    accounts = [an_account(agency, f"A{number}", "active", number) for number in range(pagination.SIZE + 3)]
    client = sign_in(Role.READ_ONLY)
    last = accounts[pagination.SIZE - 1]
    found = re.search(r"\?before=" + last.pk + r"\.\d+", text_of(client, "/linkedin"))
    assert found
    older = text_of(client, f"/linkedin{found[0]}")
    assert [one.name for one in accounts if f">{one.name}</a>" in older] == [
        one.name for one in accounts[pagination.SIZE :]
    ]
    found = re.search(r"\?after=" + accounts[pagination.SIZE].pk + r"\.\d+", older)
    assert found
    newer = text_of(client, f"/linkedin{found[0]}")
    assert f">{last.name}</a>" in newer


def test_the_owner_is_asked_and_the_page_says_how_far_they_are(agency: Agency, sign_in: Browser) -> None:
    account = an_account(agency, "Emil", "disconnected", 1)
    client = sign_in(Role.MANAGER)
    assert "The owner has not been asked" in text_of(client, f"/linkedin/{account.pk}")
    client.post(f"/linkedin/{account.pk}/ask")
    drain_deliveries()
    assert [message.to for message in mail.outbox] == [["emil@example.com"]]
    assert mail.outbox[0].from_email == f"{agency.name} via Leadline <leadline@example.com>"
    page = text_of(client, f"/linkedin/{account.pk}")
    assert "Reconnect e-mail sent to emil@example.com." in page
    assert "Ask owner again" in page
    assert "Next reminder" in page
    assert page.count("Not yet") == 2
    prompt = ReauthPrompt.objects.get()
    add_step(prompt, StepKind.VIEWED)
    add_step(prompt, StepKind.FAILED, text="Salesflow says that it did not work.")
    page = text_of(client, f"/linkedin/{account.pk}")
    assert "Not yet" not in page
    assert "Salesflow says that it did not work." in page
    assert [(entry.action, entry.object_id) for entry in agency.audit_entries.all()] == [
        ("Owner asked to reconnect", account.pk)
    ]


def test_a_link_is_made_for_a_person_to_hand_over_and_shown_once(agency: Agency, sign_in: Browser) -> None:
    account = an_account(agency, "Emil", "disconnected", 1, email="")
    client = sign_in()
    answer = client.post(f"/linkedin/{account.pk}/link", follow=True)
    assert ReauthPrompt.objects.get().url in answer.content.decode()
    assert ReauthPrompt.objects.get().url not in text_of(client, f"/linkedin/{account.pk}")
    assert mail.outbox == []


def test_what_cannot_be_asked_says_why(agency: Agency, sign_in: Browser) -> None:
    client = sign_in()
    working = an_account(agency, "Ben", "active", 1)
    answer = client.post(f"/linkedin/{working.pk}/ask", follow=True)
    assert "This account is active: there is nothing to reconnect." in answer.content.decode()
    assert "Ask owner" not in text_of(client, f"/linkedin/{working.pk}")
    assert not ReauthPrompt.objects.exists()


def test_a_person_pauses_and_resumes_what_runs_on_an_account(agency: Agency, sign_in: Browser) -> None:
    account = an_account(agency, "Ben", "active", 1)
    campaign = Campaign.objects.create(agency=agency, provider="salesflow", external_id="1", name="Q4", account=account)
    client = sign_in(Role.MANAGER)
    client.post(f"/linkedin/{account.pk}/pause")
    campaign.refresh_from_db()
    assert (campaign.status, campaign.paused_by) == ("paused", "user")
    page = text_of(client, f"/linkedin/{account.pk}")
    assert "All campaigns of this account are paused." in page
    client.post(f"/linkedin/{account.pk}/resume")
    campaign.refresh_from_db()
    assert campaign.status == "active"
    assert "Nothing stops messages and invitations." in text_of(client, f"/linkedin/{account.pk}")
    Account.objects.update(status="blocked")
    client.post(f"/linkedin/{account.pk}/pause")
    answer = client.post(f"/linkedin/{account.pk}/resume", follow=True)
    assert (
        "The account is blocked by LinkedIn. Its campaigns can run again when that has ended."
        in answer.content.decode()
    )


def test_one_history_has_reports_what_the_owner_was_asked_and_pauses(agency: Agency, sign_in: Browser) -> None:
    begin = timezone.now() - timedelta(hours=3)
    said = (("active", 0), ("auth_error", 60), ("active", 120))
    for number, (status, minutes) in enumerate(said):
        with time_machine.travel(begin + timedelta(minutes=minutes), tick=False):
            account = report(agency, status, name="Emil", email="emil@example.com", number=number)
            if number == 0:
                Campaign.objects.create(
                    agency=agency, provider="salesflow", external_id="1", name="Q4", account=account
                )
    page = text_of(sign_in(Role.READ_ONLY), f"/linkedin/{account.pk}")
    lines = [" ".join(re.sub(r"<[a-z/!][^>]*>", " ", line).split()) for line in re.findall(r"(?s)<li.*?</li>", page)]
    history = [re.sub(r"^. | 1 hour ago| 2 hours ago| 3 hours ago", "", line) for line in lines[-8:]]
    assert sorted(history) == sorted(
        [
            "Active , by Salesflow",
            "Reconnect request closed The account is active.",
            "Campaign resumed Q4",
            "Owner asked to reconnect , emil@example.com",
            "Reconnect link made",
            "Campaign paused Q4 , by Leadline The account has a sign-in problem.",
            "Sign-in failed , by Salesflow",
            "Active , by Salesflow",
        ]
    )


def test_a_history_goes_on_on_an_older_page(agency: Agency, sign_in: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_history, "SIZE", 2)
    for number, status in enumerate(("active", "blocked", "active", "blocked")):
        account = report(agency, status, number=number)
    client, at, seen = sign_in(Role.READ_ONLY), f"/linkedin/{account.pk}", 0
    for _ in range(20):
        page = text_of(client, at)
        seen += page.count(", by Salesflow")
        older = re.search(r'href="(\?before=[^"#]*)#history" rel="next"', page)
        if not older:
            break
        at = f"/linkedin/{account.pk}{older[1]}"
    assert seen == 4
    assert 'href="?#history"' in page


def test_an_incident_shows_what_dropped_together_and_what_is_back(agency: Agency, sign_in: Browser) -> None:
    now = timezone.now()
    incident = Incident.objects.create(
        agency=agency, provider="salesflow", cause="proxy", opened_at=now - timedelta(hours=2), last_outage_at=now
    )
    for name, back in (("Anna", None), ("Ben", now - timedelta(hours=1)), ("Cleo", None)):
        account = an_account(agency, name, "active" if back else "disconnected", 2)
        Outage.objects.create(
            account=account,
            agency=agency,
            provider="salesflow",
            status="disconnected",
            cause="proxy",
            incident=incident,
            at=now - timedelta(hours=2),
            back_at=back,
        )
    incident.steps.create(text="Opened: 3 accounts dropped within 5 minutes.")
    client = sign_in(Role.READ_ONLY)
    listed = text_of(client, "/incidents")
    assert "3 accounts dropped" in listed
    assert "2 still down" in listed
    page = text_of(client, f"/incidents/{incident.pk}")
    assert "Probably the proxy that the accounts go through." in page
    assert "Ask the provider to check or change the accounts' proxy." in page
    assert "3 of 3 down" in page
    assert "2 of 3 down" in page
    assert names(page) == ["Anna", "Cleo", "Ben"]
    Incident.objects.update(closed_at=now)
    assert "No open incidents" in text_of(client, "/incidents?state=open")


def test_a_sub_account_gets_a_name_and_shows_what_is_there(agency: Agency, sign_in: Browser) -> None:
    place = SubAccount.objects.create(agency=agency, location_id="tdIeP", installed=True, installer_name="Ina")
    for number in range(2):
        an_account(agency, f"A{number}", "active", 1, sub_account=place)
    client = sign_in(Role.MANAGER)
    assert 'name="name"' in text_of(client, f"/sub-accounts?edit={place.pk}")
    client.post(f"/sub-accounts/{place.pk}/rename", {"name": " Berlin  office "})
    page = text_of(client, "/sub-accounts")
    assert ">Berlin office</a>" in page
    assert '<td data-label="Accounts">2</td>' in page
    assert "Ina" in page
    assert ">Berlin office</a>" in text_of(client, "/sub-accounts?q=berlin")
    assert [(entry.action, entry.object_label) for entry in agency.audit_entries.all()] == [
        ("Renamed", "Berlin office")
    ]
