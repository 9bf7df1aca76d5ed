"""The runs that follow a run, when nothing else changes."""

from __future__ import annotations

from hypothesis import given, settings

from tests.matching.kernel.oracle import attribute_problems, attribute_weights
from tests.matching.kernel.test_attributes import one_pair
from timebank.matching.kernel import AttributeProblem, empty_in_the_end, solve
from timebank.matching.kernel.rounds import next_problem


@settings(max_examples=60, deadline=None)
@given(attribute_problems(largest=5))
def test_in_the_end_no_empty_seat_has_anybody_with_hours_left(problem: AttributeProblem) -> None:
    answer = solve(problem)
    pairs = {(i, j) for i, j in enumerate(answer.seat_pledge.tolist()) if j >= 0}
    now, seats = problem, list(range(problem.n_seats))
    while (answer.seat_pledge >= 0).any():
        now, kept = next_problem(now, answer)
        seats = [seats[k] for k in kept.tolist()]
        answer = solve(now)
        pairs |= {(seats[i], j) for i, j in enumerate(answer.seat_pledge.tolist()) if j >= 0}
    assert empty_in_the_end(problem, solve(problem)).tolist() == seats
    assert attribute_weights(now) == {}
    # All that was given on the way was possible, and fits together.
    assert pairs <= set(attribute_weights(problem))
    requests = [(int(problem.seat_request[i]), j) for i, j in pairs]
    assert len(requests) == len(set(requests))
    for j in range(problem.n_pledges):
        hours = sum(int(problem.seat_hours[i]) for i, pledge in pairs if pledge == j)
        assert hours <= int(problem.pledge_capacity[j])


def test_a_seat_waits_for_hours_that_are_left_only_once() -> None:
    two = {
        "seat_must": [[3], [3]], "seat_languages": [1, 1], "seat_x": [0, 0], "seat_y": [0, 0],
        "seat_remote": [False, False], "seat_from": [0, 0], "seat_until": [28, 28], "seat_week": [3, 3],
        "seat_hours": [16, 16], "seat_request": [1, 2], "seat_org": [1, 1],
    }  # fmt: skip
    enough, scarce = one_pair(**two, pledge_capacity=[32]), one_pair(**two, pledge_capacity=[31])
    assert empty_in_the_end(enough, solve(enough)).size == 0
    assert empty_in_the_end(scarce, solve(scarce)).size == 1
