"""A new lead gets an owner: that of its company, by turns of a pool, or it waits where somebody sees it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db.models import Sum
from django.utils import timezone

from accounts.core.enums import EventType, Role
from accounts.models import Agency, Calendar, Event, Member
from accounts.tenancy.team import remove_member
from leads.enums import ChangedBy, LeadStatus
from leads.models import Assignment, Credit, Lead, Pool, PoolMember, RoutingSettings, WaitingLead
from leads.pipeline.bulk import assign_leads
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.routing import waiting
from leads.routing.service import assign_by_pool, route_leads
from leads.routing.turns import LEAD
from leads.routing.waiting_list import look_again, unrouted_leads
from tests.leads.routing.teams import make_member, make_pool, owner_of, place_of, routed, why
from tests.reactions import react

MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OFFICE = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def leads(agency: Agency, count: int) -> list[Lead]:
    return [create_lead(agency, name=f"Lead {number}", email=f"{number}@gmail.com") for number in range(count)]


def alerts() -> list[str]:
    return list(Event.objects.filter(event_type=EventType.LEAD_UNROUTED).values_list("subject", flat=True))


def test_a_catch_all_pool_deals_leads_by_turns_and_each_says_why_not_the_others(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True)
    made = leads(agency, 4)
    assert routed(*made) == ["Anna", "Grace", "Anna", "Grace"]
    assert [why(lead) for lead in made] == [{"Grace": "turn"}, {"Anna": "turn"}] * 2
    row = Assignment.objects.get(lead=made[0])
    assert (row.pool, row.reason, row.by, row.ended_at) == (pool, "catch_all", None, None)
    assert [(place.received, place.behind) for place in pool.members.order_by("pk")] == [(2, 0), (2, 0)]
    assigned = Event.objects.filter(event_type=EventType.LEAD_ASSIGNED, subject=made[0].pk).get()
    assert (assigned.payload["assigned_to"], assigned.payload["assigned_to_name"]) == (anna.pk, "Anna")


def test_an_agency_without_pools_is_left_alone(agency: Agency) -> None:
    [lead] = leads(agency, 1)
    assert (routed(lead), alerts(), WaitingLead.objects.count()) == ([""], [], 0)


def test_who_is_named_keeps_the_lead(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, anna, is_catch_all=True)
    lead = create_lead(agency, email="ada@gmail.com", assigned_to=grace.user)
    assert (routed(lead), lead.assignments.count()) == (["Grace"], 1)


def test_the_owner_of_the_same_company_gets_the_lead_unless_they_are_away(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, grace, is_catch_all=True)
    create_lead(agency, email="ada@acme.example.com", company="Acme Inc.", assigned_to=anna.user)
    by_name = create_lead(agency, email="bea@gmail.com", company="ACME, Inc")
    by_domain = create_lead(agency, email="cleo@acme.example.com")
    stranger = create_lead(agency, email="dora@gmail.com", company="Other")
    assert routed(by_name, by_domain, stranger) == ["Anna", "Anna", "Grace"]
    assert by_name.assignments.get().reason == "same_company"
    Member.objects.filter(pk=anna.pk).update(paused_until=datetime(2199, 1, 1, tzinfo=UTC))
    away = create_lead(agency, email="eve@gmail.com", company="Acme Inc.")
    assert routed(away) == ["Grace"]


def test_the_same_company_counts_for_ninety_days_and_is_an_option(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, grace, is_catch_all=True)
    with time_machine.travel(MONDAY, tick=False):
        create_lead(agency, email="ada@gmail.com", company="Acme Inc.", assigned_to=anna.user)
    with time_machine.travel(MONDAY + timedelta(days=91), tick=False):
        assert routed(create_lead(agency, email="bea@gmail.com", company="Acme Inc.")) == ["Grace"]
    create_lead(agency, email="cleo@gmail.com", company="Beta Inc.", assigned_to=anna.user)
    RoutingSettings.objects.create(agency=agency, same_company=False)
    assert routed(create_lead(agency, email="dora@gmail.com", company="Beta Inc.")) == ["Grace"]


def test_a_test_lead_takes_no_turn(agency: Agency) -> None:
    pool = make_pool(agency, make_member(agency, "anna"), is_catch_all=True)
    lead = create_lead(agency, email="ada@gmail.com", is_test=True)
    assert (routed(lead), pool.members.get().received) == ([""], 0)


def test_inactive_people_are_not_in_the_wheel(agency: Agency) -> None:
    """Neither who cannot sign in, nor who may only read, nor who is paused, nor who is off or has enough."""
    gone, reader = make_member(agency, "gone"), make_member(agency, "reader", role=Role.READ_ONLY)
    paused = make_member(agency, "paused", paused_until=MONDAY + timedelta(hours=1))
    off = make_member(agency, "off", calendar=Calendar.objects.create(agency=agency, name="Never", timezone="UTC"))
    busy, full, anna = (make_member(agency, name) for name in ("busy", "full", "anna"))
    pool = make_pool(agency, gone, reader, paused, off, busy, full, anna, is_catch_all=True, respects_hours=True)
    gone.user.is_active = False
    gone.user.save()
    PoolMember.objects.filter(member=busy).update(daily_cap=0)
    PoolMember.objects.filter(member=full).update(open_cap=0)
    with time_machine.travel(MONDAY, tick=False):
        [lead] = leads(agency, 1)
        assert routed(lead) == ["Anna"]
    assert why(lead) == {
        "Gone": "inactive",
        "Reader": "read_only",
        "Paused": "paused",
        "Off": "off_hours",
        "Busy": "daily_cap",
        "Full": "open_cap",
    }
    assert place_of(pool, gone).behind == 0


def test_caps_count_the_leads_of_the_day_and_those_that_are_open(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True)
    PoolMember.objects.filter(member=anna).update(daily_cap=1)
    PoolMember.objects.filter(member=grace).update(open_cap=2)
    with time_machine.travel(MONDAY, tick=False):
        made = leads(agency, 4)
        assert routed(*made) == ["Anna", "Grace", "Grace", ""]
        set_status(made[1], status=LeadStatus.DONE, changed_by=ChangedBy.USER)
        assert waiting.deal_due() == 0
    with time_machine.travel(MONDAY + timedelta(hours=1), tick=False):
        assert (waiting.deal_due(), owner_of(made[3])) == (1, "Grace")
    with time_machine.travel(MONDAY + timedelta(days=1), tick=False):
        assert routed(create_lead(agency, email="next@gmail.com")) == ["Anna"]
    assert pool.members.aggregate(Sum("behind"))["behind__sum"] == 0


def test_a_returning_member_is_not_flooded(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna", paused_until=MONDAY), make_member(agency, "grace")
    make_pool(agency, anna, grace, is_catch_all=True)
    with time_machine.travel(MONDAY - timedelta(days=1), tick=False):
        assert routed(*leads(agency, 6)) == ["Grace"] * 6
    with time_machine.travel(MONDAY + timedelta(minutes=1), tick=False):
        back = [create_lead(agency, email=f"back{number}@gmail.com") for number in range(4)]
        assert routed(*back) == ["Anna", "Grace", "Anna", "Grace"]


def test_a_bulk_does_not_go_to_one_person(agency: Agency) -> None:
    """Forty leads that are given to a pool at once are spread by weight, as one at a time would be."""
    anna, grace, hanna = (make_member(agency, name) for name in ("anna", "grace", "hanna"))
    pool = make_pool(agency, anna, grace, hanna)
    PoolMember.objects.filter(member=hanna).update(weight=2)
    made = leads(agency, 40)
    assert assign_by_pool(agency, [lead.pk for lead in made], pool=pool, by=anna.user) == 40
    assert [place_of(pool, member).received for member in (anna, grace, hanna)] == [10, 10, 20]
    assert {row.by for row in Assignment.objects.filter(pool=pool)} == {anna.user}


def test_unrouted_leads_are_dealt_once_somebody_can_take_them(agency: Agency) -> None:
    """They stand on a list, alert the agency once, and do not stay there for ever."""
    anna = make_member(agency, "anna", paused_until=MONDAY + timedelta(hours=5))
    pool = make_pool(agency, anna, is_catch_all=True)
    with time_machine.travel(MONDAY, tick=False) as clock:
        made = leads(agency, 2)
        assert routed(*made) == ["", ""]
        assert [row.lead for row in unrouted_leads(agency)] == made
        for _ in range(3):
            clock.shift(timedelta(hours=1))
            assert waiting.deal_due() == 2
        assert sorted(alerts()) == sorted(lead.pk for lead in made)
        Member.objects.filter(pk=anna.pk).update(paused_until=None)
        look_again(agency)
        assert (waiting.deal_due(), [owner_of(lead) for lead in made]) == (2, ["Anna", "Anna"])
    assert (pool.members.get().received, WaitingLead.objects.count()) == (2, 0)


def test_a_pool_that_holds_deals_at_opening_and_one_lock_is_enough_for_all(agency: Agency) -> None:
    calendar = Calendar.objects.create(agency=agency, name="Office", timezone="UTC", week=OFFICE, is_default=True)
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True, respects_hours=True, hold=True)
    night = MONDAY.replace(hour=20)
    with time_machine.travel(night, tick=False) as clock:
        made = leads(agency, 6)
        assert (routed(*made), alerts()) == ([""] * 6, [])
        opening = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
        assert {row.next_attempt_at for row in pool.waiting.all()} == {opening}
        clock.move_to(opening)
        assert waiting.deal_due() == 6
    assert [owner_of(lead) for lead in made] == ["Anna", "Grace"] * 3
    assert Assignment.objects.filter(lead=made[0]).get().reason == "catch_all"
    assert calendar.pools.count() == 0


def test_a_lead_overflows_after_its_minutes(agency: Agency) -> None:
    anna = make_member(agency, "anna", paused_until=MONDAY + timedelta(days=3))
    grace = make_member(agency, "grace")
    second = make_pool(agency, grace, name="Second")
    make_pool(agency, anna, is_catch_all=True, overflow_pool=second, overflow_minutes=30)
    with time_machine.travel(MONDAY, tick=False) as clock:
        [lead] = leads(agency, 1)
        assert (routed(lead), alerts()) == ([""], [])
        clock.shift(timedelta(minutes=29))
        assert waiting.deal_due() == 0
        clock.shift(timedelta(minutes=1))
        assert (waiting.deal_due(), owner_of(lead)) == (1, "Grace")
    row = lead.assignments.get()
    assert (row.reason, row.pool, why(lead)) == ("overflow", second, {"Anna": "paused"})


def test_pools_that_overflow_into_each_other_end_on_the_list(agency: Agency) -> None:
    anna = make_member(agency, "anna", paused_until=MONDAY + timedelta(days=900))
    one = make_pool(agency, anna, is_catch_all=True)
    other = make_pool(agency, anna, name="Other", overflow_pool=one)
    Pool.objects.filter(pk=one.pk).update(overflow_pool=other)
    [lead] = leads(agency, 1)
    with time_machine.travel(MONDAY, tick=False):
        route_leads([lead.pk])
    assert (owner_of(lead), WaitingLead.objects.get().pool) == ("", one)


def test_a_lead_that_is_given_back_within_ten_minutes_gives_the_turn_back(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True)
    with time_machine.travel(MONDAY, tick=False) as clock:
        [lead] = leads(agency, 1)
        assert routed(lead) == ["Anna"]
        assert [place_of(pool, one).behind for one in (anna, grace)] == [-LEAD // 2, LEAD // 2]
        clock.shift(timedelta(minutes=9))
        update_lead(lead, changed_by=ChangedBy.USER, by=anna.user, assigned_to=None)
        assert [(place.behind, place.received) for place in pool.members.all()] == [(0, 0), (0, 0)]
        [again] = [create_lead(agency, email="again@gmail.com")]
        assert routed(again) == ["Anna"]
        clock.shift(timedelta(minutes=11))
        update_lead(again, changed_by=ChangedBy.USER, by=anna.user, assigned_to=None)
    assert [place_of(pool, one).received for one in (anna, grace)] == [1, 0]


def test_who_gave_a_lead_back_does_not_get_it_again_and_nobody_takes_it_from_a_person(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace, is_catch_all=True)
    [lead] = leads(agency, 1)
    assert routed(lead) == ["Anna"]
    assign_by_pool(agency, [lead.pk], pool=pool, by=anna.user)
    assert (owner_of(lead), why(lead)) == ("Grace", {"Anna": "gave_back"})
    assign_leads(agency, [lead.pk], assignee=anna.user, by=grace.user)
    route_leads([lead.pk])
    assert owner_of(lead) == "Anna"
    assign_leads(agency, [lead.pk], assignee=None, by=grace.user)
    route_leads([lead.pk])
    assert owner_of(lead) == ""


def test_a_lead_does_not_stay_with_an_absent_owner(agency: Agency) -> None:
    """What somebody who left had open is dealt anew, to whoever is there."""
    anna, grace = make_member(agency, "anna", role=Role.MANAGER), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace)
    Pool.objects.filter(pk=pool.pk).update(is_catch_all=True)
    replied, done = (create_lead(agency, email=f"{name}@gmail.com", assigned_to=anna.user) for name in ("a", "b"))
    set_status(replied, status=LeadStatus.REPLY_RECEIVED, changed_by=ChangedBy.API)
    set_status(done, status=LeadStatus.DONE, changed_by=ChangedBy.API)
    react()
    PoolMember.objects.filter(member=anna).update(behind=-300_000)
    PoolMember.objects.filter(member=grace).update(behind=300_000)
    remove_member(anna)
    waiting.deal_due()
    assert (owner_of(replied), owner_of(done)) == ("Grace", "")
    assert replied.assignments.latest("pk").reason == "owner_removed"
    written_off = Credit.objects.get()
    assert (written_off.amount, pool.members.aggregate(Sum("behind"))["behind__sum"]) == (300_000, 300_000)


def test_fields_that_arrive_later_move_a_lead_that_nobody_worked_on(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, grace, is_catch_all=True)
    create_lead(agency, email="ada@gmail.com", company="Acme Inc.", assigned_to=anna.user)
    moved, worked = leads(agency, 2)
    assert routed(moved, worked) == ["Grace", "Grace"]
    set_status(worked, status=LeadStatus.CONNECTION_SENT, changed_by=ChangedBy.USER, by=grace.user)
    for lead in (moved, worked):
        Lead.objects.filter(pk=lead.pk).update(company_key="acme")
        route_leads([lead.pk])
    assert (owner_of(moved), owner_of(worked)) == ("Anna", "Grace")
    assert pool.members.get().received == 1


@pytest.mark.parametrize("kind", ["round_robin", "least_open"])
def test_least_open_looks_at_what_people_have_and_turns_at_what_they_got(agency: Agency, kind: str) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_pool(agency, anna, grace, is_catch_all=True, kind=kind)
    for number in range(3):
        create_lead(agency, email=f"had{number}@gmail.com", assigned_to=anna.user)
    expected = ["Grace"] * 3 if kind == "least_open" else ["Grace", "Anna", "Grace"]
    assert routed(*leads(agency, 3)) == expected


def test_what_one_agency_deals_the_other_never_sees(agency: Agency, stranger: Agency) -> None:
    make_pool(agency, make_member(agency, "anna"), is_catch_all=True)
    make_pool(stranger, make_member(stranger, "grace"), is_catch_all=True)
    here, there = create_lead(agency, email="a@gmail.com"), create_lead(stranger, email="a@gmail.com")
    assert routed(here, there) == ["Anna", "Grace"]


def test_old_leads_that_were_never_announced_are_not_routed_because_a_detail_arrives(agency: Agency) -> None:
    anna = make_member(agency, "anna")
    make_pool(agency, anna, is_catch_all=True)
    long_ago = timezone.now() - timedelta(days=40)
    old = Lead.objects.create(agency=agency, name="Old", status_since=long_ago, received_at=long_ago)
    update_lead(old, title="Chair")
    assert routed(old) == [""]
