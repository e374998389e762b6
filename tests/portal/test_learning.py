"""The page that says what the outcomes of leads teach, and takes suggested points over."""

from typing import Any

import pytest
from django.test import Client

from accounts.core.enums import Role
from accounts.models import Agency
from leads.models import ScoreLearning, ScoringRule
from leads.rules.service import create_rule
from leads.scoring.kind import KIND
from leads.scoring.learning.service import request_learning
from tests.portal.browser import Browser

PAGE = "/scoring/learning"

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(sign_in: Browser) -> Client:
    return sign_in(Role.MANAGER)


@pytest.fixture
def rule(agency: Agency) -> ScoringRule:
    made = create_rule(KIND, agency, name="Decision-makers", group="fit", points=10, conditions={})
    assert isinstance(made, ScoringRule)
    return made


def result(rule: ScoringRule, **changes: Any) -> dict[str, Any]:
    feature = {
        "rule": rule.pk, "name": rule.name, "group": "fit", "points": 10, "cases": 90, "conversions": 40,
        "lift": 2.13, "low": 1.6, "high": 2.7, "suggested": 34, "reason": "",
    }  # fmt: skip
    unlearned = {**feature, "rule": "rule_2", "name": "Tagged", "cases": 0, "conversions": 0, "suggested": None,
                 "reason": "Tags may have been set after the outcome."}  # fmt: skip
    return {
        "leads": 400, "conversions": 80, "min_leads": 200, "min_conversions": 30, "is_enough": True,
        "features": [feature, unlearned], "tested_leads": 120, "tested_conversions": 25, "rate": 0.21,
        "top_today": 0.25, "top_suggested": 0.5, **changes,
    }  # fmt: skip


def learned(agency: Agency, rule: ScoringRule, **changes: Any) -> ScoreLearning:
    return ScoreLearning.objects.create(
        agency=agency, state="learned", next_attempt_at=None, rules_version=1, result=result(rule, **changes)
    )


def html(client: Client) -> str:
    return client.get(PAGE).content.decode()


def test_learning_is_begun_from_the_page_which_shows_how_far_it_is(agency: Agency, manager: Client) -> None:
    assert "Nothing learned yet" in html(manager)
    assert manager.post(f"{PAGE}/start").status_code == 302
    ScoreLearning.objects.update(done=500, total=2000)
    page = html(manager)
    assert "Looking at leads: 500 of 2000" in page
    assert f'hx-get="{PAGE}/result"' in page


def test_of_too_few_leads_the_page_says_how_many_it_takes(agency: Agency, manager: Client, rule: ScoringRule) -> None:
    learned(agency, rule, is_enough=False, leads=150, conversions=12)
    page = html(manager)
    assert "Too few to say" in page
    assert "There are 150 leads with 12 conversions. It takes 200 leads and 30 conversions" in page
    assert "Decision-makers" not in page


def test_what_was_learned_is_shown_and_taken_over_and_gone_back_from(
    agency: Agency, manager: Client, rule: ScoringRule
) -> None:
    learned(agency, rule)
    page = html(manager)
    for words in ("2.1 times as often (1.6 to 2.7)", "+10", "+34", "21.0%", "25.0%", "50.0%", "Tags may have been set"):
        assert words in page, words
    assert page.count('name="rules"') == 1
    assert manager.post(f"{PAGE}/accept", {"rules": ["rule_2"]}).status_code == 302
    rule.refresh_from_db()
    assert rule.points == 10
    assert manager.post(f"{PAGE}/accept", {"rules": [rule.pk]}).status_code == 302
    rule.refresh_from_db()
    assert rule.points == 34
    page = html(manager)
    assert "as version 2 of the rules" in page
    assert "Go back to the points before" in page
    manager.post("/rules/scoring/rollback", {"version": "1"})
    rule.refresh_from_db()
    assert rule.points == 10


def test_suggestions_are_scheduled_and_called_off(agency: Agency, manager: Client, rule: ScoringRule) -> None:
    learned(agency, rule)
    manager.post(f"{PAGE}/accept", {"rules": [rule.pk], "at": "2199-01-01T08:00"})
    assert "The points of 1 rule change on" in html(manager)
    assert manager.post(f"{PAGE}/start", follow=True).content.decode().count("call that off first") == 1
    manager.post(f"{PAGE}/call-off")
    assert "Take over the ticked points" in html(manager)
    rule.refresh_from_db()
    assert rule.points == 10


def test_what_was_learned_of_other_rules_says_so(agency: Agency, manager: Client, rule: ScoringRule) -> None:
    learned(agency, rule)
    create_rule(KIND, agency, name="Everybody", group="fit", points=1, conditions={})
    assert "The rules were changed since. Learn again." in html(manager)


def test_another_agencys_learning_is_not_shown(agency: Agency, stranger: Agency, manager: Client) -> None:
    request_learning(stranger)
    assert "Nothing learned yet" in html(manager)
