"""Blocking pairs and runners-up, beside the definition in plain Python."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.matching.kernel.oracle import attribute_problems, attribute_weights, number
from timebank.matching.kernel import Assignment, AttributeProblem, solve
from timebank.matching.kernel.stability import Stars, blocking_pairs, runners_up


def views(p: AttributeProblem, i: int, j: int, stars: Stars) -> tuple[int, int]:
    """How much pledge j likes seat i, and seat i pledge j."""
    dx, dy = int(p.seat_x[i]) - int(p.pledge_x[j]), int(p.seat_y[i]) - int(p.pledge_y[j])
    squared = dx * dx + dy * dy
    if squared <= int(p.pledge_radius[j]) ** 2:
        place = p.w_near * max(0, p.w_near_metres - int(np.sqrt(squared))) // p.w_near_metres
    else:
        place = p.w_remote
    pair = (int(p.seat_request[i]), j)
    causes = (int(p.seat_causes[i]) & int(p.pledge_causes[j])).bit_count()
    nice = (number(p.seat_nice[i]) & number(p.pledge_skills[j])).bit_count()
    liked = place + p.w_cause * causes + stars.points * (pair in stars.by_pledge)
    wanted = place + p.w_nice * nice + stars.points * (pair in stars.by_request)
    return liked, wanted


def blocking(p: AttributeProblem, chosen: list[int], stars: Stars, *, single: bool) -> int:
    hours = [1] * p.n_seats if single else p.seat_hours.tolist()
    capacity = [1] * p.n_pledges if single else p.pledge_capacity.tolist()
    found = set()
    for i, j in attribute_weights(p):
        liked, wanted = views(p, i, j, stars)
        if chosen[i] >= 0 and wanted <= views(p, i, chosen[i], stars)[1]:
            continue
        held = [k for k, holder in enumerate(chosen) if holder == j]
        if any(p.seat_request[k] == p.seat_request[i] for k in held):
            continue
        free = capacity[j] - sum(hours[k] for k in held)
        if hours[i] <= free or any(
            views(p, k, j, stars)[0] < liked and hours[i] <= free + hours[k] for k in held
        ):
            found.add((int(p.seat_request[i]), j))
    return len(found)


def starred(p: AttributeProblem, seed: int) -> Stars:
    """Some stars of either side, by chance."""
    rng = np.random.default_rng(seed)
    pairs = [(int(r), j) for r in set(p.seat_request.tolist()) for j in range(p.n_pledges)]
    by_pledge, by_request = ({pair for pair in pairs if rng.random() < 0.3} for _side in range(2))
    return Stars(by_pledge, by_request, int(rng.integers(0, 12)))


SEEDS = st.integers(0, 2**32 - 1)


@given(attribute_problems(), SEEDS)
def test_blocking_pairs_are_those_of_the_definition(problem: AttributeProblem, seed: int) -> None:
    stars = starred(problem, seed)
    answer = solve(problem)
    expected = blocking(problem, answer.seat_pledge.tolist(), stars, single=True)
    assert blocking_pairs(problem, answer, stars) == expected


@given(attribute_problems(), SEEDS)
def test_blocking_pairs_of_bundles_are_those_of_the_definition(problem: AttributeProblem, seed: int) -> None:
    rng = np.random.default_rng(seed)
    stars = starred(problem, seed)
    chosen = [-1] * problem.n_seats
    free = problem.pledge_capacity.tolist()
    busy = set()
    for i, j in sorted(attribute_weights(problem)):
        key = (int(problem.seat_request[i]), j)
        if chosen[i] < 0 and problem.seat_hours[i] <= free[j] and key not in busy and rng.random() < 0.6:
            chosen[i] = j
            free[j] -= int(problem.seat_hours[i])
            busy.add(key)
    answer = replace(solve(problem), seat_pledge=np.array(chosen, np.int32), mode="bundle")  # type: ignore[arg-type]
    assert blocking_pairs(problem, answer, stars) == blocking(problem, chosen, stars, single=False)


@given(attribute_problems(), st.integers(1, 3))
def test_runners_up_are_the_best_of_the_others(problem: AttributeProblem, most: int) -> None:
    answer = solve(problem)
    chosen = answer.seat_pledge.tolist()
    weights = attribute_weights(problem)
    expected = []
    for i, own in enumerate(chosen):
        if own < 0:
            continue
        busy = {chosen[k] for k in range(len(chosen)) if problem.seat_request[k] == problem.seat_request[i]}
        others = [
            (int(answer.seat_price[i] + answer.pledge_price[j]) - w, i, w)
            for (k, j), w in weights.items()
            if k == i and j not in busy
        ]
        expected += [(i, less) for less, _i, _w in sorted(others)[:most]]
    found = runners_up(problem, answer, most)
    assert list(zip(found.seat.tolist(), found.less.tolist(), strict=True)) == expected
    assert all(
        weights[i, j] == w
        for i, j, w in zip(found.seat.tolist(), found.pledge.tolist(), found.weight.tolist(), strict=True)
    )
    assert (found.less >= 0).all()


def test_an_answer_to_nothing_blocks_nothing() -> None:
    from timebank.matching.kernel import generate

    made = generate(0, 0, 1, attributes=True).problem
    assert isinstance(made, AttributeProblem)
    answer: Assignment = solve(made)
    assert blocking_pairs(made, answer) == 0
    assert runners_up(made, answer).seat.size == 0


@pytest.mark.parametrize("seed", range(2))
def test_a_larger_instance_is_judged_in_blocks(seed: int) -> None:
    from timebank.matching.kernel import generate

    made = generate(60, 40, seed, attributes=True).problem
    assert isinstance(made, AttributeProblem)
    answer = solve(made)
    assert blocking_pairs(made, answer) == blocking(made, answer.seat_pledge.tolist(), Stars(), single=True)
