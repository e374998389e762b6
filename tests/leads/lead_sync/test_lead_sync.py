"""A form is sent on LinkedIn: the lead is there at once, complete soon after, and told of once."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from accounts.core.jobs import CRASHED
from accounts.models import Account, Agency, Event
from config.demo.linkedin_api.forms import form
from leads.lead_sync.fetching import MAX_ATTEMPTS, announce_overdue, fetch_due
from leads.models import Lead, LeadFetch
from tests.leads.lead_sync.linkedin import connected, linkedin, notify, source_of, work
from webhooks.processing.processor import process_due_receipts

pytestmark = pytest.mark.django_db


def recorded_events(kind: str = "lead_created") -> list[Event]:
    return list(Event.objects.filter(event_type=kind, recipient="").order_by("pk"))


def test_a_lead_is_there_at_once_and_complete_after_the_fetch(agency: Agency) -> None:
    with linkedin(over_http=True) as stand_in:
        source = connected(agency)
        work()
        response = stand_in.world.submit()
        notify(source, response)
        process_due_receipts()
        lead = Lead.objects.get()
        assert (lead.status, lead.details_pending, lead.name, recorded_events()) == ("PENDING", True, "", [])
        fetch_due()
    lead.refresh_from_db()
    assert (lead.details_pending, lead.is_test, lead.creation_locale) == (False, False, "en_US")
    assert [lead.name, lead.first_name, lead.last_name, lead.email] == [
        "Kevin Okafor", "Kevin", "Okafor", "kevin@example.com",
    ]  # fmt: skip
    assert (lead.phone, lead.phone_e164) == ("(212) 555-0147", "+12125550147")
    assert (lead.title, lead.company, lead.company_size) == ("Head of Growth", "Example Industries", "51-200")
    assert (lead.industry, lead.country, lead.state) == ("Software", "United States", "Massachusetts")
    assert lead.postal_code == "02139"
    answers = {row["label"]: row["value"] for row in lead.answers}
    assert answers["What is your budget?"] == ["Up to $5,000", "More"]
    assert answers["Anything else?"] == "Please call after noon."
    assert lead.consents == [{"consent_id": "0", "text": "I may be contacted.", "accepted": True}]
    assert lead.hidden_fields == [{"name": "utm_campaign", "value": "spring"}]
    assert lead.provenance["email"] == "form"
    [event] = recorded_events()
    assert (event.payload["lead_name"], "details_pending" in event.payload) == ("Kevin Okafor", False)
    work()
    assert len(recorded_events()) == 1


def test_custom_questions_are_labelled_in_the_forms_language(agency: Agency) -> None:
    with linkedin() as stand_in:
        stand_in.world.forms[77] = form(77, version=3, locale=("de", "DE"))
        source = connected(agency)
        notify(source, stand_in.world.submit(form=77))
        work()
    lead = Lead.objects.get()
    assert lead.creation_locale == "de_DE"
    assert [row["value"] for row in lead.answers if row["label"] == "Wie hoch ist Ihr Budget?"] == [
        ["Up to $5,000", "More"]
    ]
    assert lead.form == "urn:li:versionedLeadGenForm:(urn:li:leadGenForm:77,3)"


def test_a_version_of_a_form_is_asked_for_once(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        for _ in range(3):
            notify(source, stand_in.world.submit())
            work()
        assert stand_in.world.calls["GET leadForms"] == 1
    assert Lead.objects.filter(details_pending=False).count() == 3


def test_a_fetch_that_kills_its_worker_ends_after_as_many_attempts_as_any(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        notify(source, stand_in.world.submit())
        process_due_receipts()
        LeadFetch.objects.update(attempts=MAX_ATTEMPTS)
        assert fetch_due() == 1
    fetch = LeadFetch.objects.get()
    assert (fetch.next_attempt_at, fetch.error) == (None, CRASHED)
    assert Lead.objects.get().details_pending is True


def test_after_thirty_seconds_agencies_are_told_without_answers_and_never_twice(agency: Agency) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with linkedin() as stand_in, time_machine.travel(now, tick=False) as clock:
        source = connected(agency)
        work()
        stand_in.world.broken["leadFormResponses"] = 3
        notify(source, stand_in.world.submit())
        work()
        clock.move_to(now + timedelta(seconds=29))
        assert announce_overdue() == 0
        assert recorded_events() == []
        clock.move_to(now + timedelta(seconds=30))
        assert announce_overdue() == 1
        assert recorded_events()[0].payload["details_pending"] is True
        for minutes in range(1, 30):
            clock.move_to(now + timedelta(minutes=minutes))
            work()
            announce_overdue()
    assert Lead.objects.get().details_pending is False
    assert len(recorded_events()) == 1
    assert LeadFetch.objects.get().next_attempt_at is None


def test_a_source_that_nobody_connected_tells_at_once(agency: Agency) -> None:
    with linkedin() as stand_in:
        notify(source_of(agency), stand_in.world.submit())
        work()
    assert Lead.objects.get().details_pending is True
    assert [event.payload["details_pending"] for event in recorded_events()] == [True]
    assert not LeadFetch.objects.exists()


def test_a_test_lead_is_marked_and_goes_to_the_person_who_connected(agency: Agency) -> None:
    person = User.objects.create_user("ann", "ann@example.com")
    with linkedin() as stand_in:
        source = connected(agency, user=person)
        notify(source, stand_in.world.submit(testLead=True))
        work()
    assert Lead.objects.get().is_test is True
    assert [event.payload["is_test"] for event in recorded_events()] == [True]
    personal = Event.objects.get(recipient="ann@example.com")
    assert (personal.event_type, personal.payload["is_test"]) == ("lead_created", True)


def test_the_daily_limit_waits_for_midnight_and_is_told_once(agency: Agency) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with linkedin() as stand_in, time_machine.travel(now, tick=False) as clock:
        source = connected(agency)
        work()
        stand_in.world.limits["leadFormResponses"] = 1
        for _ in range(3):
            notify(source, stand_in.world.submit())
            work()
        [event] = recorded_events("linkedin_rate_limit")
        assert (event.payload["limit_type"], event.payload["api_name"]) == ("Daily", "leadFormResponses")
        assert event.payload["resets_at"] == "2026-11-22T00:00:00.000Z"
        assert Lead.objects.filter(details_pending=True).count() == 2
        calls = stand_in.world.calls["GET leadFormResponses"]
        clock.move_to(now + timedelta(hours=11))
        work()
        assert stand_in.world.calls["GET leadFormResponses"] == calls
        stand_in.world.limits.clear()
        clock.move_to(now + timedelta(hours=12, seconds=1))
        work()
    assert not Lead.objects.filter(details_pending=True).exists()
    assert Account.objects.get().status == "active"


def test_a_lead_withdrawn_before_its_answers_came_is_gone(agency: Agency) -> None:
    with linkedin() as stand_in:
        source = connected(agency)
        work()
        response = stand_in.world.submit()
        notify(source, response)
        process_due_receipts()
        notify(source, response, "DELETED", response["submittedAt"] + 1000)
        work()
    assert not Lead.objects.exists()
    assert not LeadFetch.objects.exists()
