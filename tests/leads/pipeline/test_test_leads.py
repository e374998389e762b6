"""A lead that somebody made to try a form out is marked, and in no report, list of work, figure, route or clock."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.core.enums import Scope
from accounts.models import Account, Agency, Campaign, Event
from config.backoffice.dashboard import dashboard
from config.metrics import exposition
from leads.enums import ChangedBy, LeadStatus
from leads.models import Lead
from leads.pipeline.at_risk import leads_at_risk
from leads.pipeline.changes import create_lead, set_status
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries, fan_out_due_events
from notifications.models import Delivery
from tests.api.client import api_with
from tests.portal.browser import Browser
from tests.reactions import react


@pytest.fixture
def account(agency: Agency) -> Account:
    now = timezone.now()
    return Account.objects.create(
        agency=agency, provider="salesflow", external_id="1", name="Ben", status="active", status_since=now
    )


@pytest.fixture
def browser(sign_in: Browser) -> Client:
    return sign_in()


def answers(account: Account, *, is_test: bool) -> Lead:
    """A lead that came, answered, and became an opportunity of high priority."""
    campaign = Campaign.objects.get_or_create(agency=account.agency, provider="salesflow", external_id="c")[0]
    lead = create_lead(
        account.agency, name="Ada Lovelace", email="ada@example.com", account=account, campaign=campaign,
        priority="high", is_test=is_test,
    )  # fmt: skip
    for status in (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY):
        lead = set_status(lead, status=status, changed_by=ChangedBy.USER)
    react()
    fan_out_due_events()
    return lead


def report(account: Account, browser: Client, **query: str) -> Any:
    answer = api_with(account.agency, Scope.READ).get("reports/leads", query)
    assert answer.status_code == 200
    return answer.content


def overview(account: Account, browser: Client) -> Any:
    page = browser.get("/").content.decode()
    return re.findall(r"<strong>(\S+)</strong> <span>leads wait", page), page.count("Ada Lovelace")


def messages(account: Account, browser: Client) -> Any:
    mail.outbox.clear()
    drain_deliveries()
    return [message.subject for message in mail.outbox]


SEEN = {
    "the report of leads": report,
    "the report as a table": lambda account, browser: report(account, browser, format="csv"),
    "the report by account": lambda account, browser: report(account, browser, group_by="account"),
    "the report by campaign": lambda account, browser: report(account, browser, group_by="campaign"),
    "the report by status": lambda account, browser: report(account, browser, group_by="status"),
    "leads at risk in alerts": lambda account, browser: len(leads_at_risk([account.pk])),
    "the portal's first page": overview,
    "what channels get": lambda account, browser: list(Delivery.objects.values_list("event__event_type", "channel")),
    "mail": messages,
    "the back office's first page": lambda account, browser: dashboard(User(is_superuser=True, is_active=True))[
        "waiting"
    ],
    "metrics": lambda account, browser: re.findall(rb"leadline_deliveries\S* \S+", exposition()),
}


@pytest.mark.django_db
@pytest.mark.parametrize("look", SEEN.values(), ids=SEEN.keys())
def test_a_test_lead_is_not_seen_where_real_ones_count(
    agency: Agency, account: Account, browser: Client, look: Callable[[Account, Client], Any]
) -> None:
    create_channel(agency, kind="email", email="team@example.com", verified=True)
    create_channel(agency, kind="webhook", url="https://example.com/in", event_types=["lead_opportunity"])
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        before = look(account, browser)
        clock.move_to(now - timedelta(minutes=1))
        lead = answers(account, is_test=True)
        clock.move_to(now)
        assert look(account, browser) == before
        assert {event.is_test for event in Event.objects.filter(subject=lead.pk)} == {True}
        clock.move_to(now - timedelta(minutes=1))
        answers(account, is_test=False)
        clock.move_to(now)
        assert look(account, browser) != before
