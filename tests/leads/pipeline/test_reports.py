"""What a report does to a lead: words, derived steps, people, campaigns, and every order of them."""

from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.core.enums import EventType as E
from accounts.events.ordering import Origin
from accounts.models import Agency, Campaign, Event, Source
from accounts.sources.service import create_source
from leads.enums import ChangedBy
from leads.enums import LeadStatus as S
from leads.models import Lead, LeadChange, LeadReference, Tombstone
from leads.pipeline import changes, reports
from leads.pipeline.dto import Contact, Identity
from leads.privacy.erasure import report_withdrawal

T0 = datetime(2026, 2, 24, 10, 30, tzinfo=UTC)
JOHN = "https://www.linkedin.com/in/john-doe"


def origin(minutes: float, *, provider: str = "sendpilot", source: Source | None = None) -> Origin:
    return Origin(by=provider, at=T0 + timedelta(minutes=minutes), sequence=int(minutes * 10) + 1, source=source)


def report(
    agency: Agency,
    status: S,
    minutes: float = 0,
    *,
    stated: bool = True,
    lead: str = "lead_abc123",
    campaign: str = "camp_1",
    url: str = JOHN,
    provider: str = "sendpilot",
    source: Source | None = None,
    **extra: Any,
) -> Lead | None:
    return reports.report_status(
        agency,
        provider=provider,
        identity=Identity(external_id=lead, campaign_id=campaign, linkedin_url=url),
        status=status,
        stated=stated,
        origin=origin(minutes, provider=provider, source=source),
        **extra,
    )


def recorded_types(agency: Agency) -> list[str]:
    return list(Event.objects.filter(agency=agency).order_by("id").values_list("event_type", flat=True))


def test_a_lead_first_seen_is_created_and_then_changed_unless_pending(agency: Agency) -> None:
    report(agency, S.PENDING, lead="a", url="")
    assert recorded_types(agency) == [E.LEAD_CREATED]
    report(agency, S.OPPORTUNITY, lead="b", url="")
    assert recorded_types(agency)[1:] == [E.LEAD_CREATED, E.LEAD_STATUS_CHANGED, E.LEAD_OPPORTUNITY]


@pytest.mark.parametrize(
    ("status", "also"), [(S.REPLY_RECEIVED, E.LEAD_REPLIED), (S.OPPORTUNITY, E.LEAD_OPPORTUNITY), (S.DONE, None)]
)
def test_one_change_is_one_event_and_news_of_its_own_for_replies_and_opportunities(
    agency: Agency, status: S, also: E | None
) -> None:
    lead = report(agency, S.MESSAGE_SENT)
    Event.objects.all().delete()
    report(agency, status, 1, changed_by=ChangedBy.API)
    assert recorded_types(agency) == [E.LEAD_STATUS_CHANGED, *([also] if also else [])]
    payload = Event.objects.order_by("id")[0].payload
    campaign = Campaign.objects.get()
    assert lead is not None
    assert {name: payload[name] for name in payload if name not in {"event_id", "ghl_company_id"}} == {
        "event_type": "lead_status_changed",
        "timestamp": "2026-02-24T10:31:00.000Z",
        "lead_id": lead.id,
        "lead_external_id": "lead_abc123",
        "linkedin_url": JOHN,
        "campaign_id": campaign.id,
        "status": status,
        "status_label": status.label,
        "previous_status": "MESSAGE_SENT",
        "changed_by": "api",
    }


def test_a_stated_word_moves_backwards_a_derived_one_does_not(agency: Agency) -> None:
    report(agency, S.OPPORTUNITY)
    lead = report(agency, S.MESSAGE_SENT, 1, stated=False)
    assert lead is not None
    assert lead.status == S.OPPORTUNITY
    assert lead.changes.latest("id").applied is False
    lead = report(agency, S.CONNECTION_SENT, 2)
    assert lead is not None
    assert lead.status == S.CONNECTION_SENT


def test_an_older_word_changes_nothing_but_the_history(agency: Agency) -> None:
    report(agency, S.OPPORTUNITY, 5)
    Event.objects.all().delete()
    lead = report(agency, S.PENDING, 1)
    assert lead is not None
    assert lead.status == S.OPPORTUNITY
    assert [change.applied for change in lead.changes.order_by("id")] == [True, False]
    assert recorded_types(agency) == []


STORY = [(S.CONNECTION_SENT, False), (S.REPLY_RECEIVED, False), (S.CONNECTION_ACCEPTED, True), (S.MESSAGE_SENT, False)]


@pytest.mark.once
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_any_order_of_words_and_derived_steps_ends_alike(agency: Agency, order: tuple[int, ...]) -> None:
    for place in order:
        status, stated = STORY[place]
        report(agency, status, place, stated=stated)
    lead = Lead.objects.get()
    assert (lead.status, lead.status_since) == (S.MESSAGE_SENT, T0 + timedelta(minutes=3))


STORIES = st.lists(st.tuples(st.sampled_from(list(S)), st.booleans(), st.sampled_from(["c1", "c2"])), max_size=6)
examples = partial(settings, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@examples(max_examples=15)
@given(story=STORIES, data=st.data())
def test_any_story_reported_in_any_order_with_repeats_ends_alike(agency: Agency, story: Any, data: Any) -> None:
    assert_order_does_not_matter(agency, story, data)


@pytest.mark.fault
@examples(max_examples=300)
@given(story=STORIES, data=st.data())
def test_any_story_ends_alike_however_long_one_tries(agency: Agency, story: Any, data: Any) -> None:
    assert_order_does_not_matter(agency, story, data)


def assert_order_does_not_matter(agency: Agency, story: Any, data: Any) -> None:
    def state(order: list[int]) -> list[Any]:
        Lead.objects.all().delete()
        for place in order:
            status, stated, campaign = story[place]
            report(agency, status, place, stated=stated, campaign=campaign)
        leads = Lead.objects.values_list("status", "status_since", "campaign__external_id")
        references = LeadReference.objects.order_by("campaign__external_id").values_list("status", "status_since")
        return [*leads, *references]

    in_order = list(range(len(story)))
    shuffled = data.draw(st.permutations([*in_order, *in_order[:2]]))
    assert state(shuffled) == state(in_order)


def test_a_person_in_two_campaigns_is_one_lead_with_two_references(agency: Agency) -> None:
    report(agency, S.OPPORTUNITY, 0, campaign="camp_1")
    lead = report(agency, S.CONNECTION_SENT, 1, campaign="camp_2", lead="lead_other", url=JOHN.upper() + "/?trk=1")
    assert Lead.objects.count() == 1
    assert lead is not None
    assert (lead.status, lead.campaign and lead.campaign.external_id) == (S.CONNECTION_SENT, "camp_2")
    assert set(lead.references.values_list("external_id", "campaign__external_id", "status")) == {
        ("lead_abc123", "camp_1", "OPPORTUNITY"),
        ("lead_other", "camp_2", "CONNECTION_SENT"),
    }
    lead = report(agency, S.DONE, 0.5, campaign="camp_1")
    assert lead is not None
    assert lead.status == S.CONNECTION_SENT


def test_two_leads_that_turn_out_to_be_one_person_become_one(agency: Agency) -> None:
    first = report(agency, S.CONNECTION_SENT, 0, lead="a", url="")
    report(agency, S.MESSAGE_SENT, 1, lead="b", provider="welink", campaign="")
    assert Lead.objects.count() == 2
    lead = report(agency, S.CONNECTION_ACCEPTED, 2, lead="a")
    assert first is not None
    assert lead is not None
    assert lead.pk == first.pk == Lead.objects.get().pk
    assert lead.references.count() == 2
    assert lead.changes.filter(is_report=True).count() == 3
    assert (lead.linkedin_url, lead.status) == (JOHN, S.CONNECTION_ACCEPTED)


def test_the_same_person_in_two_agencies_stays_two_leads(agency: Agency, stranger: Agency) -> None:
    report(agency, S.DONE)
    report(stranger, S.PENDING)
    assert Lead.objects.get(agency=agency).status == S.DONE
    assert Lead.objects.get(agency=stranger).status == S.PENDING


def test_a_previous_status_that_we_do_not_hold_is_kept_and_counted_as_a_gap(agency: Agency) -> None:
    source, _ = create_source(agency=agency, provider="sendpilot")
    report(agency, S.CONNECTION_SENT, source=source)
    lead = report(agency, S.OPPORTUNITY, 1, previous_status=S.REPLY_RECEIVED, source=source)
    source.refresh_from_db()
    assert source.gaps == 1
    assert lead is not None
    change = lead.changes.latest("id")
    assert (change.previous_status, change.new_status) == ("REPLY_RECEIVED", "OPPORTUNITY")
    report(agency, S.DONE, 2, previous_status=S.OPPORTUNITY, source=source)
    source.refresh_from_db()
    assert source.gaps == 1


def test_contact_fields_fill_what_is_empty_and_take_nothing_away(agency: Agency) -> None:
    report(agency, S.PENDING, contact=Contact(first_name="John"))
    lead = report(agency, S.PENDING, 1, contact=Contact(first_name="Johnny", email="john@example.com"))
    assert lead is not None
    assert (lead.first_name, lead.email) == ("John", "john@example.com")


def test_a_person_sets_a_status_and_the_agency_hears_who(agency: Agency) -> None:
    lead = report(agency, S.REPLY_RECEIVED)
    Event.objects.all().delete()
    assert lead is not None
    lead = changes.set_status(lead, status=S.OPPORTUNITY, changed_by=ChangedBy.API, note="call on Monday")
    assert (lead.status, lead.references.get().status) == (S.OPPORTUNITY, S.OPPORTUNITY)
    assert recorded_types(agency) == [E.LEAD_STATUS_CHANGED, E.LEAD_OPPORTUNITY]
    change = lead.changes.latest("id")
    assert (change.changed_by, change.note, change.applied) == ("api", "call on Monday", True)
    stale = report(agency, S.PENDING, 1)
    assert stale is not None
    assert stale.status == S.OPPORTUNITY


def withdraw(agency: Agency, minutes: float) -> Lead | None:
    return report_withdrawal(
        agency, provider="linkedin", external_id="1a2b", origin=origin(minutes, provider="linkedin")
    )


def submit(agency: Agency, minutes: float) -> Lead | None:
    return report(
        agency, S.PENDING, minutes, stated=False, lead="1a2b", campaign="", url="", provider="linkedin",
        details_pending=True, form="urn:li:leadGenForm:1",
    )  # fmt: skip


def test_a_withdrawn_lead_is_gone_with_its_data_and_the_agency_gets_ids_only(agency: Agency) -> None:
    lead = submit(agency, 0)
    assert lead is not None
    withdraw(agency, 5)
    assert not Lead.objects.exists()
    assert not LeadChange.objects.exists()
    created, erased = Event.objects.order_by("id")
    assert set(erased.payload) == {"event_type", "event_id", "ghl_company_id", "timestamp", "lead_id"}
    assert set(created.payload) == {"event_type", "event_id", "ghl_company_id", "timestamp", "lead_id"}
    assert "1a2b" not in Tombstone.objects.get(provider="linkedin").digest


@pytest.mark.parametrize("minutes", [4, 5])
def test_nothing_as_old_as_a_deletion_brings_the_lead_back(agency: Agency, minutes: float) -> None:
    withdraw(agency, 5)
    assert submit(agency, minutes) is None
    assert not Lead.objects.exists()
    assert recorded_types(agency) == []


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_strictly_newer_creation_makes_the_lead_anew_in_any_order(agency: Agency, order: tuple[int, ...]) -> None:
    steps = [lambda: submit(agency, 0), lambda: withdraw(agency, 5), lambda: submit(agency, 6)]
    for place in order:
        steps[place]()
    lead = Lead.objects.get()
    assert lead.received_at == T0 + timedelta(minutes=6)
    assert [change.occurred_at for change in lead.changes.filter(applied=True)][-1:] == [T0 + timedelta(minutes=6)]
