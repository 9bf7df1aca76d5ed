"""What a seat or a pledge is worth: how far the prices of an optimum can move, and who is outbid by how much.

An optimum has many proofs. The lowest and the highest price that any of them gives a pledge are values of their
own [1]_: the highest is what the total loses without this pledge, the lowest what it gains by a second one
like it; so it is with seats.

.. [1] Demange, Gale and Sotomayor, "Multi-item auctions", 1986. doi:10.1086/261411; Leonard, "Elicitation of
   honest preferences for the assignment of individuals to positions", 1983. doi:10.1086/261158
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.assignment import Assignment
from timebank.matching.kernel.candidates import Pairs, blocks, joined
from timebank.matching.kernel.problem import AttributeProblem, Int32Array, IntArray

MOST_PAIRS: Final = 4_000_000
"""Candidates that are held at once; beyond, the certificate's own prices have to do."""


class PriceRanges(NamedTuple):
    """The lowest and highest prices that prove the optimum, each (S,) or (P,).

    `exact` is False where the candidates were too many to look for others than the certificate's own, which
    then stand on both sides.
    """

    seat_low: IntArray
    seat_high: IntArray
    pledge_low: IntArray
    pledge_high: IntArray
    exact: bool


class Outbid(NamedTuple):
    """How many points more would have made room: for each seat that got nobody (`seat`, (S,)) and each pledge that
    was not taken (`pledge`, (P,)), -1 for all others and for those without a candidate.

    With a bonus of less, the same answer stays the best one; with more, the seat (or pledge) is in every best
    answer. Where the ranges are not exact, only the first half holds.
    """

    seat: IntArray
    pledge: IntArray


class Market(NamedTuple):
    """All that prices tell of an optimum."""

    ranges: PriceRanges
    outbid: Outbid


def market(problem: AttributeProblem, assignment: Assignment) -> Market:
    """Look at an optimum in single mode with its prices."""
    pairs = _held(problem)
    if pairs is None:
        u, v = assignment.seat_price, assignment.pledge_price
        ranges = PriceRanges(u, u, v, v, exact=False)
    else:
        ranges = price_ranges(pairs, assignment.seat_pledge, problem.n_pledges)
    seats = np.full(problem.n_seats, -1, np.int64)
    pledges = np.full(problem.n_pledges, -1, np.int64)
    left_seats = assignment.seat_pledge < 0
    left_pledges = np.ones(problem.n_pledges, np.bool_)
    left_pledges[assignment.seat_pledge[~left_seats]] = False
    for each in [pairs] if pairs is not None else (block for _done, block in blocks(problem)):
        open_seat, open_pledge = left_seats[each.seat], left_pledges[each.pledge]
        _lower(seats, each.seat[open_seat], (ranges.pledge_high[each.pledge] - each.weight)[open_seat])
        _lower(pledges, each.pledge[open_pledge], (ranges.seat_high[each.seat] - each.weight)[open_pledge])
    return Market(ranges, Outbid(seats, pledges))


def price_ranges(pairs: Pairs, seat_pledge: Int32Array, n_pledges: int) -> PriceRanges:
    """The ranges over these candidates, of which `seat_pledge` is an optimum."""
    n_seats = seat_pledge.size
    pledge_seat = np.full(n_pledges, -1, np.int64)
    filled = np.flatnonzero(seat_pledge >= 0)
    pledge_seat[seat_pledge[filled]] = filled
    held = seat_pledge[pairs.seat] == pairs.pledge
    has = np.zeros(n_seats, np.int64)
    has[pairs.seat[held]] = pairs.weight[held]
    pledge_has = np.zeros(n_pledges, np.int64)
    pledge_has[seat_pledge[filled]] = has[filled]

    pledge_low = _lowest(pairs.seat, pairs.pledge, pairs.weight, has, seat_pledge, n_pledges)
    seat_low = _lowest(pairs.pledge, pairs.seat, pairs.weight, pledge_has, pledge_seat, n_seats)
    seat_high, pledge_high = np.zeros(n_seats, np.int64), np.zeros(n_pledges, np.int64)
    seat_high[filled] = has[filled] - pledge_low[seat_pledge[filled]]
    pledge_high[seat_pledge[filled]] = has[filled] - seat_low[filled]
    return PriceRanges(seat_low, seat_high, pledge_low, pledge_high, exact=True)


def _held(problem: AttributeProblem) -> Pairs | None:
    found: list[Pairs] = []
    count = 0
    for _done, block in blocks(problem):
        found.append(block)
        count += block.seat.size
        if count > MOST_PAIRS:
            return None
    return joined(found)


def _lower(values: IntArray, at: Int32Array, offered: IntArray) -> None:
    """Let each value, -1 standing for none, be the least of what is offered."""
    order = np.lexsort((offered, at))
    first = order[np.flatnonzero(np.diff(at[order], prepend=-1))]
    better = first[(values[at[first]] < 0) | (offered[first] < values[at[first]])]
    values[at[better]] = offered[better]


def _lowest(
    row: Int32Array,
    column: Int32Array,
    weight: IntArray,
    has: IntArray,
    chosen: Int32Array | IntArray,
    n_columns: int,
) -> IntArray:
    """The lowest prices of the columns: what the rows would gain by each over what they have.

    Prices rise along alternating paths from 0 until nothing moves (Bellman and Ford); only the candidates of
    rows whose own column moved are looked at again.
    """
    order = np.argsort(row, kind="stable")
    row, column, weight = row[order], column[order], weight[order]
    start = np.searchsorted(row, np.arange(has.size + 1))
    owner = np.full(n_columns, -1, np.int64)
    matched = np.flatnonzero(chosen >= 0)
    owner[chosen[matched]] = matched
    price = np.zeros(n_columns, np.int64)
    edges = np.arange(row.size)
    while edges.size:
        mine = chosen[row[edges]]
        gain = has[row[edges]] - np.where(mine >= 0, price[mine], 0)
        wanted = weight[edges] - gain
        higher = wanted > price[column[edges]]
        target = column[edges[higher]]
        np.maximum.at(price, target, wanted[higher])
        rows = owner[np.unique(target)]
        rows = rows[rows >= 0]
        length = start[rows + 1] - start[rows]
        edges = np.repeat(start[rows] - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
    return price
