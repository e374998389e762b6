"""What a lead answered: kept as it was written, shown on its page, found for lists and mails."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.events.ordering import Origin
from accounts.models import Agency, Event
from leads.enums import LeadStatus
from leads.models import Lead, LeadChange
from leads.pipeline import reports
from leads.pipeline.changes import create_lead
from leads.pipeline.dto import MAX_REPLY_LENGTH, Identity
from leads.pipeline.replies import texts_of_replies, with_latest_reply
from tests.portal.browser import Browser
from tests.receiving import drain, receive, source_of

FAMILY = "👩‍💻"


def reply(agency: Agency, lead: Lead, text: str, *, minutes: float = 0, **fields: Any) -> None:
    origin = Origin(by="sendpilot", at=timezone.now() + timedelta(minutes=minutes))
    identity = Identity(external_id=lead.pk)
    status = LeadStatus.REPLY_RECEIVED
    reports.report_status(
        agency,
        provider="sendpilot",
        identity=identity,
        status=status,
        stated=False,
        origin=origin,
        lead=lead,
        text=text,
    )


def latest(agency: Agency) -> dict[str, str]:
    return dict(with_latest_reply(agency.leads.all()).values_list("name", "latest_reply"))


def test_a_reply_is_kept_as_it_was_written_but_for_what_nobody_sees(agency: Agency) -> None:
    lead = create_lead(agency, name="Ada")
    reply(agency, lead, f"  Yes {FAMILY},\nTuesday?\x07\u202e  ")
    assert lead.changes.exclude(text="").get().text == f"Yes {FAMILY},\nTuesday?"


def test_a_long_reply_is_cut_between_two_characters(agency: Agency) -> None:
    lead = create_lead(agency, name="Ada")
    reply(agency, lead, "a" * (MAX_REPLY_LENGTH - 2) + FAMILY)
    text = lead.changes.exclude(text="").get().text
    assert text == "a" * (MAX_REPLY_LENGTH - 2) + "…"


def test_a_list_has_the_latest_reply_of_each_lead(
    agency: Agency, stranger: Agency, django_assert_num_queries: Any
) -> None:
    leads = {name: create_lead(agency, name=name) for name in ("Ada", "Bob", "Cy")}
    reply(agency, leads["Ada"], "First")
    reply(agency, leads["Ada"], "Second", minutes=1)
    reply(agency, leads["Bob"], "")
    reply(stranger, create_lead(stranger, name="Ada"), "Not yours")
    with django_assert_num_queries(1):
        assert latest(agency) == {"Ada": "Second", "Bob": "", "Cy": ""}


def test_an_event_finds_the_reply_that_came_with_it_or_shortly_before_or_after(agency: Agency) -> None:
    ada, bob, cy = (create_lead(agency, name=name) for name in ("Ada", "Bob", "Cy"))
    reply(agency, ada, "Long ago", minutes=-60)
    reply(agency, ada, "Yes", minutes=-2)
    reply(agency, bob, "Long ago", minutes=-60)
    events = [
        Event(id=f"evt_{lead.name}", subject=lead.pk, event_type=EventType.LEAD_REPLIED, occurred_at=timezone.now())
        for lead in (ada, bob, cy)
    ]
    assert texts_of_replies(events) == {"evt_Ada": "Yes"}
    LeadChange.objects.filter(text="Yes").update(receipt_id="rcpt_1")
    reply(agency, ada, "Later", minutes=1)
    events[0].receipt_id = "rcpt_1"
    assert texts_of_replies(events) == {"evt_Ada": "Yes"}


@pytest.mark.parametrize("field", ["reply", "message", "replyPreview", "messagePreview"])
def test_what_sendpilot_says_of_a_reply_is_read_and_shown_on_the_leads_page(
    field: str, agency: Agency, sign_in: Browser
) -> None:
    source = source_of(agency, "sendpilot")
    data = {"leadId": "l1", "campaignId": "c1", "linkedinUrl": "https://www.linkedin.com/in/ada", field: "Call <me>"}
    receive(source, {"eventId": "e1", "eventType": "reply.received", "timestamp": "2026-11-01T10:00:00Z", "data": data})
    drain()
    client: Client = sign_in(Role.READ_ONLY)
    page = client.get(f"/leads/{agency.leads.get().pk}").content.decode()
    assert '<blockquote class="reply">Call &lt;me&gt;</blockquote>' in page
    assert "text" not in agency.events.get(event_type="lead_replied").payload


def test_what_the_agency_sent_is_no_reply(agency: Agency) -> None:
    source = source_of(agency, "sendpilot")
    data = {"leadId": "l1", "campaignId": "c1", "linkedinUrl": "https://www.linkedin.com/in/ada", "message": "Hello"}
    receive(source, {"eventId": "e1", "eventType": "message.sent", "timestamp": "2026-11-01T10:00:00Z", "data": data})
    drain()
    assert not LeadChange.objects.exclude(text="").exists()
