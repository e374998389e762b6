"""Which leads a channel hears of that has conditions."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.core.enums import EventType
from accounts.core.errors import FieldError
from accounts.events.outbox import record_event
from accounts.models import Agency, Event
from leads.models import Lead
from leads.pipeline.changes import create_lead
from leads.pipeline.merge import merge_leads
from leads.privacy.erasure import erase_lead
from leads.target_lists.service import create_list, delete_list
from notifications.channels.replay import replay_deliveries
from notifications.channels.service import create_channel, disable_channel, enable_channel, send_test_event
from notifications.delivery import fan_out_due_events
from notifications.models import Channel, ChannelStatus, Delivery

pytestmark = pytest.mark.django_db

DECISION_MAKERS = {"field": "seniority", "op": "in", "value": ["vp", "c_level"]}


def webhook(agency: Agency, conditions: Any = None, **fields: Any) -> Channel:
    return create_channel(agency, kind="webhook", url="https://example.com/hook", conditions=conditions, **fields)[0]


def heard_of(channel: Channel) -> list[str]:
    fan_out_due_events()
    rows = channel.deliveries.order_by("event_id").values_list("event__payload__lead_name", flat=True)
    return [str(name) for name in rows]


def test_a_channel_gets_the_leads_that_certainly_fulfil_its_conditions_and_all_that_is_about_none(
    agency: Agency, stranger: Agency
) -> None:
    deciders, others = webhook(agency, DECISION_MAKERS), webhook(agency, {"not": DECISION_MAKERS})
    everything, theirs = webhook(agency), webhook(stranger, DECISION_MAKERS)
    for name, title in (("Ada", "VP Sales"), ("Bob", "Sales Manager"), ("Cy", "")):
        create_lead(agency, name=name, title=title, email="lead@example.com")
    record_event(agency, EventType.INSTALL, location_id="berlin")
    assert heard_of(deciders) == ["Ada", "None"]
    assert heard_of(others) == ["Bob", "None"]
    assert heard_of(everything) == ["Ada", "Bob", "Cy", "None"]
    assert heard_of(theirs) == []


def test_conditions_are_asked_when_the_event_is_sent_so_facts_that_came_meanwhile_count(agency: Agency) -> None:
    channel = webhook(agency, DECISION_MAKERS)
    lead = create_lead(agency, name="Ada", email="ada@example.com")
    lead.title = "Chief Executive Officer"
    lead.save()
    assert heard_of(channel) == ["Ada"]


def test_of_a_merged_record_the_lead_that_it_belongs_to_counts(agency: Agency) -> None:
    channel = webhook(agency, DECISION_MAKERS)
    record = create_lead(agency, name="A. Lovelace", email="ada@example.com")
    merge_leads(create_lead(agency, name="Ada", title="VP Sales", phone="+4915112345678"), record)
    assert "A. Lovelace" in heard_of(channel)


def test_an_erased_lead_fulfils_no_conditions(agency: Agency) -> None:
    channel = webhook(agency, DECISION_MAKERS)
    lead = create_lead(agency, name="Ada", title="VP Sales", email="ada@example.com")
    Lead.objects.filter(pk=lead.pk).delete()
    assert heard_of(channel) == []


def test_who_heard_of_a_lead_hears_of_its_erasure_whatever_its_conditions_say_now(agency: Agency) -> None:
    channel = webhook(agency, DECISION_MAKERS)
    lead = create_lead(agency, name="Ada", title="VP Sales", email="ada@example.com")
    fan_out_due_events()
    Delivery.objects.update(attempts=1)
    Channel.objects.update(conditions={"not": DECISION_MAKERS})
    erase_lead(lead)
    fan_out_due_events()
    assert channel.deliveries.filter(event__event_type="lead_erased").exists()


def test_a_test_and_a_routing_rule_that_names_the_channel_reach_it_whatever_its_conditions(agency: Agency) -> None:
    channel = webhook(agency, DECISION_MAKERS)
    send_test_event(channel, example=EventType.LEAD_CREATED)
    lead = create_lead(agency, name="Bob", title="Sales Manager", email="bob@example.com")
    Event.objects.filter(subject=lead.pk).update(also_for=[channel.pk])
    assert heard_of(channel)[-1] == "Bob"
    assert channel.deliveries.filter(event__event_type="test").count() == 1


def test_conditions_cost_nothing_where_no_channel_has_any_and_the_same_for_many_events_where_one_has(
    agency: Agency,
) -> None:
    def queries_for(events: int) -> int:
        for number in range(events):
            create_lead(agency, name=f"Lead {number}", title="VP Sales", email=f"{number}@acme.example.com")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            fan_out_due_events()
        return len(captured)

    webhook(agency)
    without = queries_for(5)
    assert queries_for(20) == without
    listed = create_list(agency, name="Key accounts", file=BytesIO(b"Website\nacme.example.com\n"))
    webhook(agency, {"field": "target_list", "op": "on_list", "value": [listed.pk]})
    extra = queries_for(5) - without
    assert extra > 0
    assert queries_for(20) - without == extra


def test_a_channel_whose_conditions_can_no_longer_be_followed_is_disabled_and_its_agency_hears_of_it(
    agency: Agency,
) -> None:
    channel, other = webhook(agency, DECISION_MAKERS), webhook(agency)
    Channel.objects.filter(pk=channel.pk).update(conditions={"field": "gone", "op": "exists"})
    create_lead(agency, name="Ada", title="VP Sales", email="ada@example.com")
    record_event(agency, EventType.INSTALL, location_id="berlin")
    assert heard_of(channel) == []
    fan_out_due_events()
    channel.refresh_from_db()
    assert channel.status == ChannelStatus.DISABLED
    assert channel.disabled_reason == "Its conditions about leads can no longer be followed."
    assert other.deliveries.filter(event__event_type="channel_disabled", event__subject=channel.pk).count() == 1
    for refused in (lambda: enable_channel(channel), lambda: disable_then_replay(other)):
        with pytest.raises(FieldError, match="There is no field “gone”") as caught:
            refused()
        assert caught.value.field == "conditions"


def disable_then_replay(channel: Channel) -> None:
    Channel.objects.filter(pk=channel.pk).update(conditions={"field": "gone", "op": "exists"})
    replay_deliveries(channel, since=timezone.now() - timedelta(days=1))


def test_what_a_channel_missed_while_it_was_off_is_sent_by_its_conditions(agency: Agency) -> None:
    channel = disable_channel(webhook(agency, DECISION_MAKERS), "by hand")
    since = timezone.now() - timedelta(minutes=1)
    for name, title in (("Ada", "VP Sales"), ("Bob", "Sales Manager")):
        create_lead(agency, name=name, title=title, email="lead@example.com")
    fan_out_due_events()
    assert replay_deliveries(enable_channel(channel), since=since) == 1
    assert list(channel.deliveries.values_list("event__payload__lead_name", flat=True)) == ["Ada"]


def test_a_target_list_that_a_channel_asks_about_cannot_be_deleted(agency: Agency) -> None:
    listed = create_list(agency, name="Key accounts", file=BytesIO(b"Website\nacme.example.com\n"))
    channel = webhook(agency, {"field": "target_list", "op": "on_list", "value": listed.pk}, name="CRM")
    with pytest.raises(FieldError, match="The channel “CRM” asks about this list"):
        delete_list(listed)
    Channel.objects.filter(pk=channel.pk).update(conditions={})
    delete_list(listed)
