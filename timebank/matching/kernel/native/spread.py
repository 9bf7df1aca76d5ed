"""The optimum of an attribute problem that is too large for one process: independent parts are solved by workers;
of what hangs together, workers scan the pairs by blocks of seats, and the optimum over these is found here."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from timebank.matching.kernel.assignment import Optimum
from timebank.matching.kernel.candidates import Pairs, joined
from timebank.matching.kernel.native.attributes import attribute_optimum, optimum, renumbered
from timebank.matching.kernel.native.blocks import scan_by_workers
from timebank.matching.kernel.native.components import Part, independent_parts
from timebank.matching.kernel.native.tables import packed
from timebank.matching.kernel.problem import AttributeProblem, ProblemError
from timebank.matching.kernel.progress import Clock, Progress, silent
from timebank.matching.kernel.workers import Workers


class _Task(NamedTuple):
    """A part, and the seconds that there are for it."""

    part: Part
    limit: float | None


def spread_optimum(problem: AttributeProblem, clock: Clock, tell: Progress, workers: Workers) -> Optimum:
    """The optimum over all pairs, like `attribute_optimum`.

    Raises
    ------
    ProblemError : a candidate weighs more than 2^40
    TimeUpError : the time is up
    WorkersError : the workers cannot do it
    """
    tables = packed(problem)
    n_kinds = tables.seats.hours.size
    parts = independent_parts(problem, tables, clock, lambda done: tell("components", done, n_kinds))
    try:
        apart = _of_parts(problem, parts, clock, tell, workers)
    except ProblemError:
        # It names seat and pledge by their numbers in the part; here they have their own.
        return attribute_optimum(problem, clock, tell)
    if apart is not None:
        return apart
    return renumbered(tables, *optimum(tables, clock, tell, partial(scan_by_workers, workers)))


def _of_parts(
    problem: AttributeProblem, parts: Iterator[Part], clock: Clock, tell: Progress, workers: Workers
) -> Optimum | None:
    """The optima of all parts put together; None where there are no parts."""
    seat_pledge = np.full(problem.n_seats, -1, np.int32)
    u, v = np.zeros(problem.n_seats, np.int64), np.zeros(problem.n_pledges, np.int64)
    found: list[Pairs] = []
    solved = 0

    def check() -> None:
        clock.check()
        tell("solving", solved, problem.n_seats)

    tasks = (_Task(part, clock.left) for part in parts)
    for task, best in workers.results(solve_part, tasks, check):
        seats, pledges = task.part.seats, task.part.pledges
        has = best.seat_pledge >= 0
        seat_pledge[seats[has]] = pledges[best.seat_pledge[has]]
        u[seats], v[pledges] = best.seat_price, best.pledge_price
        pairs = best.pairs
        found.append(
            Pairs(seats[pairs.seat].astype(np.int32), pledges[pairs.pledge].astype(np.int32), pairs.weight)
        )
        solved += seats.size
        check()
    return Optimum(joined(found), seat_pledge, u, v) if found else None


def solve_part(task: _Task) -> Optimum:
    """The optimum of a part, in its numbers."""
    return attribute_optimum(task.part.problem, Clock(task.limit), silent)
