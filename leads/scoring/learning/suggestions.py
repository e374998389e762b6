"""Compute what each scoring rule was worth, and how many points it should give.

The older part of the leads is learned from; on the newer part today's points and the suggested ones are compared.
"""

import copy
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from leads.models import Lead, ScoringRule
from leads.rules.active import CompiledRule
from leads.scoring.learning.logistic import fit_logistic
from leads.scoring.learning.sample import Case, why_unlearnable
from leads.scoring.scores import MAX_TOTAL, score_lead

MIN_CONVERSIONS = 30
MIN_LEADS = 200
#: The share of the leads, the oldest, that is learned from.
TRAINING_SHARE = 0.7
#: Rules beyond these, by how many leads they match, are not learned from.
MAX_FEATURES = 40
#: So many points double the odds of a conversion.
POINTS_PER_DOUBLING = 20
#: The rate of a rule is mixed with this many leads that convert as all do.
PRIOR_LEADS = 20
#: Of an interval that holds the true value nine times of ten.
Z = 1.6449
TOP_SHARE = 0.2

NO_CASES = gettext_noop("No lead matched it before its outcome.")
NOT_AMONG_THE_MOST = gettext_noop("It matches fewer leads than the 40 rules that are learned from.")


@dataclass(frozen=True, slots=True)
class Feature:
    """What the leads say about one rule. `lift` is how many times as often its leads converted as all did, `low` and
    `high` are the ends of its interval. `suggested` is None where nothing can be said, for the `reason`."""

    rule: str
    name: str
    group: str
    points: int
    cases: int
    conversions: int
    lift: float
    low: float
    high: float
    suggested: int | None
    reason: str


def suggest_points(rules: Sequence[CompiledRule], cases: Sequence[Case]) -> dict[str, Any]:
    """Return as JSON what was learned from cases, the oldest first. `is_enough` is False where there are too few."""
    conversions = sum(case.converted for case in cases)
    split = int(len(cases) * TRAINING_SHARE)
    training, test = cases[:split], cases[split:]
    learned_from = sum(case.converted for case in training)
    found: dict[str, Any] = {
        "leads": len(cases),
        "conversions": conversions,
        "min_leads": MIN_LEADS,
        "min_conversions": MIN_CONVERSIONS,
        "is_enough": len(cases) >= MIN_LEADS
        and conversions >= MIN_CONVERSIONS
        and 0 < learned_from < len(training)
        and conversions > learned_from,
    }
    if not found["is_enough"]:
        return found
    points, reasons = _points(rules, training)
    rate = conversions / len(cases)
    features = [
        _feature(number, rules, cases, rate, points.get(number), reasons.get(number, ""))
        for number in range(len(rules))
    ]
    found["features"] = [asdict(feature) for feature in features]
    found["tested_leads"], found["tested_conversions"] = len(test), conversions - learned_from
    found["rate"] = found["tested_conversions"] / len(test)
    found["top_today"] = _top_rate(rules, range(len(rules)), test)
    kept = [number for number in range(len(rules)) if points.get(number) != 0]
    found["top_suggested"] = _top_rate([_with_points(rules[n], points.get(n)) for n in kept], kept, test)
    return found


def _points(rules: Sequence[CompiledRule], training: Sequence[Case]) -> tuple[dict[int, int], dict[int, str]]:
    """Return the suggested points by the rule's number, and why there are none of the other rules."""
    reasons = {number: why for number, rule in enumerate(rules) if (why := why_unlearnable(rule.condition))}
    matched = Counter(n for case in training for n, verdict in enumerate(case.verdicts) if verdict is True)
    reasons |= {number: NO_CASES for number in range(len(rules)) if number not in reasons and not matched[number]}
    by_cases = sorted((n for n in range(len(rules)) if n not in reasons), key=lambda n: (-matched[n], n))
    reasons |= dict.fromkeys(by_cases[MAX_FEATURES:], NOT_AMONG_THE_MOST)
    place = {number: at for at, number in enumerate(by_cases[:MAX_FEATURES])}
    groups: dict[frozenset[int], tuple[int, int]] = {}
    for case in training:
        has = frozenset(place[n] for n, verdict in enumerate(case.verdicts) if verdict is True and n in place)
        leads, converted = groups.get(has, (0, 0))
        groups[has] = (leads + 1, converted + case.converted)
    fit = fit_logistic(groups, len(place))
    return {number: points_of(fit.weights[at]) for number, at in place.items()}, reasons


def points_of(weight: float) -> int:
    """Return the points for a weight in log-odds: 20 more double the odds."""
    points = round(POINTS_PER_DOUBLING / math.log(2) * weight)
    return max(-MAX_TOTAL, min(MAX_TOTAL, points))


def _feature(
    number: int, rules: Sequence[CompiledRule], cases: Sequence[Case], rate: float, points: int | None, reason: str
) -> Feature:
    rule = rules[number].rule
    assert isinstance(rule, ScoringRule)  # noqa: S101 (the kind's model)
    matching = [case for case in cases if case.verdicts[number] is True]
    converted = sum(case.converted for case in matching)
    lift, low, high = (share / rate for share in shrunk_rate(len(matching), converted, rate))
    return Feature(
        *(rule.pk, rule.name, rule.group, rule.points, len(matching), converted, lift, low, high, points, reason)
    )


def shrunk_rate(leads: int, conversions: int, rate: float) -> tuple[float, float, float]:
    """Return a rate that a few leads cannot move far from the `rate` of all, and its interval, by Wilson's formula."""
    n = leads + PRIOR_LEADS
    share = (conversions + PRIOR_LEADS * rate) / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n)) / (1 + Z * Z / n)
    return share, max(0.0, middle - half), min(1.0, middle + half)


def _with_points(compiled: CompiledRule, points: int | None) -> CompiledRule:
    if points is None:
        return compiled
    rule = copy.copy(compiled.rule)
    rule.points = points  # type: ignore[attr-defined]
    return CompiledRule(rule, compiled.condition)


def _top_rate(rules: Sequence[CompiledRule], numbers: Sequence[int], cases: Sequence[Case]) -> float:
    """Return the conversion of the fifth of the cases with the highest scores. Of those with the same score at its end
    a share counts. Nothing has faded: all are looked at just before their outcome."""
    now = timezone.now()
    lead, scores = Lead(received_at=now, status_since=now), dict[tuple[bool | None, ...], int]()
    tally: dict[int, tuple[int, int]] = {}
    for case in cases:
        if case.verdicts not in scores:
            verdicts = [case.verdicts[number] for number in numbers]
            scores[case.verdicts] = score_lead(lead, rules, verdicts, half_life=timedelta(days=1), now=now).total
        leads, converted = tally.get(scores[case.verdicts], (0, 0))
        tally[scores[case.verdicts]] = (leads + 1, converted + case.converted)
    wanted = left = len(cases) * TOP_SHARE
    found = 0.0
    for _score, (leads, converted) in sorted(tally.items(), reverse=True):
        share = min(1.0, left / leads)
        found, left = found + converted * share, left - leads * share
    return found / wanted
