"""Who hears of what."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest

from accounts.core.enums import EventType
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from leads.enums import ChangedBy, LeadStatus
from leads.pipeline.changes import create_lead, set_status
from leads.privacy.erasure import erase_lead
from notifications.channels.service import create_channel, disable_channel, send_test_event
from notifications.delivery import fan_out_due_events
from notifications.models import Channel, Delivery

Happen = Callable[..., Event]


def webhook(agency: Agency, **fields: object) -> Channel:
    return create_channel(agency, kind="webhook", url="https://example.com/hook", **fields)[0]  # type: ignore[arg-type]


def receivers_of() -> set[tuple[str, str | None, str]]:
    return set(Delivery.objects.values_list("event__event_type", "channel_id", "recipient"))


def test_every_channel_of_the_agency_gets_the_event_once_and_no_other_agency_does(
    agency: Agency, stranger: Agency, happen: Happen
) -> None:
    first, second = webhook(agency), webhook(agency)
    webhook(stranger)
    event = happen()
    assert (fan_out_due_events(), fan_out_due_events()) == (1, 0)
    assert receivers_of() == {("linkedin_disconnected", first.pk, ""), ("linkedin_disconnected", second.pk, "")}
    event.refresh_from_db()
    assert event.fanned_out_at is not None


def test_doing_it_again_makes_nothing_new(agency: Agency, happen: Happen) -> None:
    webhook(agency)
    event = happen()
    fan_out_due_events()
    Event.objects.filter(pk=event.pk).update(fanned_out_at=None)
    assert fan_out_due_events() == 1
    assert Delivery.objects.count() == 1


def test_channels_choose_event_types_and_locations(agency: Agency, happen: Happen) -> None:
    blocked_only = webhook(agency, event_types=["linkedin_blocked"])
    berlin_only = webhook(agency, locations=["berlin"])
    everything = webhook(agency)
    happen(EventType.LINKEDIN_BLOCKED, location_id="paris")
    happen(EventType.LINKEDIN_DELETED, location_id="berlin")
    happen(EventType.LINKEDIN_RECONNECTED)
    fan_out_due_events()
    assert receivers_of() == {
        ("linkedin_blocked", blocked_only.pk, ""),
        ("linkedin_deleted", berlin_only.pk, ""),
        *((name, everything.pk, "") for name in ("linkedin_blocked", "linkedin_deleted", "linkedin_reconnected")),
    }


def test_a_channel_that_is_off_or_not_confirmed_gets_nothing(agency: Agency, happen: Happen) -> None:
    off = disable_channel(webhook(agency), "by hand")
    create_channel(agency, kind="email", email="new@example.com")
    happen()
    fan_out_due_events()
    assert receivers_of() == {("channel_verification", None, "new@example.com")}
    assert not off.deliveries.exists()


def test_an_event_for_one_channel_or_one_address_goes_nowhere_else(agency: Agency) -> None:
    picky, other = webhook(agency, event_types=["install"]), webhook(agency)
    record_event(agency, EventType.TEST, for_channel=picky.pk)
    record_event(agency, EventType.CHANNEL_FAILING, recipient="owner@example.com")
    fan_out_due_events()
    assert receivers_of() == {("test", picky.pk, ""), ("channel_failing", None, "owner@example.com")}
    assert not other.deliveries.exists()


def test_a_channel_does_not_hear_of_its_own_failures(agency: Agency) -> None:
    failing, other = webhook(agency), webhook(agency)
    record_event(agency, EventType.CHANNEL_FAILING, subject=failing.pk)
    fan_out_due_events()
    assert receivers_of() == {("channel_failing", other.pk, "")}


def test_an_event_that_cannot_be_fanned_out_says_why_and_holds_up_no_other(
    agency: Agency, happen: Happen, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook(agency)
    poison, good = happen(), happen()
    fan_out_module = import_module("notifications.delivery.fan_out")
    original = fan_out_module.deliveries_for

    def broken(event: Event, *more: Any) -> list[Delivery]:
        if event.pk == poison.pk:
            raise LookupError("no such word")
        return original(event, *more)

    monkeypatch.setattr(fan_out_module, "deliveries_for", broken)
    assert fan_out_due_events() == 1
    assert Delivery.objects.get().event == good
    poison.refresh_from_db()
    assert (poison.attempts, poison.error, poison.fanned_out_at) == (1, "LookupError: no such word", None)
    assert poison.next_attempt_at > poison.created_at
    assert fan_out_due_events() == 0


def test_people_hear_of_an_afterthought_only_where_they_ticked_it(agency: Agency) -> None:
    all_webhooks = webhook(agency)
    create_channel(agency, kind="email", email="all@example.com", verified=True)
    ticked, _ = create_channel(
        agency, kind="email", email="some@example.com", event_types=["reauth_requested"], verified=True
    )
    record_event(agency, EventType.REAUTH_REQUESTED)
    fan_out_due_events()
    assert receivers_of() == {("reauth_requested", all_webhooks.pk, ""), ("reauth_requested", ticked.pk, "")}


def test_what_happens_to_test_leads_reaches_only_channels_that_ask_for_it(agency: Agency) -> None:
    asks, _ = webhook(agency, test_events=True), webhook(agency)
    lead = create_lead(agency, name="Ada Lovelace", is_test=True)
    fan_out_due_events()
    assert receivers_of() == {("lead_created", asks.pk, "")}
    Delivery.objects.update(attempts=1)
    erase_lead(lead)
    fan_out_due_events()
    assert ("lead_erased", asks.pk, "") in receivers_of()
    assert Delivery.objects.count() == 2


def test_the_test_button_needs_no_such_tick(agency: Agency) -> None:
    channel = webhook(agency)
    send_test_event(channel)
    fan_out_due_events()
    assert receivers_of() == {("test", channel.pk, "")}


def test_channels_choose_the_statuses_of_leads_they_hear_of(agency: Agency, happen: Happen) -> None:
    picky = webhook(agency, lead_statuses=["OPPORTUNITY", "NOT_INTERESTED"])
    lead = create_lead(agency, name="Ada Lovelace")
    for status in (LeadStatus.REPLY_RECEIVED, LeadStatus.OPPORTUNITY):
        set_status(lead, status=status, changed_by=ChangedBy.USER)
    happen(EventType.LINKEDIN_BLOCKED)
    fan_out_due_events()
    assert receivers_of() == {
        (name, picky.pk, "") for name in ("lead_created", "lead_status_changed", "lead_opportunity", "linkedin_blocked")
    }
    [change] = Delivery.objects.filter(event__event_type="lead_status_changed")
    assert change.event.payload["status"] == "OPPORTUNITY"


@pytest.mark.parametrize(
    ("lead", "is_received"),
    [
        ({"creation_locale": "de_DE"}, True),
        ({"creation_locale": "en_US"}, False),
        ({}, False),
        ({"details_pending": True}, True),
    ],
    ids=["chosen", "another", "of no form", "not known yet"],
)
def test_channels_choose_the_languages_of_the_forms_of_leads_they_hear_of(
    agency: Agency, happen: Happen, lead: dict[str, Any], is_received: bool
) -> None:
    picky = webhook(agency, creation_locales=["de_DE", "de_AT"])
    made = create_lead(agency, name="Ada Lovelace", **lead)
    set_status(made, status=LeadStatus.DONE, changed_by=ChangedBy.USER)
    happen(EventType.LINKEDIN_BLOCKED)
    fan_out_due_events()
    of_leads = {("lead_created", picky.pk, ""), ("lead_status_changed", picky.pk, "")}
    assert receivers_of() == {("linkedin_blocked", picky.pk, "")} | (of_leads if is_received else set())
    assert "creation_locale" not in Event.objects.filter(event_type="lead_created").get().payload


def test_what_one_report_said_is_taken_up_together(agency: Agency, happen: Happen) -> None:
    webhook(agency)
    for subject in ("lead_a", "lead_b", "lead_c"):
        record_event(agency, EventType.LEAD_CREATED, subject=subject)
        record_event(agency, EventType.LEAD_STATUS_CHANGED, subject=subject)
    assert [fan_out_due_events(limit=3), fan_out_due_events(limit=3), fan_out_due_events(limit=3)] == [4, 2, 0]
