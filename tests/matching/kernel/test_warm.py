"""The optimum that is kept: after any changes it is the one that a fresh solution finds, and proved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.matching.kernel.oracle import attribute_arrays
from timebank.matching.kernel import (
    FORBIDDEN,
    AttributeProblem,
    ProblemError,
    generate,
    solve,
    verify_solution,
)
from timebank.matching.kernel.native.warm import WarmState

CHANGES = ("forbid", "remove_seat", "remove_pledge", "set_capacity", "add_seat", "add_pledge")


def one_of(problem: AttributeProblem, side: str, index: int) -> dict[str, Any]:
    """The attributes of one seat or pledge, as a new one has them."""
    names = (name for name in vars(problem) if name.startswith(side) and name != "seat_bonus")
    return {name: getattr(problem, name)[index] for name in names}


def change(state: WarmState, kind: str, donor: AttributeProblem, rng: np.random.Generator) -> None:
    problem = state.problem
    if kind == "add_seat":
        state.add_seat(one_of(donor, "seat_", int(rng.integers(donor.n_seats))))
    elif kind == "add_pledge":
        pledge = state.add_pledge(one_of(donor, "pledge_", int(rng.integers(donor.n_pledges))))
        if rng.random() < 0.5:
            request = int(rng.choice(problem.seat_request))
            state.set_pair(request, pledge, int(rng.choice([FORBIDDEN, 300])))
    elif kind == "remove_seat":
        state.remove_seat(int(rng.integers(problem.n_seats)))
    elif kind == "remove_pledge":
        state.remove_pledge(int(rng.integers(problem.n_pledges)))
    elif kind == "set_capacity":
        state.set_capacity(int(rng.integers(problem.n_pledges)), int(rng.choice([0, 8, 16, 40, 200])))
    else:
        chosen = state.assignment().seat_pledge
        placed = np.flatnonzero(chosen >= 0)
        if placed.size:
            seat = int(rng.choice(placed))
            state.forbid(int(problem.seat_request[seat]), int(chosen[seat]))


def assert_optimal(state: WarmState) -> None:
    problem, answer = state.problem, state.assignment()
    assert answer.value == solve(problem, engine="scipy").value
    assert verify_solution(problem, answer).value == answer.value


@settings(max_examples=150, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.tuples(st.sampled_from(CHANGES), st.booleans()), min_size=1, max_size=12),
)
def test_after_any_changes_it_is_the_optimum_of_a_fresh_solution(
    seed: int, changes: list[tuple[str, bool]]
) -> None:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, 2)
    state = WarmState(AttributeProblem(**attribute_arrays(rng, *sizes)))
    donor = AttributeProblem(**attribute_arrays(rng, 4, 4))
    for kind, looked_at in changes:
        change(state, kind, donor, rng)
        if looked_at:
            assert_optimal(state)
    assert_optimal(state)


@pytest.mark.parametrize(
    ("pledges", "seats", "scarce"), [(400, 150, False), (150, 400, True), (250, 250, False)]
)
def test_many_changes_in_a_realistic_problem(pledges: int, seats: int, scarce: bool) -> None:
    rng = np.random.default_rng(pledges)
    problem = generate(pledges, seats, 8, scarce=scarce, attributes=True).problem
    donor = generate(30, 30, 9, scarce=scarce, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    assert isinstance(donor, AttributeProblem)
    state = WarmState(problem)
    for turn in range(60):
        change(state, str(rng.choice(CHANGES)), donor, rng)
        if turn % 6 == 5:
            assert_optimal(state)


def test_a_decline_frees_the_seat_for_the_next_best() -> None:
    problem = generate(300, 100, 2, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    state = WarmState(problem)
    before = state.assignment()
    seat = int(np.flatnonzero(before.seat_pledge >= 0)[0])
    request, pledge = int(problem.seat_request[seat]), int(before.seat_pledge[seat])
    state.forbid(request, pledge)
    after = state.assignment()
    assert after.value <= before.value
    assert pledge not in after.seat_pledge[problem.seat_request == request]
    assert state.problem.pair_bonus[-1] == FORBIDDEN


def test_a_pledge_that_comes_back_after_a_decline_stays_away_from_the_other_seats_of_the_request() -> None:
    problem = generate(300, 100, 2, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    state = WarmState(problem)
    seat = int(np.flatnonzero(state.assignment().seat_pledge >= 0)[0])
    pledge = int(state.assignment().seat_pledge[seat])
    for other in np.flatnonzero(np.arange(300) != pledge):
        state.remove_pledge(int(other))
    state.remove_pledge(pledge)
    again = state.add_pledge(one_of(problem, "pledge_", pledge))
    for request in np.unique(problem.seat_request).tolist():
        state.forbid(request, again)
    assert state.assignment().value == 0
    assert_optimal(state)


def test_numbers_stay_and_new_ones_come_after_them() -> None:
    problem = generate(60, 40, 2, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    state = WarmState(problem)
    state.remove_pledge(3)
    state.remove_seat(5)
    assert state.add_pledge(one_of(problem, "pledge_", 3)) == 60
    assert state.add_seat(one_of(problem, "seat_", 5)) == 40
    answer = state.assignment()
    assert (answer.seat_pledge.size, answer.pledge_price.size) == (41, 61)
    assert answer.seat_pledge[5] == -1
    assert 3 not in answer.seat_pledge
    assert_optimal(state)


def test_the_problem_that_it_began_with_is_not_changed() -> None:
    problem = generate(60, 40, 2, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    before = {name: np.copy(value) for name, value in vars(problem).items()}
    state = WarmState(problem)
    rng = np.random.default_rng(1)
    for kind in CHANGES:
        change(state, kind, problem, rng)
    state.assignment()
    assert all(np.array_equal(getattr(problem, name), value) for name, value in before.items())


def test_what_is_malformed_is_refused_and_changes_nothing() -> None:
    problem = generate(60, 40, 2, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    state = WarmState(problem)
    value = state.assignment().value
    placed = int(np.flatnonzero(state.assignment().seat_pledge >= 0)[0])
    pledge = one_of(problem, "pledge_", 0)
    with pytest.raises(ProblemError, match="array pledge_x is missing"):
        state.add_pledge({name: value for name, value in pledge.items() if name != "pledge_x"})
    with pytest.raises(ProblemError, match="array pledge_week holds"):
        state.add_pledge({**pledge, "pledge_week": 2**21})
    with pytest.raises(ProblemError, match=r"above 2\^40"):
        state.add_seat({**one_of(problem, "seat_", placed), "seat_bonus": 2**41})
    assert state.assignment().value == value
    assert (state.problem.n_seats, state.problem.n_pledges) == (40, 60)


def test_a_bonus_that_makes_a_candidate_too_heavy_is_refused() -> None:
    problem = generate(60, 20, 3, attributes=True).problem
    assert isinstance(problem, AttributeProblem)
    state = WarmState(problem)
    chosen = state.assignment().seat_pledge
    seat = int(np.flatnonzero(chosen >= 0)[0])
    state.set_pair(int(problem.seat_request[seat]), int(chosen[seat]), 2**41)
    with pytest.raises(ProblemError, match=r"above 2\^40"):
        state.assignment()
