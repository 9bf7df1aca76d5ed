"""The knapsacks of all pledges over all pairs of an attribute form, which no memory holds at once.

Each pledge keeps two rows: what its hours are worth with the requests seen before, and with the present one
besides. Seats come request by request, so that a pledge takes at most one of each.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final

import numpy as np

from timebank.matching.kernel.bundle.clock import Clock
from timebank.matching.kernel.bundle.question import Tell
from timebank.matching.kernel.candidates import blocks
from timebank.matching.kernel.compiled import compiled_when_called
from timebank.matching.kernel.problem import AttributeProblem, Int32Array, IntArray

MOST_CELLS: Final = 2**24
"""Rows of so many numbers are held at once: 2 x 128 MB."""


def streamed_worths(
    problem: AttributeProblem, price: IntArray, scale: int, pass_seconds: float, clock: Clock, tell: Tell
) -> IntArray | None:
    """For each pledge, the most that a bundle is worth at these prices; None where time or memory do not do."""
    by_request = np.argsort(problem.seat_request, kind="stable")
    ordered = _with_seats(problem, by_request)
    hours, price = ordered.seat_hours, price[by_request]
    request = np.unique(ordered.seat_request, return_inverse=True)[1]
    useful = hours[hours <= problem.pledge_capacity.max(initial=0)]
    capacity = np.minimum(problem.pledge_capacity, int(min(useful.sum(dtype=np.float64), 2.0**62)))
    worth = np.zeros(problem.n_pledges, np.int64)
    cells = capacity.astype(np.float64) + 1
    if cells.max(initial=0) > MOST_CELLS:
        return None
    part = (np.cumsum(cells) // MOST_CELLS).astype(np.int64)
    parts = int(part.max(initial=0)) + 1
    for k in range(parts):
        if parts > 1 and clock.left < (parts - k) * pass_seconds / parts:
            return None
        pledges = np.flatnonzero(part == k)
        some = ordered if parts == 1 else _with_pledges(ordered, pledges)
        start = np.concatenate([[0], np.cumsum(capacity[pledges] + 1)])
        before, after = np.zeros(start[-1], np.int64), np.zeros(start[-1], np.int64)
        last = np.full(pledges.size, -1, np.int64)
        for done, block in blocks(some):
            if clock.over():
                return None
            tell("bound", done, problem.n_seats)
            profit = block.weight * scale - price[block.seat]
            gain = np.flatnonzero(profit > 0)
            seat = block.seat[gain]
            add_block(
                block.pledge[gain], request[seat], hours[seat], profit[gain], start, last, before, after
            )
        worth[pledges] = after[start[1:] - 1]
    return worth


@compiled_when_called
def add_block(
    pledge: Int32Array,
    request: IntArray,
    hours: IntArray,
    profit: IntArray,
    start: IntArray,
    last: IntArray,
    before: IntArray,
    after: IntArray,
) -> None:
    """Let pledges take one more pair each, in the order of requests; their rows start at `start`."""
    for k in range(pledge.size):
        j = pledge[k]
        first, stop = start[j], start[j + 1]
        if last[j] != request[k]:
            last[j] = request[k]
            for y in range(first, stop):
                before[y] = after[y]
        for y in range(first + hours[k], stop):
            after[y] = max(after[y], before[y - hours[k]] + profit[k])


def _with_seats(problem: AttributeProblem, seats: IntArray) -> AttributeProblem:
    given: dict[str, Any] = {
        f.name: getattr(problem, f.name)[seats] for f in fields(problem) if f.name.startswith("seat_")
    }
    return replace(problem, **given)


def _with_pledges(problem: AttributeProblem, pledges: IntArray) -> AttributeProblem:
    """Only these pledges, numbered anew."""
    given: dict[str, Any] = {
        f.name: getattr(problem, f.name)[pledges] for f in fields(problem) if f.name.startswith("pledge_")
    }
    place = np.full(problem.n_pledges, -1, np.int32)
    place[pledges] = np.arange(pledges.size, dtype=np.int32)
    kept = np.flatnonzero(place[problem.pair_pledge] >= 0)
    given["pair_request"] = problem.pair_request[kept]
    given["pair_pledge"] = place[problem.pair_pledge[kept]]
    given["pair_bonus"] = problem.pair_bonus[kept]
    return replace(problem, **given)
