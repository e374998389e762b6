"""An account drops and comes back, the clock moved: exactly these messages, in this order."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from jsonschema import Draft202012Validator

from accounts.campaigns import service as campaigns
from accounts.core.enums import EventType
from accounts.models import Account, Agency, Event, ReauthPrompt, Source
from accounts.tasks import run_jobs
from notifications.channels.service import create_channel
from notifications.content.catalogue import CATALOGUE
from notifications.delivery import drain_deliveries
from notifications.models import Delivery
from notifications.staff.alerts import set_alerts
from tests.reactions import react
from tests.receiving import receive, source_of
from webhooks.processing.processor import process_due_receipts

MONDAY = datetime(2026, 3, 23, 8, 0, tzinfo=UTC)
TEAM, OWNER, STAFF = "team@example.com", "natalia@example.com", "staff@example.com"


class Day:
    """The product's processes, one after the other, at a moment."""

    def __init__(self, source: Source, clock: time_machine.Traveller) -> None:
        self.source = source
        self.clock = clock
        self.seen = 0

    def at(self, hours: float, says: str = "", *, deliver: bool = True) -> list[tuple[str, str]]:
        """The mails that go out then, after Salesflow said so; those of one moment leave side by side, so sorted."""
        self.clock.move_to(MONDAY + timedelta(hours=hours))
        if says:
            body = {
                "EventType": "ACCOUNT_STATUS_CHANGED",
                "Payload": {"Data": {"Status": f"ACCOUNT_{says}"}},
                "LinkedInAccountId": 7688,
                "LinkedInEmail": OWNER,
            }
            receive(self.source, json.dumps(body).encode())
        while process_due_receipts():
            pass
        react()
        run_jobs("receipts")
        if deliver:
            drain_deliveries()
        fresh = mail.outbox[self.seen :]
        self.seen = len(mail.outbox)
        return sorted((message.to[0], message.subject) for message in fresh)


@pytest.fixture
def day(agency: Agency) -> Iterator[Day]:
    with time_machine.travel(MONDAY, tick=False) as clock:
        somebody = User.objects.create_user("staff", STAFF, is_staff=True)
        set_alerts(somebody, by_email=True, by_slack=False)
        create_channel(agency, kind="email", email=TEAM, verified=True)
        made = Day(source_of(agency, "salesflow"), clock)
        made.at(0, "ACTIVE")
        campaign = campaigns.campaign_of(agency, provider="salesflow", external_id="c1", name="Spring")
        campaigns.update_campaign(campaign, account=Account.objects.get())
        yield made


ASKED = [(OWNER, f"Please reconnect the LinkedIn account {OWNER}")]
ALERT = sorted(
    [
        (STAFF, f"{OWNER} dropped (Northwind Outreach)"),
        (TEAM, "Spring was paused"),
        (TEAM, f"{OWNER} was disconnected from LinkedIn"),
    ]
)
MINUTE = 1 / 60
REMINDER = [(OWNER, f"Reminder: please reconnect the LinkedIn account {OWNER}")]
BACK = [(TEAM, "Spring resumed"), (TEAM, f"{OWNER} is back on LinkedIn")]


def test_drop_reminders_and_return(day: Day) -> None:
    events = {
        hours: day.at(hours, says)
        for hours, says in (
            *((1, "BLOCKED"), (1 + 0.9 * MINUTE, ""), (1 + MINUTE, ""), (1.1, "BLOCKED"), (4.99, ""), (5.01, "")),
            *((5.5, ""), (24.99, ""), (25.01, ""), (72.99, ""), (73.01, ""), (80, ""), (81, "ACTIVE"), (82, "")),
            (200, ""),
        )
    }
    assert {hours: messages for hours, messages in events.items() if messages} == {
        1: ASKED,
        1 + MINUTE: ALERT,
        5.01: REMINDER,
        25.01: REMINDER,
        73.01: REMINDER,
        81: BACK,
    }


def test_a_return_stops_every_reminder_at_once(day: Day) -> None:
    assert day.at(1, "BLOCKED") == ASKED
    assert day.at(1 + MINUTE) == ALERT
    assert day.at(5.01) == REMINDER
    assert day.at(6, "ACTIVE") == BACK
    assert [day.at(hours) for hours in (25.01, 73.01, 170)] == [[], [], []]
    assert (OWNER, f"Please reconnect the LinkedIn account {OWNER}") in day.at(171, "PAUSED")


def test_a_mail_that_is_still_on_its_way_is_not_sent_once_the_account_is_back(day: Day) -> None:
    day.at(1, "BLOCKED", deliver=False)
    events = day.at(1.01, "ACTIVE")
    assert [subject for to, subject in events if to == OWNER] == []
    cancelled = Delivery.objects.get(recipient=OWNER)
    assert (cancelled.status, cancelled.attempts) == ("cancelled", 0)
    assert "no longer needed" in cancelled.error.lower()


def test_the_mail_has_the_link_and_the_reason_and_the_link_works(day: Day) -> None:
    from django.test import Client

    day.at(1, "BLOCKED")
    [message] = [message for message in mail.outbox if message.to == [OWNER]]
    link = ReauthPrompt.objects.get().url
    assert f"Reconnect the account: {link}" in message.body
    assert "The account was disconnected from LinkedIn." in message.body
    assert "works until 03/30/2026 9:00 AM UTC" in message.body
    assert Client().get(link).status_code == 200
    assert day.at(1 + MINUTE) == ALERT
    others: list[Any] = [message for message in mail.outbox if message.to != [OWNER]]
    assert not [message for message in others if "/reauth/" in str(message.body) + str(message.alternatives)]


def test_every_body_is_as_the_catalogue_says(day: Day) -> None:
    day.at(1, "BLOCKED")
    day.at(5.01)
    events = Event.objects.filter(event_type=EventType.REAUTH_REQUESTED)
    assert len(events) == 3  # the agency's, and to the owner the request and its reminder
    for event in events:
        Draft202012Validator(CATALOGUE[EventType.REAUTH_REQUESTED].schema).validate(event.payload)
