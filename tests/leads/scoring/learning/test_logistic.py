"""The regression, against coefficients that are known, and against the conditions that the best ones fulfil."""

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.scoring.learning.logistic import Groups, fit_logistic

NONE, FIRST, SECOND, BOTH = frozenset[int](), frozenset({0}), frozenset({1}), frozenset({0, 1})


def test_without_a_penalty_the_weight_of_one_feature_is_the_log_of_its_odds_ratio() -> None:
    groups = {NONE: (200, 20), FIRST: (100, 40)}
    fit = fit_logistic(groups, 1, penalty=0.0)
    assert fit.intercept == pytest.approx(math.log(20 / 180), abs=1e-6)
    assert fit.weights[0] == pytest.approx(math.log((40 / 60) / (20 / 180)), abs=1e-6)
    assert fit.probability(FIRST) == pytest.approx(0.4, abs=1e-6)
    assert fit.probability(NONE) == pytest.approx(0.1, abs=1e-6)


def test_known_coefficients_are_found_again_in_leads_that_they_made() -> None:
    random, known = Random(7), (-2.0, 1.2, -0.7)
    tally: dict[frozenset[int], list[int]] = {}
    for _ in range(60_000):
        has = frozenset(number for number in (0, 1) if random.random() < 0.4)
        odds = known[0] + sum(known[number + 1] for number in has)
        group = tally.setdefault(has, [0, 0])
        group[0] += 1
        group[1] += random.random() < 1 / (1 + math.exp(-odds))
    fit = fit_logistic({has: (leads, converted) for has, (leads, converted) in tally.items()}, 2)
    assert (fit.intercept, *fit.weights) == pytest.approx(known, abs=0.06)


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.frozensets(st.integers(0, 4)),
        st.integers(1, 200).flatmap(lambda leads: st.tuples(st.just(leads), st.integers(0, leads))),
        min_size=1,
        max_size=12,
    ).filter(lambda groups: 0 < sum(won for _, won in groups.values()) < sum(leads for leads, _ in groups.values())),
    st.sampled_from([0.5, 1.0, 5.0]),
)
def test_at_the_best_weights_the_penalised_likelihood_has_no_slope(groups: Groups, penalty: float) -> None:
    fit = fit_logistic(groups, 5, penalty=penalty)
    residuals = {has: won - leads * fit.probability(has) for has, (leads, won) in groups.items()}
    assert sum(residuals.values()) == pytest.approx(0, abs=1e-5)
    for number, weight in enumerate(fit.weights):
        slope = sum(residual for has, residual in residuals.items() if number in has) - penalty * weight
        assert slope == pytest.approx(0, abs=1e-5)


def test_a_feature_that_separates_all_leads_gets_a_weight_that_is_no_more_than_the_penalty_allows() -> None:
    fit = fit_logistic({NONE: (300, 0), FIRST: (30, 30)}, 1)
    assert 3 < fit.weights[0] < 10


def test_two_features_that_are_the_same_share_the_weight() -> None:
    fit = fit_logistic({NONE: (200, 20), BOTH: (100, 40)}, 2)
    assert fit.weights[0] == pytest.approx(fit.weights[1])
