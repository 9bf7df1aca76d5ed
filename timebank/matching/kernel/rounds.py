"""The runs that follow: what is left when nothing but the answer itself changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.candidates import Index
from timebank.matching.kernel.problem import FORBIDDEN, AttributeProblem
from timebank.matching.kernel.single import solve_single

_OF_SEATS = tuple(name for name in AttributeProblem.__dataclass_fields__ if name.startswith("seat_"))


def next_problem(problem: AttributeProblem, assignment: Assignment) -> tuple[AttributeProblem, Index]:
    """What the next run finds, and which seats of this one are its seats: filled seats are gone, pledges have so
    many hours less, and a request and a pledge that met stay apart."""
    filled = np.flatnonzero(assignment.seat_pledge >= 0)
    empty = np.flatnonzero(assignment.seat_pledge < 0)
    pledges = assignment.seat_pledge[filled]
    capacity = problem.pledge_capacity.copy()
    np.subtract.at(capacity, pledges, problem.seat_hours[filled])
    left = replace(
        problem,
        **{name: getattr(problem, name)[empty] for name in _OF_SEATS},
        pledge_capacity=capacity,
        pair_request=np.concatenate([problem.pair_request, problem.seat_request[filled]]),
        pair_pledge=np.concatenate([problem.pair_pledge, pledges]),
        pair_bonus=np.concatenate([problem.pair_bonus, np.full(filled.size, FORBIDDEN, np.int64)]),
    )
    return left, empty


def empty_in_the_end(problem: AttributeProblem, assignment: Assignment) -> Index:
    """The seats that stay empty however many runs follow, since nobody who fits has hours left."""
    seats: Index = np.arange(problem.n_seats)
    while (assignment.seat_pledge >= 0).any():
        problem, kept = next_problem(problem, assignment)
        seats = seats[kept]
        assignment = solve_single(problem)
    return seats
