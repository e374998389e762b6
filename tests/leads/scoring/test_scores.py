"""Scores: what rules give, how engagement fades, when a lead is reported, and that the sum is the total."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Agency, Event
from leads.conditions.compiler import compile_condition
from leads.enums import ChangedBy, LeadStatus, ScoreGroup
from leads.models import Lead, LeadScore, ScoringRule, ScoringRun
from leads.pipeline.changes import create_lead, set_status, update_lead
from leads.pipeline.merge import merge_leads
from leads.rules import service as rules
from leads.rules.active import CompiledRule
from leads.scoring.kind import KIND
from leads.scoring.rescoring import score_due
from leads.scoring.scores import judge_leads, score_lead
from tests.reactions import react

HALF_LIFE = timedelta(days=14)


def compiled(**fields: Any) -> CompiledRule:
    rule = ScoringRule(**{"name": "Rule", "group": "fit", "points": 10, "conditions": {}, **fields})
    return CompiledRule(rule, compile_condition(rule.conditions))


def reported() -> int:
    return Event.objects.filter(event_type="lead_high_priority").count()


def replied(lead: Lead) -> None:
    set_status(lead, status=LeadStatus.REPLY_RECEIVED, changed_by=ChangedBy.USER)


def rescore_all() -> None:
    ScoringRun.objects.update(next_attempt_at=timezone.now())
    while score_due():
        pass


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(list(ScoreGroup)), st.integers(-100, 100), st.booleans()), max_size=8),
    st.one_of(st.none(), st.integers(1, 100)),
    st.integers(0, 200),
)
def test_a_score_is_the_sum_of_its_contributions_from_0_to_100(
    given_rules: list[tuple[ScoreGroup, int, bool]], cap: int | None, days: int
) -> None:
    now = timezone.now()
    lead = Lead(
        status="REPLY_RECEIVED", status_since=now - timedelta(days=days), received_at=now - timedelta(days=days)
    )
    asked = {"field": "status", "op": "exists"}
    made = [
        compiled(group=group, points=points, cap=cap, conditions=asked if by_status else {})
        for group, points, by_status in given_rules
    ]
    score = score_lead(lead, made, judge_leads([lead], made)[0], half_life=HALF_LIFE, now=now)
    assert score.total == sum(one.points for one in score.contributions)
    for group, total in ((ScoreGroup.FIT, score.fit), (ScoreGroup.ENGAGEMENT, score.engagement)):
        assert total == sum(one.points for one in score.contributions if one.group is group)
        assert 0 <= total <= (cap or 100)
    assert 0 <= score.total <= 100
    assert score == score_lead(lead, made, judge_leads([lead], made)[0], half_life=HALF_LIFE, now=now)


@pytest.mark.parametrize("seed", range(4))
def test_every_stored_score_is_the_sum_of_its_stored_contributions_caps_included(agency: Agency, seed: int) -> None:
    random = Random(seed)
    for number in range(12):
        rules.create_rule(
            KIND,
            agency,
            name=f"Rule {number}",
            group=random.choice(list(ScoreGroup)),
            points=random.choice([*range(-100, 0), *range(1, 101)]),
            cap=random.choice([None, random.randint(1, 100)]),
            conditions=random.choice([{}, {"field": "status", "op": "exists"}, {"field": "email", "op": "exists"}]),
        )
    leads = [create_lead(agency, name=f"{n}", email="a@example.com" if n % 2 else "") for n in range(10)]
    replied(leads[0])
    with time_machine.travel(timezone.now() + timedelta(days=random.randint(0, 60))):
        rescore_all()
    rows = list(LeadScore.objects.select_related("lead"))
    assert len(rows) == len(leads)
    for row in rows:
        by_group = {
            group: sum(one["points"] for one in row.contributions if one["group"] == group) for group in ScoreGroup
        }
        assert (row.fit, row.engagement) == (by_group[ScoreGroup.FIT], by_group[ScoreGroup.ENGAGEMENT])
        assert row.total == row.fit + row.engagement == row.lead.score
        assert 0 <= row.total <= 100


def test_engagement_halves_every_half_life_and_fit_never() -> None:
    now = timezone.now()
    lead = Lead(status="REPLY_RECEIVED", status_since=now - 2 * HALF_LIFE, received_at=now - 9 * HALF_LIFE)
    made = [
        compiled(points=20),
        compiled(
            group="engagement", points=40, conditions={"field": "status", "op": "equals", "value": "REPLY_RECEIVED"}
        ),
    ]
    score = score_lead(lead, made, judge_leads([lead], made)[0], half_life=HALF_LIFE, now=now)
    assert (score.fit, score.engagement) == (20, 10)


@pytest.mark.django_db
def test_a_new_lead_is_scored_by_the_starting_set_and_its_grade_says_how(agency: Agency) -> None:
    lead = create_lead(
        agency,
        name="Ada",
        title="Vice President Sales",
        company="Acme",
        email="ada@acme.example.com",
        phone="+14155550100",
    )
    react()
    lead.refresh_from_db()
    score = LeadScore.objects.get(lead=lead)
    assert (lead.score, lead.grade) == (score.total, score.grade) == (45, "A3")
    assert {one["why"] for one in score.contributions} == {
        "Decision-maker",
        "Business e-mail address",
        "Complete contact",
    }
    update_lead(lead, company_size="51-200 employees")
    react()
    assert LeadScore.objects.get(lead=lead).total == 60


@pytest.mark.django_db
def test_a_lead_is_reported_once_per_rise_over_the_threshold_and_never_by_rules_or_time(agency: Agency) -> None:
    rules.create_rule(KIND, agency, name="Base", group="fit", points=60)
    rules.create_rule(
        KIND, agency, name="Replied", group="engagement", points=30,
        conditions={"field": "status", "op": "equals", "value": "REPLY_RECEIVED"},
    )  # fmt: skip
    start = timezone.now()
    with time_machine.travel(start) as clock:
        lead = create_lead(agency, email="ada@example.com")
        react()
        replied(lead)
        react()
        assert reported() == 1
        update_lead(lead, company="Acme")
        react()
        assert reported() == 1
        clock.shift(timedelta(days=20))  # 60 + 11: not yet 10 below 70
        rescore_all()
        update_lead(lead, company="Acme & Co")
        react()
        assert (LeadScore.objects.get(lead=lead).is_high, reported()) == (True, 1)
        clock.shift(timedelta(days=100))
        rescore_all()
        assert LeadScore.objects.get(lead=lead).is_high is True  # 60 is not below 60
        rules.change_rule(KIND, rules.rules_of(KIND, agency)[0], points=50)
        rescore_all()
        assert LeadScore.objects.get(lead=lead).is_high is False
        rules.change_rule(KIND, rules.rules_of(KIND, agency)[0], points=60, cap=99)
        rules.create_rule(KIND, agency, name="More", group="fit", points=39)
        rescore_all()
        assert (LeadScore.objects.get(lead=lead).is_high, reported()) == (True, 1)


@pytest.mark.django_db
def test_a_test_lead_and_a_back_filled_lead_are_scored_in_silence(agency: Agency) -> None:
    rules.create_rule(KIND, agency, name="All", group="fit", points=60)
    rules.create_rule(KIND, agency, name="Here", group="engagement", points=40)
    for fields in ({"is_test": True}, {"recovered": True}):
        lead = create_lead(agency, email=f"{min(fields)}@example.com", **fields)
        react()
        assert LeadScore.objects.get(lead=lead).total == 100
    assert reported() == 0


@pytest.mark.django_db
def test_a_merge_computes_the_score_anew_and_adds_no_points(agency: Agency) -> None:
    rules.create_rule(KIND, agency, name="Mail", group="fit", points=40, conditions={"field": "email", "op": "exists"})
    one = create_lead(agency, email="ada@example.com")
    other = create_lead(agency, email="ada@example.com", company="Acme")
    react()
    merge_leads(one, other)
    react()
    assert list(LeadScore.objects.values_list("lead", "total")) == [(one.pk, 40)]


@pytest.mark.django_db
def test_a_change_of_rules_scores_all_leads_anew_and_removing_all_rules_keeps_none(agency: Agency) -> None:
    lead = create_lead(agency, title="Chief Executive Officer", email="ada@example.com")
    react()
    for rule in rules.rules_of(KIND, agency):
        rules.delete_rule(KIND, rule)
    rescore_all()
    react()
    assert LeadScore.objects.get(lead=lead).total == 0
    assert ScoringRule.objects.count() == 0
