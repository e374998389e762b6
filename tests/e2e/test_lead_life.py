"""A lead's life over real HTTP, by a clock that is moved: from the form on LinkedIn to a booked meeting.

LinkedIn is its stand-in, SendPilot sends a signed request, the agency's program is a receiver: servers on sockets, as
Leadline is. What its workers do, the test does after each step.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
import urllib3
from django.core import mail
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from accounts.core.job_handlers import run_due_jobs
from accounts.events.outbox import iso_timestamp
from accounts.models import Agency
from accounts.tenancy.api_keys import create_api_key
from accounts.tenancy.verified_email import mark_email_verified
from config.asgi import application
from config.demo.linkedin_api import StandIn
from config.demo.linkedin_api import serving as serving_linkedin
from config.demo.linkedin_api.forms import SAMPLE_ANSWERS, form
from leads.analytics.settings import choose_conversions
from leads.enums import LeadStatus
from leads.lead_sync.oauth import connect_link
from notifications.channels.service import create_channel
from notifications.delivery import drain_deliveries
from tests.leads.lead_sync.linkedin import source_of as linkedin_source_of
from tests.leads.routing.teams import make_member, make_pool
from tests.leads.routing.test_rules import make_rule
from tests.notifications.receiver import Receiver, receiver
from tests.reactions import react
from tests.receiving import signed, source_of
from tests.webhooks.ingest_server import serving
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db(transaction=True)

MONDAY = datetime(2026, 3, 2, 14, tzinfo=UTC)
PROFILE = "https://www.linkedin.com/in/mira-example"
FORM = 904
http = urllib3.PoolManager(retries=False, timeout=30)


def work() -> None:
    """Do all that is due, as the workers of all queues would."""
    for _ in range(3):  # what one of them does may be work for another
        while process_due_receipts():
            pass
        react()
        for queue in ("receipts", "sync"):
            run_due_jobs(queue, seconds=60, send_heartbeat=lambda: None)  # type: ignore[arg-type]
        react()
    assert not drain_deliveries()


@dataclass
class Leadline:
    """Leadline behind its server, with LinkedIn and the agency's program beside it."""

    url: str
    key: str
    linkedin: StandIn
    program: Receiver
    clock: time_machine.Traveller

    def api(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        answer = http.request(method, f"{self.url}/api/v1/{path}", body=content, headers=headers)
        assert answer.status in (200, 201, 202), answer.data
        work()
        return json.loads(answer.data)

    def after(self, **time: float) -> None:
        """Let time pass, and the workers do what is due then."""
        self.clock.shift(timedelta(**time))
        work()

    def lead(self) -> Any:
        [lead] = self.api("GET", "leads")["results"]
        return lead

    def events_of(self, lead: str) -> list[str]:
        events = reversed(self.api("GET", "events?limit=200")["results"])
        return [event["event_type"] for event in events if event["subject"] == lead]

    def program_got(self, lead: str) -> list[str]:
        """In the order of their ids: what happened at once is sent at once, and arrives in either order."""
        bodies = sorted(
            (json.loads(request.body) for request in self.program.requests), key=lambda body: body["event_id"]
        )
        return [body["event_type"] for body in bodies if body.get("lead_id") == lead]


@pytest.fixture
def leadline(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> Iterator[Leadline]:
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)  # the server's threads outlive the test
    with (
        serving(application) as server,
        serving_linkedin() as linkedin,
        receiver() as program,
        override_settings(
            PUBLIC_URL=f"http://127.0.0.1:{server.port}",
            LINKEDIN_API_BASE=linkedin.base,
            LINKEDIN_OAUTH_BASE=linkedin.oauth_base,
            OUTBOUND_ALLOWED_NETWORKS=["127.0.0.0/8"],
        ),
        time_machine.travel(MONDAY) as clock,
    ):
        create_channel(agency, kind="webhook", name="CRM", url=program.url)
        yield Leadline(f"http://127.0.0.1:{server.port}", create_api_key(agency)[1], linkedin, program, clock)


def sent() -> list[tuple[str, str]]:
    """To whom mails went, and about what, since the last look."""
    mails = [(", ".join(message.to), str(message.subject)) for message in mail.outbox]
    mail.outbox.clear()
    return mails


def connect(leadline: Leadline, agency: Agency) -> None:
    """Let the owner of the ad account agree on LinkedIn's page. LinkedIn then challenges the address of the webhook."""
    source = linkedin_source_of(agency)
    consent = http.request("GET", connect_link(source).url, redirect=False)
    assert http.request("GET", consent.headers["Location"]).status == 200
    work()
    assert leadline.linkedin.world.challenges == [{"webhook": source.webhook_url, "passed": True}]


def submitted(leadline: Leadline) -> dict[str, Any]:
    """Fill in a form that asks for the profile too, and let LinkedIn notify Leadline of it."""
    content = form(FORM)
    content["content"]["questions"].append(
        {"questionId": 90420, "name": "LinkedIn profile", "predefinedField": "LINKEDIN_PROFILE_LINK",
         "question": {"localized": {"en_US": "LinkedIn profile"}}, "questionDetails": {}}
    )  # fmt: skip
    leadline.linkedin.world.forms[FORM] = content
    mira = {"First name": "Mira", "Work email": "mira@example.com", "LinkedIn profile": PROFILE}
    response = leadline.linkedin.world.submit({**SAMPLE_ANSWERS, **mira}, form=FORM)
    assert leadline.linkedin.world.notify(response["id"]) == [200]
    return response


def test_a_lead_from_its_form_to_a_booked_meeting(leadline: Leadline, agency: Agency) -> None:
    anna, ben = make_member(agency, "anna"), make_member(agency, "ben")
    for member in (anna, ben):
        mark_email_verified(member.user, f"{member.user.first_name.lower()}@example.com")
    pool = make_pool(agency, anna, ben)
    growth = {"field": "title", "op": "word", "value": "growth"}
    make_rule(agency, "Growth", conditions=growth, pool=pool, tags=["growth"], target_minutes=15)
    choose_conversions(agency, [LeadStatus.MEETING_BOOKED])
    sendpilot = source_of(agency, "sendpilot")
    connect(leadline, agency)

    # created, fetched, facts, scored, routed, assigned, and mailed
    submitted(leadline)
    work()
    lead = leadline.lead()
    assert (lead["name"], lead["details_pending"], lead["tags"]) == ("Mira Okafor", False, ["growth"])
    assert (lead["state"], lead["assigned_to"]) == ("Massachusetts", anna.pk)
    score = leadline.api("GET", f"leads/{lead['id']}/score")
    assert score["total"] == lead["score"] == sum(one["points"] for one in score["contributions"]) > 0
    assert sent() == [("anna@example.com", "Mira Okafor was assigned to you")]

    # due soon, and its owner away
    leadline.after(minutes=10, seconds=1)
    assert sent() == [("anna@example.com", "Answer due soon: Mira Okafor")]
    leadline.api("PATCH", f"members/{anna.pk}", {"paused_until": iso_timestamp(timezone.now() + timedelta(days=2))})

    # overdue, escalated
    leadline.after(minutes=5)
    assert leadline.lead()["assigned_to"] == ben.pk
    assert sent() == [("ben@example.com", "Mira Okafor was assigned to you")]

    # answered by a person, in SendPilot
    leadline.after(minutes=3)
    body = {
        "eventId": "evt_1", "eventType": "message.sent", "timestamp": iso_timestamp(timezone.now()),
        "workspaceId": "ws_1", "data": {"leadId": "sp_1", "linkedinUrl": PROFILE, "message": "Hello Mira"},
    }  # fmt: skip
    raw, headers = signed(sendpilot, json.dumps(body).encode())
    path = urlsplit(sendpilot.webhook_url).path
    assert http.request("POST", f"{leadline.url}{path}", body=raw, headers=headers).status == 200
    work()
    [clock] = leadline.api("GET", f"leads/{lead['id']}/clocks")["results"]
    assert (clock["stop_reason"], clock["breached"], round(clock["elapsed_seconds"] / 60)) == ("message", True, 18)

    # a task, done; an opportunity; converted
    new = {"lead": lead["id"], "kind": "call", "title": "Call Mira", "assigned_to": ben.pk}
    task = leadline.api("POST", "tasks", {**new, "due_at": iso_timestamp(timezone.now() + timedelta(hours=2))})
    leadline.after(hours=1)
    leadline.api("POST", f"tasks/{task['id']}/done", {"outcome": "Reached"})
    leadline.api("PATCH", f"leads/{lead['id']}", {"status": "OPPORTUNITY"})
    leadline.after(days=1)
    leadline.api("PATCH", f"leads/{lead['id']}", {"status": "MEETING_BOOKED"})

    life = [
        *("lead_created", "lead_assigned", "lead_high_priority", "lead_due_soon", "lead_overdue", "lead_assigned"),
        *("lead_status_changed", "task_created", "task_done"),
        *("lead_status_changed", "lead_opportunity", "lead_status_changed", "lead_converted"),
    ]
    assert leadline.events_of(lead["id"]) == life
    assert leadline.program_got(lead["id"]) == life
    assert sent() == []
    assert [row["reason"] for row in leadline.api("GET", f"leads/{lead['id']}/assignments")["results"]] == [
        "escalated",
        "rule",
    ]
