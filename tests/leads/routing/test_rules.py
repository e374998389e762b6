"""Routing rules: the first that matches decides where a lead goes, and a preview says what would have become of all."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.core.errors import FieldError
from accounts.models import Agency, Event, Member
from accounts.tenancy.team import remove_member
from leads.models import Lead, Pool, RoutingRule, WaitingLead
from leads.pipeline.changes import create_lead
from leads.routing import pools, waiting
from leads.routing.rules import KIND
from leads.routing.service import route_leads
from leads.rules import service
from leads.rules.preview import preview
from notifications.channels.service import create_channel
from notifications.delivery import fan_out_due_events
from notifications.models import Delivery
from tests.leads.routing.teams import make_member, make_pool, owner_of, routed

pytestmark = pytest.mark.django_db

VP = {"field": "seniority", "op": "equals", "value": "vp"}
IN_OREGON = {"field": "state", "op": "equals", "value": "OR"}


def make_rule(agency: Agency, name: str, **values: Any) -> RoutingRule:
    targets = {f"{key}_id": values.pop(key).pk for key in ("member", "pool") if key in values}
    rule = service.create_rule(KIND, agency, name=name, **targets, **values)
    assert isinstance(rule, RoutingRule)
    return rule


def vp(agency: Agency, name: str, **fields: Any) -> Lead:
    return create_lead(agency, name=name, title="VP Sales", email=f"{name}@gmail.com", **fields)


def test_the_first_rule_that_matches_decides_and_else_the_catch_all_pool(agency: Agency) -> None:
    anna, grace, hanna = (make_member(agency, name) for name in ("anna", "grace", "hanna"))
    make_pool(agency, hanna, is_catch_all=True)
    make_rule(agency, "Oregon", conditions=IN_OREGON, member=grace)
    rule = make_rule(agency, "VPs", conditions=VP, pool=make_pool(agency, anna, name="VPs"), tags=["hot"])
    both = Lead(agency=agency, name="Both", title="VP", state="Oregon", country="US", email="o@gmail.com")
    both.status_since = both.received_at = timezone.now()
    both.save()
    one, other = vp(agency, "one"), create_lead(agency, email="b@gmail.com")
    assert routed(one, other) == ["Anna", "Hanna"]
    row = one.assignments.get()
    assert (row.rule, row.rule_name, row.reason, row.version, one.tags) == (rule.pk, "VPs", "rule", 2, ["hot"])
    route_leads([both.pk])
    assert owner_of(both) == "Grace"


def test_a_rule_may_keep_a_lead_and_set_its_time_and_tell_channels(agency: Agency) -> None:
    anna = make_member(agency, "anna")
    make_pool(agency, anna, is_catch_all=True)
    listening, _ = create_channel(agency, kind="webhook", url="https://example.com/a", event_types=["lead_assigned"])
    silent, _ = create_channel(agency, kind="webhook", url="https://example.com/b", event_types=["lead_lost"])
    make_rule(agency, "VPs", conditions=VP, member=anna, target_minutes=5, channels=[silent.pk, listening.pk])
    make_rule(agency, "Rest", keeps=True, position=2)
    one, kept = vp(agency, "one"), create_lead(agency, email="b@gmail.com")
    assert routed(one, kept) == ["Anna", ""]
    assert (one.assignments.get().target_minutes, WaitingLead.objects.count()) == (5, 0)
    while fan_out_due_events():
        pass
    reached = Delivery.objects.filter(event__event_type="lead_assigned").values_list("channel", flat=True)
    assert sorted(reached) == sorted([silent.pk, listening.pk])


def test_a_rule_whose_member_is_away_leaves_the_lead_to_the_next(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    make_rule(agency, "Anna's", member=anna)
    make_rule(agency, "Grace's", member=grace)
    anna.user.is_active = False
    anna.user.save()
    assert routed(create_lead(agency, email="a@gmail.com")) == ["Grace"]


def test_a_rule_that_leads_nowhere_any_more_is_switched_off_loudly(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, grace)
    by_pool, by_member = make_rule(agency, "Pool", pool=pool), make_rule(agency, "Member", member=anna)
    pools.delete_pool(pool)
    remove_member(anna)
    assert list(RoutingRule.objects.order_by("position").values_list("pk", "active")) == [
        (by_pool.pk, False),
        (by_member.pk, False),
    ]
    alerts = Event.objects.filter(event_type="rule_disabled").order_by("pk")
    assert [event.payload["rule_name"] for event in alerts] == ["Pool", "Member"]
    service.roll_back(KIND, agency, 2)
    assert set(RoutingRule.objects.values_list("active", flat=True)) == {False}


def test_a_rule_that_is_added_routes_the_leads_that_nobody_has(agency: Agency) -> None:
    anna = make_member(agency, "anna")
    make_rule(agency, "VPs", conditions=VP, member=anna)
    lead = create_lead(agency, title="Sales Manager", email="a@gmail.com")
    assert routed(lead) == [""]
    make_rule(agency, "All", member=anna)
    assert (waiting.deal_due(), owner_of(lead)) == (1, "Anna")


@pytest.mark.parametrize(
    "wrong",
    [{}, {"keeps": True, "member_id": "x"}, {"member_id": "mbr_1"}, {"keeps": True, "tags": [""]},
     {"keeps": True, "target_minutes": 0}, {"keeps": True, "channels": ["chn_1"]}],
    ids=str,
)  # fmt: skip
def test_an_effect_that_cannot_be_is_refused(agency: Agency, wrong: dict[str, Any]) -> None:
    with pytest.raises(FieldError) as refused:
        service.create_rule(KIND, agency, name="A", **wrong)
    assert refused.value.field == "effect"


def test_a_preview_says_who_would_have_got_how_many_and_what_changes_for_whom(agency: Agency) -> None:
    anna, grace = make_member(agency, "anna"), make_member(agency, "grace")
    pool = make_pool(agency, anna, grace)
    for number in range(4):
        vp(agency, f"vp{number}", assigned_to=anna.user)
    create_lead(agency, email="unknown@gmail.com")
    rules = service.draft_rules(KIND, agency, [{"conditions": VP, "pool_id": pool.pk}])
    result = preview(KIND, agency, rules, days=30, now=timezone.now())
    assert result["rules"][0]["matched"] == 4
    assert result["undecided"] == [{"field": "seniority", "label": "the seniority", "leads": 1}]
    outcome = result["outcome"]
    assert {row["name"]: (row["now"], row["then"]) for row in outcome["members"]} == {"Anna": (4, 2), "Grace": (0, 2)}
    assert outcome["changes"] == [{"from": "Anna", "to": "Grace", "leads": 2}]
    assert (outcome["pools"], outcome["unrouted"]) == ([{"pool": "Sales", "leads": 4}], 1)
    assert not RoutingRule.objects.exists()
    assert Pool.objects.get().members.first().received == 0  # type: ignore[union-attr]


def test_what_another_agency_has_is_no_target(agency: Agency, stranger: Agency) -> None:
    theirs: Member = make_member(stranger, "theirs")
    with pytest.raises(FieldError):
        make_rule(agency, "A", member=theirs)
