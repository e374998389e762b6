"""Reports that come late, retried or back-filled: they count when they happened, and alarm nobody as if it were now."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
import time_machine
from django.core import mail
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import services
from accounts.core.enums import AccountStatus as S
from accounts.events.ordering import Origin
from accounts.linkedin.incidents import ALERT_DELAY, update_incidents
from accounts.linkedin.matching import AccountIdentity
from accounts.models import Agency, Event, Incident, Outage, ReauthPrompt
from accounts.reauth import attempts
from accounts.tenancy.agencies import create_agency
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from notifications.models import Delivery
from tests.notifications.receiver import receiver
from tests.reactions import react
from tests.receiving import receive_sample, source_of
from webhooks.processing.processor import process_due_receipts

SEQUENCE = count(1)
T0 = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(T0, tick=False) as clock:
        yield clock


def report(agency: Agency, ago: timedelta, *names: str, status: S = S.BLOCKED) -> None:
    """Post reports now whose events happened a while ago."""
    for name in names:
        services.report_status(
            agency,
            provider="linkedconnector",
            identity=AccountIdentity(external_id=name, name=name),
            status=status,
            origin=Origin(by="linkedconnector", at=timezone.now() - ago, sequence=next(SEQUENCE)),
        )
    react()


def staff_alerts() -> list[str]:
    return list(Event.objects.filter(event_type="staff_alert").order_by("id").values_list("subject", flat=True))


def accounts_in(incident: Incident) -> list[str]:
    return sorted(incident.outages.values_list("account__name", flat=True))


def test_a_block_of_twelve_days_ago_is_in_no_incident_of_today_and_alarms_nobody(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    report(agency, timedelta(days=12), "old")
    report(agency, timedelta(0), "a", "b")
    update_incidents()
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert not Incident.objects.exists()
    known = Outage.objects.get(account__name="old")
    assert (known.at, known.noted_at, known.pending) == (T0 - timedelta(days=12), T0, False)
    assert known.account_id not in staff_alerts()
    report(agency, timedelta(days=2), *"uvwxyz")
    update_incidents()
    assert not Incident.objects.exists()


def test_what_happened_hours_apart_and_comes_at_once_is_no_incident(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    for hours, name in enumerate("abcde", start=1):
        report(agency, hours * HOUR, name)
    update_incidents()
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert not Incident.objects.exists()
    assert len(staff_alerts()) == 5


def test_what_happened_together_and_comes_hours_later_is_an_incident_of_then(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    for minute, name in enumerate("abc"):
        report(agency, 2 * HOUR - timedelta(minutes=minute), name)
    update_incidents()
    incident = Incident.objects.get()
    assert (incident.opened_at, incident.last_outage_at) == (T0 - 2 * HOUR, T0 - 2 * HOUR + timedelta(minutes=2))
    assert staff_alerts() == []
    clock.shift(ALERT_DELAY)
    update_incidents()
    assert staff_alerts() == [incident.id]
    report(agency, 2 * HOUR + ALERT_DELAY + timedelta(minutes=4), "earlier")
    update_incidents()
    incident.refresh_from_db()
    assert accounts_in(incident) == ["a", "b", "c", "earlier"]
    assert incident.opened_at == T0 - 2 * HOUR - timedelta(minutes=4)


def test_a_late_report_joins_no_incident_of_now(agency: Agency, clock: time_machine.Traveller) -> None:
    report(agency, timedelta(0), "a", "b", "c")
    update_incidents()
    report(agency, 3 * HOUR, "late")
    update_incidents()
    assert accounts_in(Incident.objects.get()) == ["a", "b", "c"]


def test_two_outages_of_a_provider_are_told_apart_by_when_they_were(db: None, clock: time_machine.Traveller) -> None:
    agencies = [create_agency(name=f"Agency {number}")[0] for number in range(3)]
    for agency in agencies:
        report(agency, 2 * HOUR, "a", "b")
        report(agency, timedelta(0), "c")
    update_incidents()
    outage = Incident.objects.get(agency=None)
    assert (outage.opened_at, outage.parts.count()) == (T0 - 2 * HOUR, 3)
    assert set(Outage.objects.filter(incident__part_of=outage).values_list("account__name", flat=True)) == {"a", "b"}


def test_an_account_that_was_back_hours_ago_was_down_until_then(agency: Agency, clock: time_machine.Traveller) -> None:
    report(agency, 3 * HOUR, "a")
    report(agency, HOUR, "a", status=S.ACTIVE)
    known = Outage.objects.get()
    assert (known.at, known.back_at) == (T0 - 3 * HOUR, T0 - HOUR)


def test_a_report_of_before_the_page_was_used_is_not_expected(agency: Agency, clock: time_machine.Traveller) -> None:
    report(agency, 2 * HOUR, "a", status=S.DISCONNECTED)
    attempts.record_page_use(ReauthPrompt.objects.get())
    report(agency, HOUR, "a", status=S.ACTIVE)
    report(agency, timedelta(minutes=30), "a", status=S.DISCONNECTED)
    assert Outage.objects.get(back_at=None).expected is False
    clock.shift(60)
    report(agency, timedelta(seconds=20), "a", status=S.ACTIVE)
    report(agency, timedelta(seconds=10), "a", status=S.DISCONNECTED)
    assert Outage.objects.get(back_at=None).expected is True


def test_a_time_ahead_of_ours_is_now(agency: Agency, clock: time_machine.Traveller) -> None:
    report(agency, -timedelta(minutes=4), "a")
    assert Outage.objects.get().at == T0


def test_old_ups_and_downs_are_no_flapping(agency: Agency, clock: time_machine.Traveller) -> None:
    for minutes in range(0, 60, 10):
        status = S.DISCONNECTED if minutes % 20 else S.ACTIVE
        report(agency, timedelta(days=12) - timedelta(minutes=minutes), "a", status=status)
    assert not Event.objects.filter(event_type="linkedin_flapping").exists()
    for minutes in range(0, 60, 10):
        status = S.DISCONNECTED if minutes % 20 else S.ACTIVE
        report(agency, HOUR - timedelta(minutes=minutes), "a", status=status)
    assert Event.objects.filter(event_type="linkedin_flapping").count() == 1


def test_a_webhook_that_comes_twelve_days_late_is_history_from_the_receipt_on(
    agency: Agency, clock: time_machine.Traveller
) -> None:
    source = source_of(agency, "linkedconnector")
    for number, days in enumerate((12, 0, 0)):
        receive_sample(
            source,
            "linkedin_blocked",
            ghl_company_id=agency.ghl_company_id,
            ghl_location_id="loc-1",
            linkedin_account_name=f"Account {number}",
            timestamp=(T0 - timedelta(days=days)).isoformat(),
        )
    while process_due_receipts():
        pass
    react()
    update_incidents()
    assert not Incident.objects.exists()
    assert [outage.at for outage in Outage.objects.order_by("account__name")] == [T0 - timedelta(days=12), T0, T0]


@pytest.mark.parametrize(("ago", "urgent"), [(timedelta(days=12), False), (timedelta(minutes=20), True)])
def test_what_is_urgent_wakes_nobody_when_it_is_old(
    agency: Agency, clock: time_machine.Traveller, ago: timedelta, urgent: bool
) -> None:
    create_channel(
        agency, kind="email", email="team@example.com", verified=True, quiet_hours={"start": "07:00", "end": "09:00"}
    )
    report(agency, ago, "Ada Lovelace")
    drain_deliveries()
    clock.shift(ALERT_DELAY)
    drain_deliveries()
    assert [message.to for message in mail.outbox] == ([["team@example.com"]] if urgent else [])
    delivery = Delivery.objects.get(event__event_type="linkedin_blocked")
    assert (delivery.hold == "quiet_hours") is not urgent
    clock.move_to(T0 + HOUR)
    drain_deliveries()
    [message] = mail.outbox
    assert f"{T0 - ago:%m/%d/%Y}" in message.body


@pytest.mark.parametrize(("ago", "expected"), [(timedelta(days=12), "When: 03/11/2026 8:00 AM UTC"), (ALERT_DELAY, "")])
def test_slack_says_when_what_comes_late_happened(
    agency: Agency, clock: time_machine.Traveller, settings: Settings, ago: timedelta, expected: str
) -> None:
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiver() as slack:
        create_channel(agency, kind="slack", url=slack.url, event_types=["linkedin_blocked"])
        report(agency, ago, "Ada Lovelace")
        drain_deliveries()
        clock.shift(ALERT_DELAY)
        drain_deliveries()
    [request] = slack.requests
    text = json.loads(request.body)["blocks"][1]["text"]["text"]
    assert "restricted the account Ada Lovelace" in text
    assert (expected in text) if expected else ("When:" not in text)
