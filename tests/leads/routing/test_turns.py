"""Whatever the availability, turns stay fair: figures of `behind` add up, nobody drifts away, nobody gets three."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leads.routing.turns import LEAD, Player, Streak, apply, next_by_open_leads, next_by_turns

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
KEYS = "abcdef"
Pattern = list[set[str]]


def patterns(size: int) -> st.SearchStrategy[Pattern]:
    """Return who is eligible at each lead; nobody is now and then."""
    return st.lists(st.sets(st.sampled_from(KEYS[:size])), min_size=1, max_size=120)


@st.composite
def teams(draw: st.DrawFn, weights: st.SearchStrategy[int]) -> tuple[list[Player], Pattern]:
    size = draw(st.integers(1, len(KEYS)))
    return [Player(key, draw(weights)) for key in KEYS[:size]], draw(patterns(size))


def deal_all(players: Sequence[Player], pattern: Pattern) -> list[tuple[str, int]]:
    """Deal a lead at each place of the pattern. Return who got it, and how many were eligible."""
    streak, dealt = Streak(), []
    for number, present in enumerate(pattern):
        eligible = [player for player in players if player.key in present]
        if eligible:
            turn = next_by_turns(eligible, streak)
            apply(turn, eligible, streak, START + timedelta(minutes=number))
            dealt.append((turn.winner.key, len(eligible)))
    return dealt


def check_fairness(players: Sequence[Player], pattern: Pattern) -> None:
    dealt = deal_all(players, pattern)
    weights = {player.key: player.weight for player in players}
    expected = dict.fromkeys(weights, Fraction(0))
    for present in filter(None, pattern):
        total = sum(weights[key] for key in present)
        for key in present:
            expected[key] += Fraction(weights[key], total)
    received = {key: sum(1 for winner, _ in dealt if winner == key) for key in weights}
    for player in players:
        off = expected[player.key] - received[player.key]
        assert abs(off) < 2
        assert abs(off - Fraction(player.behind, LEAD)) < Fraction(1, 1000)
    assert sum(player.behind for player in players) == 0


def check_rows(players: Sequence[Player], pattern: Pattern) -> None:
    dealt = deal_all(players, pattern)
    for first, second, third in zip(dealt, dealt[1:], dealt[2:], strict=False):
        if min(first[1], second[1], third[1]) > 1:
            assert len({first[0], second[0], third[0]}) > 1


any_weight = teams(st.integers(1, 9))
equal_weights = teams(st.just(1))


@settings(max_examples=25, deadline=None)
@given(any_weight)
def test_nobody_is_off_by_two_turns_whoever_is_there(team: tuple[list[Player], Pattern]) -> None:
    check_fairness(*team)


@settings(max_examples=25, deadline=None)
@given(equal_weights)
def test_with_equal_weights_nobody_gets_three_in_a_row_while_another_is_eligible(
    team: tuple[list[Player], Pattern],
) -> None:
    check_rows(*team)


@pytest.mark.fault
@settings(max_examples=600, deadline=None)
@given(any_weight, equal_weights)
def test_turns_are_fair_over_hundreds_of_patterns(
    weighted: tuple[list[Player], Pattern], equal: tuple[list[Player], Pattern]
) -> None:
    check_fairness(*weighted)
    check_rows(*equal)


def test_equal_weights_take_turns_and_unequal_ones_are_spread_smoothly() -> None:
    assert [key for key, _ in deal_all([Player(key, 1) for key in "abc"], [{*"abc"}] * 6)] == [*"abcabc"]
    heavy = [key for key, _ in deal_all([Player("a", 5), Player("b", 1), Player("c", 1)], [{*"abc"}] * 7)]
    assert "".join(heavy) == "aabacaa"


def test_a_returning_member_is_not_flooded() -> None:
    """Who was away for forty leads owes nothing and is owed nothing."""
    players = [Player(key, 1) for key in "abc"]
    dealt = deal_all(players, [{"a", "b", "c"}] * 6 + [{"a", "b"}] * 40 + [{"a", "b", "c"}] * 6)
    after = [key for key, _ in dealt[46:]]
    assert sorted(after) == [*"aabbcc"]
    assert all(one != other for one, other in pairwise(after))


def test_a_hundred_leads_at_once_are_spread_over_the_pool() -> None:
    players = [Player(key, weight) for key, weight in zip("abcd", (1, 2, 3, 4), strict=True)]
    dealt = [key for key, _ in deal_all(players, [{*"abcd"}] * 100)]
    assert {key: dealt.count(key) for key in "abcd"} == {"a": 10, "b": 20, "c": 30, "d": 40}


def test_ties_go_to_fewer_open_leads_then_to_the_longest_wait_then_to_the_smaller_id() -> None:
    players = [Player("a", 1, open_leads=3), Player("b", 1, open_leads=2)]
    assert next_by_turns(players, Streak()).winner.key == "b"
    waiting = [Player("a", 1, last_at=START), Player("b", 1, last_at=START - timedelta(hours=1))]
    assert next_by_turns(waiting, Streak()).winner.key == "b"
    assert next_by_turns([Player("b", 1), Player("a", 1)], Streak()).winner.key == "a"


def test_least_open_counts_open_leads_for_the_weight() -> None:
    players = [Player("a", 1, open_leads=4), Player("b", 3, open_leads=9), Player("c", 1, open_leads=4)]
    turn = next_by_open_leads(players)
    apply(turn, players, Streak(), START)
    assert (turn.winner.key, turn.winner.open_leads, turn.winner.behind) == ("b", 10, 0)
    assert next_by_open_leads(players).winner.key == "b"
