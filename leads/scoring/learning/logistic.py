"""Fit a logistic regression with an L2 penalty over features that a lead has or has not.

Newton's method over groups of leads that have the same features: what it costs depends on the number of groups.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MAX_STEPS = 50
TOLERANCE = 1e-9

#: The features that a lead has, by their numbers --> how many leads have just these, and how many of them converted.
Groups = Mapping[frozenset[int], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Fit:
    """Hold the fitted log-odds: of a lead without features, and what each feature adds."""

    intercept: float
    weights: Sequence[float]

    def probability(self, features: frozenset[int]) -> float:
        """Return the probability that a lead with these features converts."""
        return _sigmoid(self.intercept + sum(self.weights[number] for number in features))


def fit_logistic(groups: Groups, features: int, *, penalty: float = 1.0) -> Fit:
    """Return the weights of `features` features that maximise the likelihood less `penalty / 2` times their squares.

    The intercept is not penalised. There are leads that converted, and leads that did not.
    """
    size = features + 1  # the last one is the intercept
    weights = [0.0] * size
    rows = [([*sorted(has), features], leads, converted) for has, (leads, converted) in groups.items()]
    value = _objective(rows, weights, penalty)
    for _ in range(MAX_STEPS):
        step = _newton_step(rows, weights, penalty)
        share = 1.0
        while True:  # a whole step can go too far where the data are almost separable
            tried = [weight + share * change for weight, change in zip(weights, step, strict=True)]
            reached = _objective(rows, tried, penalty)
            if reached >= value or share < TOLERANCE:
                break
            share /= 2
        weights, value = tried, reached
        if max(map(abs, step)) < TOLERANCE:
            break
    return Fit(weights[features], weights[:features])


Row = tuple[list[int], int, int]


def _objective(rows: Sequence[Row], weights: Sequence[float], penalty: float) -> float:
    total = -penalty / 2 * sum(weight * weight for weight in weights[:-1])
    for has, leads, converted in rows:
        odds = sum(weights[number] for number in has)
        total += converted * odds - leads * _log_of_one_plus_exp(odds)
    return total


def _newton_step(rows: Sequence[Row], weights: Sequence[float], penalty: float) -> list[float]:
    size = len(weights)
    gradient = [-penalty * weight for weight in weights]
    gradient[-1] = 0.0
    curvature = [[0.0] * size for _ in range(size)]
    for number in range(size - 1):
        curvature[number][number] = penalty
    for has, leads, converted in rows:
        chance = _sigmoid(sum(weights[number] for number in has))
        residual, weight = converted - leads * chance, leads * chance * (1 - chance)
        for place, first in enumerate(has):
            gradient[first] += residual
            row = curvature[first]
            for second in has[place:]:
                row[second] += weight
    for first in range(size):
        for second in range(first):
            curvature[first][second] = curvature[second][first]
    return _solve(curvature, gradient)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Return the solution of a symmetric, positive definite system, by Cholesky's decomposition."""
    size = len(right)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(max(rest, 1e-12)) if i == j else rest / lower[j][j]
    forward = [0.0] * size
    for i in range(size):
        forward[i] = (right[i] - sum(lower[i][k] * forward[k] for k in range(i))) / lower[i][i]
    solution = [0.0] * size
    for i in reversed(range(size)):
        rest = forward[i] - sum(lower[k][i] * solution[k] for k in range(i + 1, size))
        solution[i] = rest / lower[i][i]
    return solution


def _sigmoid(odds: float) -> float:
    if odds >= 0:
        return 1 / (1 + math.exp(-odds))
    small = math.exp(odds)
    return small / (1 + small)


def _log_of_one_plus_exp(odds: float) -> float:
    return max(odds, 0.0) + math.log1p(math.exp(-abs(odds)))
