"""Two workers at once deal each lead once, and their turns add up."""

import pytest
from django.db.models import Sum

from accounts.events.reactions import carry_out_due_reactions
from accounts.models import Agency, Event, Reaction
from leads.models import Assignment
from leads.pipeline.changes import create_lead
from leads.routing.service import route_leads
from tests.leads.routing.teams import make_member, make_pool
from tests.reactions import react
from tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_leads_that_come_at_once_are_each_dealt_once_and_fairly(agency: Agency) -> None:
    members = [make_member(agency, name) for name in ("anna", "grace", "hanna")]
    pool = make_pool(agency, *members, is_catch_all=True)
    leads = [create_lead(agency, email=f"{number}@gmail.com").pk for number in range(24)]

    def work() -> None:
        while carry_out_due_reactions(limit=3):
            pass

    at_once(work)
    react()
    assert not Reaction.objects.filter(subscriber="routing").exists()
    assert sorted(Assignment.objects.values_list("lead", flat=True)) == sorted(leads)
    assert [place.received for place in pool.members.all()] == [8, 8, 8]
    assert pool.members.aggregate(Sum("behind"))["behind__sum"] == 0
    assert Event.objects.filter(event_type="lead_assigned").count() == 24


def test_a_lead_that_two_workers_route_at_once_is_dealt_once(agency: Agency) -> None:
    pool = make_pool(agency, make_member(agency, "anna"), make_member(agency, "grace"), is_catch_all=True)
    lead = create_lead(agency, email="ada@gmail.com")
    at_once(lambda: route_leads([lead.pk]))
    assert Assignment.objects.filter(lead=lead).count() == 1
    assert sorted(pool.members.values_list("received", flat=True)) == [0, 1]
