"""What scoring rules are worth is learned from leads, of which only what was known before their outcome counts."""

import math
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.core.errors import FieldError, StateError
from accounts.models import Agency, AuditEntry
from leads.analytics.settings import choose_conversions
from leads.enums import LeadStatus
from leads.models import Lead, LeadChange, ScoreLearning, ScoringRule, TargetList
from leads.models.rules import Rule, RuleSetVersion
from leads.rules import service as rules
from leads.scoring.kind import KIND
from leads.scoring.learning.jobs import learn_due
from leads.scoring.learning.service import accept_suggestions, call_off, request_learning
from leads.scoring.learning.suggestions import points_of, shrunk_rate
from leads.target_lists.service import create_list

pytestmark = pytest.mark.django_db

NOW = datetime.fromisoformat("2026-11-30T12:00:00+00:00")
DECIDERS = {"field": "seniority", "op": "in", "value": ["vp", "c_level"]}
#: What a converted lead may look like only afterwards.
Afterwards = Callable[[Lead], object]


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def rule(agency: Agency, name: str, conditions: Any, points: int = 10, group: str = "fit") -> Rule:
    return rules.create_rule(KIND, agency, name=name, group=group, points=points, conditions=conditions)


def history(agency: Agency, leads: int = 400, after: Afterwards = lambda lead: None, seed: int = 1) -> list[Lead]:
    """Make leads of the last months. A vice president converts in two of five cases, an analyst in one of ten."""
    random, made = Random(seed), []
    for number in range(leads):
        at = NOW - timedelta(days=200) + timedelta(hours=number * 10)
        title = "VP Sales" if random.random() < 0.5 else "Data Analyst"
        lead = Lead(agency=agency, name=f"Lead {number}", title=title, received_at=at, status_since=at)
        lead.provenance = {"title": "form"}
        if random.random() < (0.4 if title == "VP Sales" else 0.1):
            lead.status = LeadStatus.OPPORTUNITY
            after(lead)
        made.append(lead)
    Lead.objects.bulk_create(made)
    report_outcomes(made)
    return made


def report_outcomes(made: list[Lead]) -> None:
    """Write into the history how leads that are no longer new came to their status."""
    LeadChange.objects.bulk_create(
        LeadChange(
            lead=lead, previous_status="REPLY_RECEIVED", new_status=lead.status, stated=True, applied=True,
            changed_by="provider", occurred_at=lead.received_at + timedelta(days=2),
        )
        for lead in made
        if lead.status != LeadStatus.PENDING
    )  # fmt: skip


def learn(agency: Agency) -> ScoreLearning:
    learning = request_learning(agency)
    learn_due()
    learning.refresh_from_db()
    assert (learning.state, learning.error) == ("learned", "")
    return learning


def learned(agency: Agency) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in (learn(agency).result or {})["features"]}


def test_a_rule_that_tells_converting_leads_gets_the_points_that_double_the_odds_by_twenties(agency: Agency) -> None:
    rule(agency, "Decision-makers", DECIDERS)
    rule(agency, "Everybody", {})
    history(agency)
    found = learned(agency)
    deciders = found["Decision-makers"]
    odds_ratio = (0.4 / 0.6) / (0.1 / 0.9)
    assert deciders["suggested"] == pytest.approx(points_of(math.log(odds_ratio)), abs=12)
    assert deciders["low"] < deciders["lift"] < deciders["high"]
    assert deciders["low"] > 1
    assert found["Everybody"]["lift"] == pytest.approx(1.0)


def test_twenty_points_double_the_odds() -> None:
    assert (points_of(0.6931), points_of(-0.6931), points_of(0), points_of(99)) == (20, -20, 0, 100)


def test_the_top_fifth_is_compared_on_the_newest_leads_that_nothing_was_learned_from(agency: Agency) -> None:
    rule(agency, "Decision-makers", DECIDERS, points=-10)
    rule(agency, "Analysts", {"field": "title", "op": "word", "value": "analyst"}, points=30)
    history(agency)
    result = learn(agency).result or {}
    assert (result["leads"], result["tested_leads"]) == (400, 120)
    newest = Lead.objects.order_by("-received_at")[:120]
    assert result["tested_conversions"] == sum(lead.status == "OPPORTUNITY" for lead in newest)
    assert result["top_today"] < result["rate"] < result["top_suggested"]


@pytest.mark.parametrize(("leads", "converting"), [(199, 60), (400, 29), (400, 400)])
def test_of_too_few_leads_or_conversions_nothing_is_said(agency: Agency, leads: int, converting: int) -> None:
    rule(agency, "Everybody", {})
    made = [Lead(agency=agency, received_at=NOW - timedelta(days=20), status_since=NOW) for _ in range(leads)]
    for lead in made[:: max(1, leads // converting)][:converting]:
        lead.status = LeadStatus.OPPORTUNITY
    Lead.objects.bulk_create(made)
    report_outcomes(made)
    result = learn(agency).result or {}
    assert (result["is_enough"], result["leads"], result["conversions"]) == (False, leads, converting)
    assert "features" not in result


def test_a_conversion_is_what_the_agency_counts_as_one_in_its_reports(agency: Agency) -> None:
    rule(agency, "Everybody", {})
    at = NOW - timedelta(days=20)
    statuses = [LeadStatus.OPPORTUNITY] * 3 + [LeadStatus.DONE] * 5 + [LeadStatus.REPLY_RECEIVED] * 7
    made = [Lead(agency=agency, received_at=at, status_since=NOW, status=status) for status in statuses]
    Lead.objects.bulk_create(made)
    report_outcomes(made)
    assert (learn(agency).result or {})["conversions"] == 8
    choose_conversions(agency, [LeadStatus.DONE])
    assert (learn(agency).result or {})["conversions"] == 5


# --- a predictor that knows the outcome is forbidden --------------------------------------------------


def test_a_predictor_that_knows_the_outcome_is_forbidden(agency: Agency) -> None:
    """Each of these rules matches just the leads that converted, by what came with the conversion or after it."""

    def know(lead: Lead) -> None:
        lead.tags = ["customer"]
        lead.phone = lead.phone_e164 = "+4915112345678"
        lead.company = "Acme"
        lead.provenance = {**lead.provenance, "phone": "person", "company": "person"}

    rule(agency, "Decision-makers", DECIDERS)
    history(agency, after=know)
    alone = learned(agency)["Decision-makers"]
    listed = create_list(agency, name="Customers", file=BytesIO(b"Company\nAcme\n"))
    Lead.objects.filter(status="OPPORTUNITY").update(company_key="acme")
    rule(agency, "Opportunity", {"field": "status", "op": "in", "value": ["OPPORTUNITY", "MEETING_BOOKED"]})
    rule(agency, "Tagged", {"field": "tags", "op": "has_any", "value": ["customer"]})
    rule(agency, "Has a phone", {"field": "phone", "op": "exists"})
    rule(agency, "Is a customer's", {"field": "company", "op": "equals", "value": "Acme"})
    rule(agency, "On the list of customers", {"field": "target_list", "op": "on_list", "value": [listed.pk]})
    rule(agency, "Old", {"field": "received", "op": "older_than", "value": "60d"})
    found = learned(agency)
    forbidden = found.keys() - {"Decision-makers"}
    assert {name: found[name]["suggested"] for name in forbidden} == dict.fromkeys(forbidden, None)
    assert {name: found[name]["cases"] for name in forbidden} == dict.fromkeys(forbidden, 0)
    assert found["Tagged"]["reason"] == "Tags may have been set after the outcome."
    assert found["Opportunity"]["reason"] == "No lead matched it before its outcome."
    assert found["Decision-makers"]["suggested"] == alone["suggested"]


def test_the_status_before_the_outcome_counts_also_where_a_lead_was_closed(agency: Agency) -> None:
    rule(agency, "Replied", {"field": "status", "op": "equals", "value": "REPLY_RECEIVED"}, group="engagement")
    rule(agency, "Not interested", {"field": "status", "op": "equals", "value": "NOT_INTERESTED"}, -30, "engagement")
    made = history(agency)
    closed = [lead for lead in made if lead.status == "PENDING"][:50]
    Lead.objects.filter(pk__in=[lead.pk for lead in closed]).update(status="NOT_INTERESTED")
    LeadChange.objects.bulk_create(
        LeadChange(
            lead=lead, previous_status="REPLY_RECEIVED", new_status="NOT_INTERESTED", stated=True, applied=True,
            changed_by="provider", occurred_at=lead.received_at,
        )
        for lead in closed
    )  # fmt: skip
    found = learned(agency)
    converted = sum(lead.status == "OPPORTUNITY" for lead in made)
    assert (found["Replied"]["cases"], found["Replied"]["conversions"]) == (converted + 50, converted)
    assert found["Not interested"]["cases"] == 0


def test_a_target_list_counts_for_leads_that_came_after_its_last_change(agency: Agency) -> None:
    with time_machine.travel(NOW - timedelta(days=100)):
        listed = create_list(agency, name="Wanted", file=BytesIO(b"Company\nAcme\n"))
    rule(agency, "Wanted", {"field": "target_list", "op": "on_list", "value": [listed.pk]})
    history(agency)
    Lead.objects.update(company_key="acme")
    newer = Lead.objects.filter(received_at__gte=TargetList.objects.get().updated_at).count()
    assert 0 < learned(agency)["Wanted"]["cases"] == newer < 400


def test_test_leads_new_leads_and_those_of_others_teach_nothing(agency: Agency, stranger: Agency) -> None:
    rule(agency, "Everybody", {})
    history(agency)
    history(stranger)
    Lead.objects.bulk_create(
        [
            Lead(agency=agency, is_test=True, received_at=NOW - timedelta(days=20), status_since=NOW),
            Lead(agency=agency, received_at=NOW - timedelta(days=13), status_since=NOW),
            Lead(agency=agency, received_at=NOW - timedelta(days=366), status_since=NOW),
        ]
    )
    assert (learn(agency).result or {})["leads"] == 400


# --- what people do with it ----------------------------------------------------------------------------


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "ann@example.com")


def points(agency: Agency) -> dict[str, int]:
    return dict(ScoringRule.objects.filter(agency=agency, active=True).values_list("name", "points"))


def test_suggestions_are_taken_over_as_one_version_that_can_be_gone_back_from(agency: Agency, ann: User) -> None:
    deciders = rule(agency, "Decision-makers", DECIDERS)
    rule(agency, "Analysts", {"field": "title", "op": "word", "value": "analyst"}, points=30)
    history(agency)
    learning = learn(agency)
    before, versions = points(agency), RuleSetVersion.objects.count()
    suggested = {one["rule"]: one["suggested"] for one in (learning.result or {})["features"]}
    with pytest.raises(FieldError, match="Nothing else is suggested for the rule 'rule_x'"):
        accept_suggestions(learning, rules=["rule_x"])
    with pytest.raises(FieldError, match="Choose at least one"):
        accept_suggestions(learning, rules=[])
    learning = accept_suggestions(learning, rules=[deciders.pk], by=ann)
    assert points(agency) == {**before, "Decision-makers": suggested[deciders.pk]}
    assert (learning.state, learning.accepted_version) == ("accepted", learning.rules_version + 1)  # type: ignore[operator]
    assert RuleSetVersion.objects.count() == versions + 1
    newest = RuleSetVersion.objects.order_by("-number")[0]
    assert newest.change == "Took over the suggested points of: Decision-makers"
    assert AuditEntry.objects.filter(agency=agency, action="Suggested points taken over").exists()
    with pytest.raises(StateError, match="cannot be taken over"):
        accept_suggestions(learning)
    rules.roll_back(KIND, agency, learning.rules_version or 0)
    assert points(agency) == before


def test_a_rule_that_says_nothing_is_switched_off(agency: Agency) -> None:
    rule(agency, "Everybody", {"not": {"field": "title", "op": "equals", "value": "nobody"}}, points=50)
    history(agency)
    learning = learn(agency)
    ScoreLearning.objects.update(
        result={**(learning.result or {}), "features": [{**(learning.result or {})["features"][0], "suggested": 0}]}
    )
    accept_suggestions(learning)
    assert points(agency) == {}


def test_suggestions_are_not_taken_over_once_the_rules_are_others(agency: Agency) -> None:
    rule(agency, "Decision-makers", DECIDERS)
    history(agency)
    learning = learn(agency)
    rule(agency, "Everybody", {})
    for at in (None, NOW + timedelta(days=1)):
        with pytest.raises(StateError, match="The rules were changed since"):
            accept_suggestions(learning, at=at)


def test_scheduled_suggestions_are_taken_over_at_their_time_unless_they_are_called_off(
    agency: Agency, ann: User
) -> None:
    rule(agency, "Decision-makers", DECIDERS)
    history(agency)
    learning, before = learn(agency), points(agency)
    with pytest.raises(FieldError, match="still to come"):
        accept_suggestions(learning, at=NOW)
    learning = accept_suggestions(learning, at=NOW + timedelta(days=2))
    assert (learn_due(), points(agency)) == (0, before)
    with pytest.raises(StateError, match="call that off first"):
        request_learning(agency)
    learning = call_off(learning)
    with pytest.raises(StateError, match="Nothing is scheduled"):
        call_off(learning)
    learning = accept_suggestions(learning, at=NOW + timedelta(days=2), by=ann)
    with time_machine.travel(NOW + timedelta(days=2, minutes=1), tick=False):
        assert (learn_due(), learn_due()) == (1, 0)
    learning.refresh_from_db()
    assert (learning.state, learning.accepted_by) == ("accepted", "ann")
    assert points(agency) != before


def test_scheduled_suggestions_for_rules_that_changed_meanwhile_say_so_and_change_nothing(agency: Agency) -> None:
    rule(agency, "Decision-makers", DECIDERS)
    history(agency)
    learning = accept_suggestions(learn(agency), at=NOW + timedelta(days=2))
    rule(agency, "Everybody", {}, points=1)
    before = points(agency)
    with time_machine.travel(NOW + timedelta(days=2, minutes=1), tick=False):
        learn_due()
    learning.refresh_from_db()
    assert (learning.state, learning.error) == ("learned", "The rules were changed since. Learn again.")
    assert points(agency) == before
    request_learning(agency)


def test_a_learning_that_is_asked_for_again_takes_the_place_of_the_one_before(agency: Agency) -> None:
    rule(agency, "Everybody", {})
    for _ in range(2):
        learn(agency)
    assert ScoreLearning.objects.filter(agency=agency).count() == 1


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 500), st.floats(0, 1), st.floats(0.01, 0.99))
def test_a_rate_of_few_leads_stays_near_that_of_all_and_inside_its_interval(
    leads: int, share: float, rate: float
) -> None:
    converted = round(leads * share)
    found, low, high = shrunk_rate(leads, converted, rate)
    assert 0 <= low <= found <= high <= 1
    own = converted / leads if leads else rate
    assert min(own, rate) - 1e-9 <= found <= max(own, rate) + 1e-9


def test_what_was_asked_for_is_seen_in_progress(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []
    rule(agency, "Everybody", {})
    history(agency)
    monkeypatch.setattr("leads.scoring.learning.sample.CHUNK", 150)
    original = ScoreLearning.objects.filter

    def watched(*args: Any, **kwargs: Any) -> Any:
        if kwargs.keys() == {"pk"}:
            seen.extend(original(**kwargs).values_list("done", "total"))
        return original(*args, **kwargs)

    monkeypatch.setattr(ScoreLearning.objects, "filter", watched)
    learning = learn(agency)
    assert (learning.done, learning.total) == (400, 400)
    assert (150, 400) in seen
