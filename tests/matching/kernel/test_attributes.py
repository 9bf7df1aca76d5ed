"""The rules and points of the attribute form, pair by pair, and what is told about them."""

from __future__ import annotations

from math import isqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.kernel.oracle import (
    attribute_arrays,
    attribute_problems,
    attribute_weights,
    broken_rules,
    points,
)
from timebank.matching.kernel import (
    FORBIDDEN,
    AttributeProblem,
    ProblemError,
    explain_pair,
    explain_seat,
    solve,
    verify_solution,
)
from timebank.matching.kernel.candidates import blocks, integer_sqrt
from timebank.matching.kernel.explain import RULES


def found(problem: AttributeProblem) -> dict[tuple[int, int], int]:
    result = {}
    for _, block in blocks(problem):
        result.update({(i, j): w for i, j, w in zip(*(column.tolist() for column in block), strict=True)})
    return result


def one_pair(**changes: Any) -> AttributeProblem:
    """A seat and a pledge that fit, unless a change says otherwise."""
    arrays: dict[str, Any] = {
        "seat_must": np.array([[3]], np.uint64), "pledge_skills": np.array([[7]], np.uint64),
        "seat_languages": [1], "pledge_languages": [3],
        "seat_x": [0], "seat_y": [0], "pledge_x": [30], "pledge_y": [40], "pledge_radius": [50],
        "seat_remote": [False], "pledge_remote": [False],
        "seat_from": [0], "seat_until": [28], "pledge_from": [0], "pledge_until": [100],
        "seat_week": [0b11], "pledge_week": [0b110], "seat_hours": [32], "pledge_capacity": [32],
        "seat_request": [5], "seat_org": [1], "pledge_org": [2],
        "w_base": 100, "w_nice": 7, "w_cause": 5, "w_near": 10, "w_near_metres": 100, "w_remote": 3,
    }  # fmt: skip
    arrays.update(changes)
    arrays["seat_remote"], arrays["pledge_remote"] = (
        np.array(arrays["seat_remote"]),
        np.array(arrays["pledge_remote"]),
    )
    return AttributeProblem(**arrays)


@settings(max_examples=200, deadline=None)
@given(attribute_problems(largest=7))
def test_candidates_and_weights_are_those_of_the_rules(problem: AttributeProblem) -> None:
    assert found(problem) == attribute_weights(problem)


@settings(max_examples=60, deadline=None)
@given(attribute_problems(largest=4))
def test_a_pair_is_explained_by_its_rules_and_points(problem: AttributeProblem) -> None:
    for i in range(problem.n_seats):
        for j in range(problem.n_pledges):
            told = explain_pair(problem, i, j)
            weight = points(problem, i, j)
            assert sum(told.terms.values()) == weight
            assert list(told.broken) == broken_rules(problem, i, j) + ["weight"] * (weight < 1)
            assert told.candidate == (not told.broken)
            assert told.weight == (weight if told.candidate else 0)
            assert ("near" in told.terms) == told.on_site != ("remote" in told.terms)


@settings(max_examples=60, deadline=None)
@given(attribute_problems(largest=6))
def test_a_seat_is_explained_by_what_each_rule_leaves(problem: AttributeProblem) -> None:
    weights = attribute_weights(problem)
    for i in range(problem.n_seats):
        told = explain_seat(problem, i)
        left = list(range(problem.n_pledges))
        for rule, count in told.steps:
            left = [j for j in left if rule not in explain_pair(problem, i, j).broken]
            assert count == len(left)
        assert told.candidates == len([1 for seat, _ in weights if seat == i])
        assert (told.emptied_by is None) == (told.candidates > 0)


def test_a_seat_without_candidates_names_the_first_rule_that_leaves_nobody() -> None:
    assert explain_seat(one_pair(), 0).emptied_by is None
    assert explain_seat(one_pair(pledge_radius=[49], pledge_org=[1]), 0).emptied_by == "place"
    nobody = AttributeProblem(**attribute_arrays(np.random.default_rng(0), 2, 0))
    assert explain_seat(nobody, 1).emptied_by == "no_pledges"
    assert [rule for rule, _ in explain_seat(one_pair(), 0).steps] == list(RULES)


@pytest.mark.parametrize(("seat", "pledge"), [(1, 0), (-1, 0), (0, 1)])
def test_a_pair_that_does_not_exist_is_no_pair(seat: int, pledge: int) -> None:
    with pytest.raises(IndexError):
        explain_pair(one_pair(), seat, pledge)


EDGES_OF_RULES = {
    "skills": (
        {"seat_must": np.array([[7]], np.uint64)},
        {"seat_must": np.array([[8]], np.uint64)},
    ),
    "languages": ({"seat_languages": [2]}, {"seat_languages": [4]}),
    "place": ({"pledge_radius": [50]}, {"pledge_radius": [49]}),
    "window": (
        {"seat_from": [0], "seat_until": [1], "seat_hours": [8]},
        {"seat_from": [0], "pledge_from": [28], "seat_hours": [8]},
    ),
    "capacity": ({"pledge_capacity": [32]}, {"pledge_capacity": [31]}),
    "week": ({"seat_until": [28]}, {"seat_until": [27]}),
    "monthly": ({"pledge_monthly": [32]}, {"pledge_monthly": [31]}),
    "own_organisation": ({"pledge_org": [0]}, {"pledge_org": [1]}),
    "excluded_cause": (
        {"seat_causes": [1], "pledge_excluded_causes": [2]},
        {"seat_causes": [3], "pledge_excluded_causes": [2]},
    ),
    "excluded_company": (
        {"excluded_request": [5, 4], "excluded_org": [3, 2]},
        {"excluded_request": [4, 5], "excluded_org": [3, 2]},
    ),
    "excluded_pair": (
        {"pair_request": [4], "pair_pledge": [0], "pair_bonus": [FORBIDDEN]},
        {"pair_request": [5, 5], "pair_pledge": [0, 0], "pair_bonus": [FORBIDDEN, 900]},
    ),
    "weight": ({"seat_bonus": [-104]}, {"seat_bonus": [-105]}),
}


@pytest.mark.parametrize("rule", EDGES_OF_RULES)
def test_each_rule_bites_exactly_at_its_edge(rule: str) -> None:
    inside, outside = EDGES_OF_RULES[rule]
    assert explain_pair(one_pair(**inside), 0, 0).broken == ()
    assert explain_pair(one_pair(**outside), 0, 0).broken == (rule,)
    for changes, value in ((inside, 1), (outside, 0)):
        problem = one_pair(**changes)
        answer = solve(problem)
        assert np.count_nonzero(answer.seat_pledge >= 0) == value
        assert verify_solution(problem, answer).value == answer.value


def test_the_points_of_a_pair_by_name() -> None:
    problem = one_pair(
        seat_nice=np.array([[14]], np.uint64), seat_causes=[6], pledge_causes=[7], seat_bonus=[11],
        pair_request=[5, 5, 5], pair_pledge=[0, 0, 0], pair_bonus=[1, 2, 3],
    )  # fmt: skip
    told = explain_pair(problem, 0, 0)
    assert told.terms == {
        "base": 100, "nice_skills": 14, "causes": 10, "near": 5, "seat_bonus": 11, "pair_bonus": 6,
    }  # fmt: skip
    assert (told.weight, told.distance, told.on_site) == (146, 50, True)
    remote = one_pair(pledge_radius=[49], seat_remote=[True], pledge_remote=[True])
    assert explain_pair(remote, 0, 0).terms["remote"] == 3


def test_a_pledge_near_by_that_also_works_remotely_gets_the_points_of_being_near() -> None:
    told = explain_pair(one_pair(seat_remote=[True], pledge_remote=[True]), 0, 0)
    assert told.on_site
    assert told.terms["near"] == 5


@pytest.mark.parametrize("far", [2**31 - 1, -(2**31)])
def test_coordinates_at_the_ends_of_int32_do_not_overflow(far: int) -> None:
    apart = one_pair(
        seat_x=[far], seat_y=[far], pledge_x=[-1 - far], pledge_y=[-1 - far], pledge_radius=[2**31 - 1]
    )
    assert explain_pair(apart, 0, 0).broken == ("place",)
    near = one_pair(seat_x=[far], pledge_x=[far], pledge_y=[0], pledge_radius=[2**31 - 1])
    assert explain_pair(near, 0, 0).distance == 0
    for problem in (apart, near):
        assert verify_solution(problem, solve(problem)).value == solve(problem).value


@given(st.lists(st.integers(0, 2**63 - 1), max_size=20))
def test_integer_roots_are_exact(numbers: list[int]) -> None:
    edges = [
        square + d
        for root in (1, 2**26 + 1, 2**31 - 1, 3_037_000_499)
        for square in [root * root]
        for d in (-1, 0)
    ]
    squares = np.array([*numbers, *edges, 0, 2**63 - 1], np.int64)
    assert integer_sqrt(squares).tolist() == [isqrt(n) for n in squares.tolist()]


def test_a_weight_of_two_to_the_fortieth_is_the_largest() -> None:
    at_limit = one_pair(w_base=2**40 - 5)
    assert solve(at_limit).value == 2**40
    assert verify_solution(at_limit, solve(at_limit)).value == 2**40
    with pytest.raises(ProblemError, match=r"seat 0 and pledge 0 weigh 1099511627777, above 2\^40"):
        solve(one_pair(w_base=2**40 - 4))
    assert solve(one_pair(w_base=2**40, pledge_org=[1])).value == 0


def test_huge_bonuses_neither_overflow_nor_hide() -> None:
    star = {"pair_request": [5] * 3, "pair_pledge": [0] * 3}
    assert solve(one_pair(**star, pair_bonus=[-(2**63) + 1] * 3)).value == 0
    assert solve(one_pair(**star, pair_bonus=[-(2**62), 2**62, 7])).value == 112
    with pytest.raises(ProblemError, match=r"above 2\^40"):
        solve(one_pair(**star, pair_bonus=[2**63 - 1] * 3))
    with pytest.raises(ProblemError, match=r"above 2\^40"):
        solve(one_pair(seat_bonus=[2**63 - 1]))
    assert solve(one_pair(seat_bonus=[-(2**63)])).value == 0


def test_seats_of_one_request_share_its_exceptions() -> None:
    arrays = attribute_arrays(np.random.default_rng(4), 6, 4)
    arrays.update(seat_request=[1] * 6, pair_request=[1], pair_pledge=[2], pair_bonus=[FORBIDDEN])
    assert all(j != 2 for _, j in found(AttributeProblem(**arrays)))
