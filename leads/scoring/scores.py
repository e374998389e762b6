"""Compute the score of a lead from nothing but the lead, the rules, the half-life and the time."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from leads.conditions.target_lists import values_of
from leads.enums import ScoreGroup
from leads.models import Lead
from leads.models.scoring import ScoringRule
from leads.rules.active import CompiledRule

#: The most that a group gives where no rule states a cap.
DEFAULT_CAPS = {ScoreGroup.FIT: 60, ScoreGroup.ENGAGEMENT: 40}
MAX_TOTAL = 100
#: Fields of conditions about what a lead did, which happened when its status changed.
STATUS_FIELDS = frozenset({"status"})


@dataclass(frozen=True, slots=True)
class Contribution:
    """Hold what one rule gave a lead, or took away. `rule` is empty for a limit. `at` is when the lead did it."""

    rule: str
    group: ScoreGroup
    points: int
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """Hold a score: `fit + engagement == total`, which is the sum of the contributions' points."""

    contributions: Sequence[Contribution]
    fit: int
    engagement: int
    grade: str

    @property
    def total(self) -> int:
        return self.fit + self.engagement


def judge_leads(leads: Sequence[Lead], rules: Sequence[CompiledRule]) -> list[list[bool | None]]:
    """Return for each lead and rule whether the lead fulfils its conditions, None where a missing value leaves that
    open."""
    conditions = [compiled.condition for compiled in rules]
    return [[condition.evaluate(values) for condition in conditions] for values in values_of(leads, conditions)]


def score_lead(
    lead: Lead,
    rules: Sequence[CompiledRule],
    verdicts: Sequence[bool | None],
    *,
    half_life: timedelta,
    now: datetime,
    caps: Mapping[ScoreGroup, int] | None = None,
) -> Score:
    """Return the lead's score, given a verdict for each rule. What is open gives nothing.

    `caps` are those of the rules (`caps_of`), where they are known already.
    """
    given: list[Contribution] = []
    for compiled, verdict in zip(rules, verdicts, strict=True):
        rule = compiled.rule
        assert isinstance(rule, ScoringRule)  # noqa: S101 (the kind's model)
        if verdict is not True:
            continue
        group = ScoreGroup(rule.group)
        at = lead.status_since if compiled.condition.fields & STATUS_FIELDS else lead.received_at
        points = rule.points if group is ScoreGroup.FIT else _faded(rule.points, now - at, half_life)
        if points:
            given.append(Contribution(rule.pk, group, points, rule.name, at))
    caps = caps or caps_of([compiled.rule for compiled in rules])
    totals = {}
    for group in ScoreGroup:
        limit = _limit(group, sum(one.points for one in given if one.group is group), caps[group], now)
        given.extend(limit)
        totals[group] = sum(one.points for one in given if one.group is group)
    grade = _grade_of(totals[ScoreGroup.FIT], caps[ScoreGroup.FIT])
    grade += str("ABC".index(_grade_of(totals[ScoreGroup.ENGAGEMENT], caps[ScoreGroup.ENGAGEMENT])) + 1)
    return Score(given, totals[ScoreGroup.FIT], totals[ScoreGroup.ENGAGEMENT], grade)


def caps_of(rules: Sequence[object]) -> dict[ScoreGroup, int]:
    """Return the most that each group gives. Together the groups give at most 100."""
    caps = dict(DEFAULT_CAPS)
    for group in ScoreGroup:
        stated = [rule.cap for rule in rules if isinstance(rule, ScoringRule) and rule.group == group and rule.cap]
        caps[group] = min(stated, default=caps[group])
    caps[ScoreGroup.FIT] = min(caps[ScoreGroup.FIT], MAX_TOTAL)
    caps[ScoreGroup.ENGAGEMENT] = min(caps[ScoreGroup.ENGAGEMENT], MAX_TOTAL - caps[ScoreGroup.FIT])
    return caps


def _faded(points: int, age: timedelta, half_life: timedelta) -> int:
    """Return the points that are left after this age: half of them after each half-life."""
    return round(points * math.pow(0.5, max(age, timedelta()) / half_life))


def _limit(group: ScoreGroup, points: int, cap: int, now: datetime) -> list[Contribution]:
    if points > cap:
        return [Contribution("", group, cap - points, f"The group gives at most {cap}", now)]
    if points < 0:
        return [Contribution("", group, -points, "A group gives no less than 0", now)]
    return []


def _grade_of(points: int, cap: int) -> str:
    """Return A for the upper third of what a group can give, B for the middle, C for the lower."""
    return "A" if points * 3 >= cap * 2 and points else "B" if points * 3 >= cap and points else "C"
