"""Alerts of drops: people get one message about many accounts, webhooks get all of them at once."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import services
from accounts.campaigns import service as campaigns
from accounts.core.enums import AccountStatus as S
from accounts.core.enums import EventType, IssueKind, Scope
from accounts.events.ordering import Origin
from accounts.linkedin.incidents import ALERT_DELAY
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Account, Agency, Event, Incident
from accounts.sources import issues
from accounts.sources.service import create_source
from accounts.tenancy.api_keys import create_api_key
from leads.models import Lead
from notifications.channels.service import create_channel
from notifications.content.catalogue import CATALOGUE
from notifications.delivery import drain_deliveries
from notifications.models import Delivery
from notifications.staff.alerts import set_alerts
from tests.notifications.receiver import Receiver, receiver
from tests.reactions import react

T0 = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
SEQUENCE = count(1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(T0) as clock:  # it ticks: a frozen clock would hold up whoever waits for a moment to pass
        yield clock


@pytest.fixture
def staff_user(db: None) -> User:
    return User.objects.create_user("sam", "sam@example.com", is_staff=True)


def report(agency: Agency, name: str, status: S, *, location: str = "") -> Account:
    account = services.report_status(
        agency,
        provider="salesflow",
        identity=AccountIdentity(external_id=name, name=name, location_id=location),
        status=status,
        origin=Origin(by="salesflow", at=timezone.now(), sequence=next(SEQUENCE)),
    )
    react()
    return account


def campaign_of(account: Account, name: str) -> None:
    campaign = campaigns.campaign_of(account.agency, provider="sendpilot", external_id=name, name=name)
    campaigns.update_campaign(campaign, account=account)


def mails(address: str) -> list[str]:
    return [message.subject for message in mail.outbox if message.to == [address]]


def bodies(hook: Receiver) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in hook.requests]


@pytest.mark.one_backend
def test_forty_drops_are_one_mail_per_agency_and_forty_webhooks(
    agency: Agency, stranger: Agency, loopback: None, clock: time_machine.Traveller
) -> None:
    for each, address in ((agency, "team@example.com"), (stranger, "other@example.com")):
        create_channel(each, kind="email", email=address, verified=True, event_types=["linkedin_disconnected"])
        create_channel(each, kind="email", email=f"all-{address}", verified=True)
    for number in range(40):
        campaign_of(report(agency, f"a{number}", S.ACTIVE), f"c{number}")
        if number < 10:
            report(stranger, f"b{number}", S.ACTIVE)
    drain_deliveries()
    mail.outbox.clear()
    with receiver() as hook, receiver() as slack:
        create_channel(agency, kind="webhook", url=hook.url)
        create_channel(agency, kind="slack", url=slack.url)
        for number in range(40):
            clock.move_to(T0 + timedelta(seconds=4.5 * number + 1))
            report(agency, f"a{number}", S.DISCONNECTED)
            if number < 10:
                report(stranger, f"b{number}", S.DISCONNECTED)
            if number % 10 == 3:  # a worker looks now and then; each look stays for a turn that is near
                drain_deliveries()
        clock.shift(ALERT_DELAY)
        drain_deliveries()
        heard = Counter(body["event_type"] for body in bodies(hook))
        [said] = [body["text"] for body in bodies(slack)]
    assert heard["linkedin_disconnected"] == heard["campaign_paused"] == 40
    assert heard["accounts_incident"] == 1
    assert said.endswith("LinkedIn accounts dropped")
    for address in ("team@example.com", "all-team@example.com", "other@example.com", "all-other@example.com"):
        [subject] = mails(address)
        assert subject.endswith("LinkedIn accounts dropped")
    assert {"account": Incident.objects.get(agency=agency).outages.count()} == {"account": 40}


def test_the_mail_comes_a_minute_after_the_first_drop_and_is_about_all_that_dropped_by_then(
    agency: Agency, mailbox_channel: object, clock: time_machine.Traveller
) -> None:
    for number in range(12):
        clock.move_to(T0 + timedelta(seconds=number))
        report(agency, f"Account {number}", S.DISCONNECTED)
        drain_deliveries()
    clock.move_to(T0 + ALERT_DELAY - timedelta(seconds=5))
    drain_deliveries()
    assert mails("team@example.com") == []
    clock.move_to(T0 + ALERT_DELAY + timedelta(seconds=1))
    drain_deliveries()
    assert mails("team@example.com") == ["12 LinkedIn accounts dropped"]
    text = mail.outbox[-1].body
    assert "Suspected cause: the provider, which lost its connections to LinkedIn." in text
    assert "Account 0, Account 1, " in text
    assert "Account 9 and 2 more." in text


def test_one_drop_is_one_alert_after_a_minute(
    agency: Agency, mailbox_channel: object, clock: time_machine.Traveller
) -> None:
    report(agency, "Ann", S.ACTIVE)
    drain_deliveries()
    clock.shift(1)
    report(agency, "Ann", S.BLOCKED)
    clock.shift(59)
    drain_deliveries()
    assert mails("team@example.com") == ["Ann is connected to LinkedIn"]
    clock.shift(1)
    drain_deliveries()
    assert mails("team@example.com")[1:] == ["LinkedIn blocked Ann"]


def test_what_was_sent_before_the_third_drop_stays_sent_and_what_waits_is_replaced(
    agency: Agency, mailbox_channel: object, clock: time_machine.Traveller
) -> None:
    for second, name in ((0, "Ann"), (30, "Bea"), (70, "Cid")):
        clock.move_to(T0 + timedelta(seconds=second))
        drain_deliveries()
        report(agency, name, S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert mails("team@example.com") == ["Ann was disconnected from LinkedIn", "3 LinkedIn accounts dropped"]
    cancelled = Delivery.objects.filter(status="cancelled")
    assert {delivery.error for delivery in cancelled} == {f"Told in the incident {Incident.objects.get().pk}."}
    assert {delivery.attempts for delivery in cancelled} == {0}


def test_what_follows_is_in_the_incident_and_its_end_is_told_once(
    agency: Agency, mailbox_channel: object, clock: time_machine.Traveller
) -> None:
    for name in ("Ann", "Bea", "Cid"):
        campaign_of(report(agency, name, S.ACTIVE), f"{name}'s campaign")
    drain_deliveries()
    mail.outbox.clear()
    for name in ("Ann", "Bea", "Cid"):
        report(agency, name, S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    report(agency, "Dan", S.DISCONNECTED)
    report(agency, "Ann", S.BLOCKED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    for name in ("Ann", "Bea", "Cid", "Dan"):
        report(agency, name, S.ACTIVE)
    drain_deliveries()
    assert mails("team@example.com") == ["3 LinkedIn accounts dropped", "The LinkedIn accounts that dropped are back"]
    clock.shift(1)
    report(agency, "Ann", S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert sorted(mails("team@example.com")[2:]) == [
        "Ann was disconnected from LinkedIn",
        "Ann's campaign was paused",
    ]


def test_an_incident_that_is_over_at_once_is_told_to_nobody(
    agency: Agency, mailbox_channel: object, clock: time_machine.Traveller
) -> None:
    for status in (S.DISCONNECTED, S.ACTIVE):
        for name in ("Ann", "Bea", "Cid"):
            report(agency, name, status)
        drain_deliveries()
        clock.shift(10)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert mails("team@example.com") == []


def test_who_listens_to_one_location_hears_of_it_alone(agency: Agency, clock: time_machine.Traveller) -> None:
    create_channel(agency, kind="email", email="berlin@example.com", locations=["berlin"], verified=True)
    create_channel(agency, kind="email", email="rome@example.com", locations=["rome"], verified=True)
    for name in ("Ann", "Bea", "Cid"):
        report(agency, name, S.DISCONNECTED, location="berlin")
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert (mails("berlin@example.com"), mails("rome@example.com")) == (["3 LinkedIn accounts dropped"], [])


def test_who_did_not_choose_drops_hears_of_no_incident(agency: Agency, clock: time_machine.Traveller) -> None:
    create_channel(agency, kind="email", email="leads@example.com", event_types=["lead_created"], verified=True)
    for name in ("Ann", "Bea", "Cid"):
        report(agency, name, S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert mails("leads@example.com") == []


def test_owners_are_asked_at_once_whatever_waits(
    agency: Agency, mailbox_channel: object, clock: time_machine.Traveller
) -> None:
    for name in ("Ann", "Bea", "Cid"):
        account = report(agency, name, S.ACTIVE)
        services.update_account(account, email=f"{name.lower()}@example.com")
    drain_deliveries()
    mail.outbox.clear()
    for name in ("Ann", "Bea", "Cid"):
        report(agency, name, S.DISCONNECTED)
    drain_deliveries()
    assert sorted(message.to[0] for message in mail.outbox) == ["ann@example.com", "bea@example.com", "cid@example.com"]


def lead(account: Account, name: str, status: str, *, hours: int, owner: User | None = None) -> Lead:
    since = timezone.now() - timedelta(hours=hours)
    return Lead.objects.create(
        agency=account.agency,
        name=name,
        account=account,
        status=status,
        status_since=since,
        received_at=since,
        assigned_to=owner,
        linkedin_key=f"linkedin.com/in/{name}",
    )


def test_the_leads_that_wait_for_an_answer_stand_in_the_alert(
    agency: Agency, stranger: Agency, mailbox_channel: object, staff_user: User, clock: time_machine.Traveller
) -> None:
    set_alerts(staff_user, by_email=True, by_slack=False)
    ann, other = report(agency, "Ann", S.ACTIVE), report(agency, "Bea", S.ACTIVE)
    owner = User.objects.create_user("ben", first_name="Ben", last_name="Smith")
    lead(ann, "Ada <Lovelace>", "REPLY_RECEIVED", hours=3, owner=owner)
    lead(ann, "Grace Hopper", "OPPORTUNITY", hours=30)
    lead(ann, "Not yet", "MESSAGE_SENT", hours=40)
    lead(other, "Not hers", "REPLY_RECEIVED", hours=50)
    lead(report(stranger, "Ann", S.ACTIVE), "A stranger's", "REPLY_RECEIVED", hours=60)
    campaign_of(ann, "Spring")
    through_campaign = lead(other, "In her campaign", "REPLY_RECEIVED", hours=1)
    Lead.objects.filter(pk=through_campaign.pk).update(account=None, campaign=ann.campaigns.get())
    drain_deliveries()
    mail.outbox.clear()
    clock.shift(60)
    report(agency, "Ann", S.AUTH_ERROR)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    expected = (
        "Leads awaiting reply:\n"
        "- Grace Hopper: Opportunity, waiting for 1 day (unassigned)\n"
        "- Ada <Lovelace>: Replied, waiting for 3 hours (Ben Smith)\n"
        "- In her campaign: Replied, waiting for 1 hour (unassigned)\n\n"
    )
    alerts = [message for message in mail.outbox if "Spring" not in message.subject]
    assert {message.to[0] for message in alerts} == {"team@example.com", "sam@example.com"}
    for message in alerts:
        assert expected in message.body
        assert "<li>Ada &lt;Lovelace&gt;: Replied" in str(message.alternatives[0][0])  # type: ignore[attr-defined]


# --- staff -------------------------------------------------------------------------------------------


def alerted(agency: Agency, clock: time_machine.Traveller) -> None:
    report(agency, "Ann", S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()


def test_staff_hears_where_it_was_switched_on_and_nobody_else_does(
    agency: Agency, staff_user: User, settings: Settings, loopback: None, clock: time_machine.Traveller
) -> None:
    settings.STAFF_ALERT_EMAILS = ["ops@example.com"]
    own, gone, member = (
        User.objects.create_user(name, f"{name}@example.com", is_staff=True) for name in ("own", "gone", "member")
    )
    User.objects.create_user("silent", "silent@example.com", is_staff=True)
    with receiver() as team, receiver() as private:
        settings.STAFF_SLACK_URL = team.url
        set_alerts(staff_user, by_email=True, by_slack=True)
        set_alerts(own, by_email=False, by_slack=True, slack_url=private.url)
        set_alerts(gone, by_email=True, by_slack=True)
        set_alerts(member, by_email=True, by_slack=False)
        User.objects.filter(pk=gone.pk).update(is_active=False)
        User.objects.filter(pk=member.pk).update(is_staff=False)
        alerted(agency, clock)
        assert [body["text"] for body in (*bodies(team), *bodies(private))] == ["Ann dropped (Northwind Outreach)"] * 2
    assert sorted(message.to[0] for message in mail.outbox) == ["ops@example.com", "sam@example.com"]
    message = mail.outbox[0]
    assert message.subject == "Ann dropped (Northwind Outreach)"
    assert f"/admin/accounts/account/{Account.objects.get().pk}/change/" in message.body


def test_the_teams_slack_is_silent_until_somebody_switches_it_on(
    agency: Agency, settings: Settings, loopback: None, clock: time_machine.Traveller
) -> None:
    with receiver() as team:
        settings.STAFF_SLACK_URL = team.url
        alerted(agency, clock)
        assert team.requests == []


def test_a_url_of_the_staffs_is_checked_when_it_is_used_too(
    agency: Agency, staff_user: User, settings: Settings, loopback: None, clock: time_machine.Traveller
) -> None:
    with receiver() as private:
        set_alerts(staff_user, by_email=False, by_slack=True, slack_url=private.url)
        settings.OUTBOUND_ALLOWED_NETWORKS = []
        alerted(agency, clock)
        assert private.requests == []
    delivery = Delivery.objects.get(recipient=f"slack:{staff_user.pk}")
    assert (delivery.status, delivery.attempts) == ("pending", 1)
    assert delivery.error == "The address is outside the public internet."


def test_an_incident_is_one_alert_for_the_staff_and_one_when_it_is_over(
    agency: Agency, staff_user: User, clock: time_machine.Traveller
) -> None:
    set_alerts(staff_user, by_email=True, by_slack=False)
    names = [f"Account {number}" for number in range(15)]
    for name in names:
        report(agency, name, S.DISCONNECTED)
        clock.shift(3)
        drain_deliveries()
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    for name in names:
        report(agency, name, S.ACTIVE)
    drain_deliveries()
    assert mails("sam@example.com") == [
        "Incident: 15 accounts down at Northwind Outreach",
        "Over: the incident of Northwind Outreach",
    ]


def test_slow_answers_are_one_alert_for_the_staff_and_one_when_they_are_over(agency: Agency, staff_user: User) -> None:
    set_alerts(staff_user, by_email=True, by_slack=False)
    create_channel(agency, kind="email", email="team@example.com", verified=True)
    source, _ = create_source(agency=agency, provider="sendpilot", name="Outreach")
    detail = "3 of 200 answers of the last hour took more than a second."
    issues.open_issue(source, IssueKind.SLOW, detail=detail)
    for _ in range(2):
        issues.alert_staff()
        drain_deliveries()
    issues.close_issues(source, IssueKind.SLOW)
    issues.alert_staff()
    drain_deliveries()
    assert [(message.to, message.subject) for message in mail.outbox] == [
        (["sam@example.com"], "Answers are slow"),
        (["sam@example.com"], "Over: answers are fast again"),
    ]
    assert f"at 1 source. Outreach: {detail}" in mail.outbox[0].body
    assert "look at the database's load" in mail.outbox[0].body
    assert "/admin/accounts/sourceissue/?state=open" in mail.outbox[0].body
    assert CATALOGUE[EventType.STAFF_ALERT].schema["properties"].keys() >= set().union(
        *(event.payload for event in Event.objects.filter(event_type="staff_alert"))
    )


def test_an_outage_is_one_alert_for_the_staff_and_one_mail_for_each_agency(
    agency: Agency, stranger: Agency, staff_user: User, clock: time_machine.Traveller
) -> None:
    from accounts.tenancy.agencies import create_agency

    third = create_agency(name="Third")[0]
    set_alerts(staff_user, by_email=True, by_slack=False)
    hit = {"a@example.com": agency, "b@example.com": stranger, "c@example.com": third}
    for address, each in hit.items():
        create_channel(each, kind="email", email=address, verified=True)
        report(each, "Ann", S.DISCONNECTED)
        report(each, "Bea", S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert mails("sam@example.com") == ["Incident: 6 accounts down at 3 agencies"]
    assert [mails(address) for address in hit] == [["2 LinkedIn accounts dropped"]] * 3


def test_an_agency_sees_nothing_of_alerts_to_the_staff(
    agency: Agency, staff_user: User, clock: time_machine.Traveller
) -> None:
    set_alerts(staff_user, by_email=True, by_slack=False)
    alerted(agency, clock)
    [alert] = Delivery.objects.filter(recipient="sam@example.com")
    key = create_api_key(agency, name="all", scopes=list(Scope))[1]
    client = Client(headers={"authorization": f"Bearer {key}"})
    for page in ("deliveries", "events", "event-types"):
        answer = client.get(f"/api/v1/{page}").content.decode()
        assert "sam@example.com" not in answer
        assert "staff_alert" not in answer
    assert client.get(f"/api/v1/deliveries/{alert.pk}").status_code == 404
    assert client.post(f"/api/v1/deliveries/{alert.pk}/resend", content_type="application/json").status_code == 404


def test_an_incident_with_a_restriction_in_it_does_not_wait_for_the_morning(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    night = {"start": "22:00", "end": "07:00"}
    create_channel(agency, kind="email", email="team@example.com", verified=True, quiet_hours=night)
    clock.move_to(datetime(2026, 3, 23, 23, tzinfo=UTC))
    for name in ("Ann", "Bea", "Cid"):
        report(agency, name, S.DISCONNECTED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert mails("team@example.com") == []
    clock.move_to(datetime(2026, 3, 24, 7, tzinfo=UTC))
    drain_deliveries()
    assert mails("team@example.com") == ["3 LinkedIn accounts dropped"]
    clock.move_to(datetime(2026, 3, 24, 23, tzinfo=UTC))
    for name in ("Dan", "Eva", "Fay"):
        report(agency, name, S.BLOCKED)
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert mails("team@example.com")[1:] == ["3 LinkedIn accounts dropped"]
