"""What a policy costs, and how long it lets anybody wait.

The weight of a pair is its own (`base`) and what the operator's policy adds to the seat (`seat_bonus`: waiting,
phase, region).

Nobody starves under a waiting term of w points a day. Let D be the most by which base weights differ, and let a
pledge that fits seat s come back every day. From D/w days on, every seat that asked so much later than s weighs
less with that pledge than s does. An optimum that leaves s empty must therefore give the pledge to a seat that asked
earlier or less than D/w days later: to give it to s would be better. There is a finite number N of those, and each
day one of them is served for good, so s is served after at most N days, whatever is asked later.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.candidates import blocks, weights
from timebank.matching.kernel.problem import AttributeProblem
from timebank.matching.kernel.single import solve_single


class PriceOfFairness(NamedTuple):
    """Two optima in base weights: the one without policy, and the one that the policy chose; with the seats
    that each fills. Policy can only cost: ``with_policy <= without``."""

    without: int
    with_policy: int
    seats_without: int
    seats_with: int

    @property
    def share(self) -> float:
        """What the policy costs, as a share of the optimum without it."""
        return (self.without - self.with_policy) / self.without if self.without else 0.0


def base_problem(problem: AttributeProblem) -> AttributeProblem:
    """The problem without what policy adds."""
    return replace(problem, seat_bonus=np.zeros(problem.n_seats, np.int64))


def base_value(problem: AttributeProblem, assignment: Assignment) -> int:
    """An assignment in base weights."""
    seats = np.flatnonzero(assignment.seat_pledge >= 0)
    pledges = assignment.seat_pledge[seats].astype(np.int64)
    return int(weights(base_problem(problem), seats, pledges).sum())


def price_of_fairness(problem: AttributeProblem, assignment: Assignment) -> PriceOfFairness:
    """Solve once more, without the policy; `assignment` is the optimum in single mode with it."""
    free = solve_single(base_problem(problem))
    return PriceOfFairness(
        without=free.value,
        with_policy=base_value(problem, assignment),
        seats_without=int(np.count_nonzero(free.seat_pledge >= 0)),
        seats_with=int(np.count_nonzero(assignment.seat_pledge >= 0)),
    )


def spread(problem: AttributeProblem) -> int:
    """The most by which the base weights of two candidates differ: D above."""
    least: int | None = None
    most = 0
    for _done, pairs in blocks(problem):
        if pairs.seat.size:
            base = pairs.weight - problem.seat_bonus[pairs.seat]
            least = int(base.min()) if least is None else min(least, int(base.min()))
            most = max(most, int(base.max()))
    return 0 if least is None else most - least
