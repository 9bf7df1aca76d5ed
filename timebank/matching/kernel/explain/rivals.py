"""What the next best would have been: for each pledge that was taken another seat, for each filled seat
another pledge."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.candidates import Pairs, blocks
from timebank.matching.kernel.problem import AttributeProblem, BoolArray, Int32Array, IntArray

_NONE = np.iinfo(np.int64).min


class Rivals(NamedTuple):
    """The second best of each end of a matched pair, by the prices of the certificate.

    `seat` (P,): of each matched pledge, the seat of another request at which it would profit most, -1 for
    none. `seat_behind` (P,): how much less that profit is than its own price. `pledge` and `pledge_behind`
    (S,) say the same of each filled seat and the other pledges.

    A profit is the weight of a pair less the price of its other end. What a rival is behind is the reduced
    cost of its pair: to insist on that pair lowers the total by at least so much.
    """

    seat: Int32Array
    seat_behind: IntArray
    pledge: Int32Array
    pledge_behind: IntArray


def rivals(problem: AttributeProblem, assignment: Assignment) -> Rivals:
    """Find them in one pass over all candidates; `assignment` is an optimum in single mode with its prices."""
    chosen = assignment.seat_pledge
    seats, pledges = _Best(problem.n_seats), _Best(problem.n_pledges)
    request = np.full(problem.n_pledges, -1, np.int64)  # of the seat that a pledge takes, none's being -1
    filled = np.flatnonzero(chosen >= 0)
    request[chosen[filled]] = problem.seat_request[filled]
    taken = np.zeros(problem.n_pledges, np.bool_)
    taken[chosen[filled]] = True
    for _done, pairs in blocks(problem):
        other = (chosen[pairs.seat] >= 0) & (chosen[pairs.seat] != pairs.pledge)
        seats.offer(*_profits(pairs, other, assignment.pledge_price[pairs.pledge]))
        other = taken[pairs.pledge] & (problem.seat_request[pairs.seat] != request[pairs.pledge])
        seat, pledge, profit = _profits(pairs, other, assignment.seat_price[pairs.seat])
        pledges.offer(pledge, seat, profit)
    return Rivals(
        pledges.other,
        np.where(pledges.other >= 0, assignment.pledge_price - pledges.profit, 0),
        seats.other,
        np.where(seats.other >= 0, assignment.seat_price - seats.profit, 0),
    )


def _profits(pairs: Pairs, kept: BoolArray, price: IntArray) -> tuple[Int32Array, Int32Array, IntArray]:
    return pairs.seat[kept], pairs.pledge[kept], pairs.weight[kept] - price[kept]


class _Best:
    """The most profitable other end of each row so far; of equal ones the first."""

    def __init__(self, rows: int) -> None:
        self.other = np.full(rows, -1, np.int32)
        self.profit = np.full(rows, _NONE, np.int64)

    def offer(self, row: Int32Array, other: Int32Array, profit: IntArray) -> None:
        order = np.lexsort((other, -profit, row))
        first = order[np.flatnonzero(np.diff(row[order], prepend=-1))]
        better = first[profit[first] > self.profit[row[first]]]
        self.other[row[better]] = other[better]
        self.profit[row[better]] = profit[better]
