"""What prices tell: the next best of a pair, what one more is worth, who is outbid by how much, what a policy costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.matching.kernel.oracle import attribute_problems, attribute_weights, best_value, points
from tests.matching.kernel.test_attributes import one_pair
from timebank.matching.kernel import AttributeProblem, market, price_of_fairness, prices, rivals, solve
from timebank.matching.kernel.generate import generate_attributes

instances = st.one_of(
    attribute_problems(largest=5),
    st.builds(
        lambda seed, scarce: generate_attributes(6, 5, seed, scarce=scarce),
        st.integers(0, 2**30),
        st.booleans(),
    ),
)


def optimum(weights: dict[tuple[int, int], int], n_seats: int) -> int:
    return best_value(weights, n_seats)


@settings(max_examples=60, deadline=None)
@given(instances)
def test_the_next_best_of_each_pair_is_the_one_of_greatest_profit(problem: AttributeProblem) -> None:
    weights, answer = attribute_weights(problem), solve(problem)
    told = rivals(problem, answer)
    u, v = answer.seat_price.tolist(), answer.pledge_price.tolist()
    request = problem.seat_request.tolist()
    for i, j in enumerate(answer.seat_pledge.tolist()):
        if j < 0:
            assert told.pledge[i] == -1
            continue
        seats = {k: w - u[k] for (k, p), w in weights.items() if p == j and request[k] != request[i]}
        pledges = {p: w - v[p] for (k, p), w in weights.items() if k == i and p != j}
        assert _next(seats, v[j]) == (told.seat[j], told.seat_behind[j])
        assert _next(pledges, u[i]) == (told.pledge[i], told.pledge_behind[i])


def _next(profits: dict[int, int], own: int) -> tuple[int, int]:
    if not profits:
        return -1, 0
    best = max(profits.values())
    return min(k for k, profit in profits.items() if profit == best), own - best


@settings(max_examples=30, deadline=None)
@given(instances)
def test_to_insist_on_the_next_best_costs_at_least_what_it_is_behind(problem: AttributeProblem) -> None:
    weights, answer = attribute_weights(problem), solve(problem)
    told = rivals(problem, answer)
    forced = [(int(told.seat[j]), j, int(told.seat_behind[j])) for j in answer.seat_pledge.tolist() if j >= 0]
    forced += [(i, int(p), int(told.pledge_behind[i])) for i, p in enumerate(told.pledge.tolist())]
    for i, j, behind in forced:
        if i >= 0 and j >= 0:
            rest = {(k, p): w for (k, p), w in weights.items() if k != i and p != j}
            assert weights[i, j] + optimum(rest, problem.n_seats) <= answer.value - behind


@settings(max_examples=30, deadline=None)
@given(instances)
def test_a_price_is_what_one_less_costs_and_what_one_more_brings(problem: AttributeProblem) -> None:
    weights, answer = attribute_weights(problem), solve(problem)
    ranges = market(problem, answer).ranges
    assert ranges.exact
    for j in range(problem.n_pledges):
        without = optimum({pair: w for pair, w in weights.items() if pair[1] != j}, problem.n_seats)
        twin = {(i, -1): w for (i, p), w in weights.items() if p == j}
        assert ranges.pledge_high[j] == answer.value - without
        assert ranges.pledge_low[j] == optimum({**weights, **twin}, problem.n_seats) - answer.value
    for i in range(problem.n_seats):
        without = optimum({pair: w for pair, w in weights.items() if pair[0] != i}, problem.n_seats)
        twin = {(problem.n_seats, p): w for (k, p), w in weights.items() if k == i}
        assert ranges.seat_high[i] == answer.value - without
        assert ranges.seat_low[i] == optimum({**weights, **twin}, problem.n_seats + 1) - answer.value


@settings(max_examples=40, deadline=None)
@given(instances)
def test_outbid_is_the_bonus_that_just_does_not_make_room(problem: AttributeProblem) -> None:
    weights, answer = attribute_weights(problem), solve(problem)
    outbid = market(problem, answer).outbid
    chosen = answer.seat_pledge.tolist()
    for side, size, amounts in (
        (0, problem.n_seats, outbid.seat.tolist()),
        (1, problem.n_pledges, outbid.pledge.tolist()),
    ):
        for k in range(size):
            left = chosen[k] < 0 if side == 0 else k not in chosen
            fits = any(pair[side] == k for pair in weights)
            assert (amounts[k] >= 0) == (left and fits)
            if amounts[k] >= 0:

                def best(bonus: int, k: int = k, side: int = side) -> int:
                    raised = {pair: w + bonus * (pair[side] == k) for pair, w in weights.items()}
                    return optimum(raised, problem.n_seats)

                assert best(amounts[k]) == answer.value
                assert best(amounts[k] + 1) > answer.value


def test_with_too_many_candidates_the_certificate_s_own_prices_have_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = generate_attributes(40, 200, 3)
    answer = solve(problem)
    exact = market(problem, answer)
    monkeypatch.setattr(prices, "MOST_PAIRS", 5)
    rough = market(problem, answer)
    assert not rough.ranges.exact
    assert rough.ranges.seat_low.tolist() == answer.seat_price.tolist()
    assert ((rough.outbid.seat >= 0) == (exact.outbid.seat >= 0)).all()
    assert (rough.outbid.seat <= exact.outbid.seat).all()
    assert (rough.outbid.pledge <= exact.outbid.pledge).all()
    assert exact.outbid.seat.max() > 0


# --- fairness ---------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(instances)
def test_the_price_of_fairness_is_the_difference_of_two_optima_in_base_weights(
    problem: AttributeProblem,
) -> None:
    answer = solve(problem)
    told = price_of_fairness(problem, answer)
    plain = replace(problem, seat_bonus=np.zeros(problem.n_seats, np.int64))
    assert told.without == optimum(attribute_weights(plain), problem.n_seats)
    pairs = [(i, j) for i, j in enumerate(answer.seat_pledge.tolist()) if j >= 0]
    assert told.with_policy == sum(points(plain, i, j) for i, j in pairs) <= told.without
    assert told.seats_with == len(pairs)
    if not problem.seat_bonus.any():
        assert told.share == 0


def test_a_policy_that_prefers_one_seat_costs_what_the_other_would_have_brought() -> None:
    two = one_pair(
        seat_must=np.array([[3], [3]], np.uint64), seat_nice=np.array([[0], [4]], np.uint64),
        seat_languages=[1, 1], seat_x=[0, 0], seat_y=[0, 0], seat_remote=[False, False], seat_from=[0, 0],
        seat_until=[28, 28], seat_week=[3, 3], seat_hours=[1, 1], seat_request=[1, 2], seat_org=[1, 1],
        seat_bonus=[50, 0],
    )  # fmt: skip
    told = price_of_fairness(two, solve(two))
    assert (told.without - told.with_policy, told.seats_with) == (two.w_nice, 1)
    assert told.share == pytest.approx(7 / 112)


def _day(waiting: int, seats: list[dict[str, int]], today: int) -> AttributeProblem:
    """One pledge that fits all; each seat has its own base weight and has waited since it was asked."""
    n = len(seats)
    arrays: dict[str, Any] = {
        "seat_must": np.zeros((n, 1), np.uint64),
        "seat_nice": np.array([(1 << s["nice"]) - 1 for s in seats], np.uint64).reshape(n, 1),
        "seat_languages": [1] * n, "seat_x": [0] * n, "seat_y": [0] * n, "seat_remote": np.ones(n, np.bool_),
        "seat_from": [0] * n, "seat_until": [999] * n, "seat_week": [3] * n, "seat_hours": [1] * n,
        "seat_request": list(range(n)), "seat_org": [1] * n,
        "seat_bonus": [waiting * (today - s["asked"]) for s in seats],
        "pledge_skills": np.array([[2**20 - 1]], np.uint64),
    }  # fmt: skip
    return one_pair(**arrays)


def days_until_served(waiting: int, arrivals: list[list[int]], most: int) -> list[int | None]:
    """Replay: each day some seats are asked (each by its number of welcome skills), and one pledge is matched."""
    seats: list[dict[str, int]] = []
    served: dict[int, int] = {}
    for today in range(most):
        for nice in arrivals[today] if today < len(arrivals) else arrivals[-1]:
            seats.append({"id": len(seats) + len(served), "nice": nice, "asked": today})
        answer = solve(_day(waiting, seats, today))
        for k in [k for k, j in enumerate(answer.seat_pledge.tolist()) if j >= 0]:
            served[seats[k]["id"]] = today
            del seats[k]
    return [served.get(k) for k in range(len(served) + len(seats))]


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 10),
    st.lists(st.lists(st.integers(0, 5), min_size=0, max_size=2), min_size=1, max_size=12),
)
def test_every_seat_is_served_as_soon_as_the_bound_says(waiting: int, arrivals: list[list[int]]) -> None:
    """The bound of the proof: those asked before a seat, or less than D/w days after it, come first at most."""
    assume(arrivals[0])
    spread = 7 * (max(n for day in arrivals for n in day) - min(n for day in arrivals for n in day))
    asked = [day for day, some in enumerate(arrivals) for _seat in some]
    later = spread // waiting + 1

    def bound(seat: int) -> int:
        ahead = sum(day < asked[seat] + later for day in asked)
        return asked[seat] + ahead

    most = max(bound(seat) for seat in range(len(asked))) + 1
    served = days_until_served(waiting, [*arrivals, []], most)
    assert all(day is not None and day <= bound(seat) for seat, day in enumerate(served))


def test_a_plain_seat_is_served_under_a_waiting_term_however_many_better_ones_come() -> None:
    """Each day a seat is asked that is worth 35 points more: without the term the plain one starves."""
    plain_and_better = [[0, 5], *[[5]] * 60]
    assert days_until_served(0, plain_and_better, 60)[0] is None
    assert days_until_served(1, plain_and_better, 60)[0] in (35, 36)
    assert days_until_served(5, plain_and_better, 60)[0] in (7, 8)


def test_a_seat_is_served_although_more_is_asked_than_is_given() -> None:
    """Two better seats a day and one pledge: the queue grows without end, and still nobody is passed over."""
    served = days_until_served(10, [[0], *[[5, 5]] * 40], 40)
    assert served[0] is not None
    assert served[0] <= 10
