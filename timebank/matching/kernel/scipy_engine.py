"""The engine `scipy`: the optimum from scipy's assignment solvers, and integer prices derived from it.

Scipy counts in float64, which holds every sum here exactly: a way that leaves a row or column out is always
at hand, so no path costs more than a few times the largest weight, far below 2^53.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from timebank.matching.kernel.assignment import Optimum
from timebank.matching.kernel.candidates import Pairs, best_per_seat, blocks, joined
from timebank.matching.kernel.problem import AttributeProblem, EdgeProblem, IntArray
from timebank.matching.kernel.progress import Clock, Progress

KEPT_CANDIDATES: Final = 4_000_000
"""Candidates of the attribute form that are solved at once; beyond, the best of each seat are solved and the
others priced."""

_FEWEST_PER_SEAT: Final = 16
_VIOLATORS_PER_SEAT: Final = 8
# Where a table beats a sparse matrix, as measured: when it is small, or a good part of it is filled.
_SMALL_CELLS: Final = 20_000
_DENSE_CELLS: Final = 4_000_000
_DENSE_SHARE: Final = 0.4


def edge_optimum(problem: EdgeProblem, clock: Clock) -> Optimum:
    pairs = Pairs(problem.seat, problem.pledge, problem.weight)
    if not np.all(pairs.seat[1:] >= pairs.seat[:-1]):
        pairs = _ordered(pairs)
    return _optimum(pairs, problem.n_seats, problem.n_pledges, clock)


def attribute_optimum(problem: AttributeProblem, clock: Clock, tell: Progress) -> Optimum:
    pairs, complete = _best_candidates(problem, clock, tell)
    while True:
        tell("solving", 0, 1)
        found = _optimum(pairs, problem.n_seats, problem.n_pledges, clock)
        if complete:
            return found
        more = _violators(problem, found.seat_price, found.pledge_price, clock, tell)
        if not more.seat.size:
            return found
        pairs = _ordered(joined([pairs, more]))


def proved_weight(found: Optimum) -> int | None:
    """The weight of the answer, where the prices prove that there is none greater over the candidates that were
    solved."""
    seat, pledge, weight = found.pairs
    u, v = found.seat_price, found.pledge_price
    held = found.seat_pledge[seat] == pledge
    value = int(weight[held].sum())
    used = found.seat_pledge[found.seat_pledge >= 0]
    feasible = used.size == np.unique(used).size == np.count_nonzero(held)
    covered = bool((u >= 0).all() and (v >= 0).all() and (u[seat] + v[pledge] >= weight).all())
    return value if feasible and covered and int(u.sum()) + int(v.sum()) == value else None


def _best_candidates(problem: AttributeProblem, clock: Clock, tell: Progress) -> tuple[Pairs, bool]:
    """All candidates and True, or the best of each seat and False where all would be too many to hold."""
    found: list[Pairs] = []
    held, complete = 0, True
    per_seat = max(_FEWEST_PER_SEAT, KEPT_CANDIDATES // max(1, problem.n_seats))
    for done, block in blocks(problem):
        clock.check()
        tell("candidates", done, problem.n_seats)
        found.append(block if complete else best_per_seat(block, block.weight, per_seat))
        held += block.seat.size
        if complete and held > KEPT_CANDIDATES:
            complete = False
            found = [best_per_seat(each, each.weight, per_seat) for each in found]
    return joined(found), complete


def _violators(problem: AttributeProblem, u: IntArray, v: IntArray, clock: Clock, tell: Progress) -> Pairs:
    """Of each seat, the pairs that the prices undercut most."""
    found: list[Pairs] = []
    for done, block in blocks(problem):
        clock.check()
        tell("pricing", done, problem.n_seats)
        excess = block.weight - u[block.seat] - v[block.pledge]
        out = np.flatnonzero(excess > 0)
        if out.size:
            undercut = Pairs(block.seat[out], block.pledge[out], block.weight[out])
            found.append(best_per_seat(undercut, excess[out], _VIOLATORS_PER_SEAT))
    return joined(found)


def _ordered(pairs: Pairs) -> Pairs:
    order = np.lexsort((pairs.pledge, pairs.seat))
    return Pairs(pairs.seat[order], pairs.pledge[order], pairs.weight[order])


# --- the optimum over a list of candidates, ordered by seat -------------------------------------------------


def _optimum(pairs: Pairs, n_seats: int, n_pledges: int, clock: Clock) -> Optimum:
    clock.check()
    seat_pledge = np.full(n_seats, -1, np.int32)
    u, v = np.zeros(n_seats, np.int64), np.zeros(n_pledges, np.int64)
    if pairs.seat.size:
        # Only those with a candidate, numbered anew, so that no solver sees an empty row or column.
        seats, row = _renumbered(pairs.seat, n_seats)
        pledges, column = _renumbered(pairs.pledge, n_pledges)
        chosen = _matching(row, column, pairs.weight, seats.size, pledges.size)
        has = chosen >= 0
        seat_pledge[seats[has]] = pledges[chosen[has]]
        u[seats], v[pledges] = _prices(row, column, pairs.weight, chosen, pledges.size, clock)
    return Optimum(pairs, seat_pledge, u, v)


def _renumbered(ends: NDArray[np.int32], size: int) -> tuple[IntArray, IntArray]:
    """Which of so many numbers occur, and where among these each end stands."""
    occurs = np.zeros(size, np.bool_)
    occurs[ends] = True
    place = np.cumsum(occurs) - 1
    return np.flatnonzero(occurs), place[ends]


def _matching(row: IntArray, column: IntArray, weight: IntArray, n_rows: int, n_columns: int) -> IntArray:
    """The column of each row in a matching of greatest weight, -1 for none."""
    cells = n_rows * n_columns
    if cells <= _SMALL_CELLS or (cells <= _DENSE_CELLS and weight.size >= _DENSE_SHARE * cells):
        return _dense_matching(row, column, weight, n_rows, n_columns)
    if n_rows <= n_columns:
        return _sparse_matching(row, column, weight, n_rows, n_columns)
    of_column = _sparse_matching(column, row, weight, n_columns, n_rows)
    chosen = np.full(n_rows, -1, np.int64)
    has = np.flatnonzero(of_column >= 0)
    chosen[of_column[has]] = has
    return chosen


def _dense_matching(
    row: IntArray, column: IntArray, weight: IntArray, n_rows: int, n_columns: int
) -> IntArray:
    table = np.zeros((n_rows, n_columns))
    table[row, column] = weight
    rows, columns = linear_sum_assignment(table, maximize=True)
    chosen = np.full(n_rows, -1, np.int64)
    real = table[rows, columns] > 0  # a pair without weight is no candidate: both stay out
    chosen[rows[real]] = columns[real]
    return chosen


def _sparse_matching(
    row: IntArray, column: IntArray, weight: IntArray, n_rows: int, n_columns: int
) -> IntArray:
    """At most as many rows as columns; each row has a column of its own besides, in which it stays out."""
    top = int(weight.max()) + 1
    out = np.arange(n_rows)
    costs = csr_array(
        (
            np.concatenate([(top - weight).astype(np.float64), np.full(n_rows, float(top))]),
            (np.concatenate([row, out]), np.concatenate([column, n_columns + out])),
        ),
        shape=(n_rows, n_columns + n_rows),
    )
    rows, columns = min_weight_full_bipartite_matching(costs)
    chosen = np.full(n_rows, -1, np.int64)
    real = columns < n_columns
    chosen[rows[real]] = columns[real]
    return chosen


def _prices(
    row: IntArray, column: IntArray, weight: IntArray, chosen: IntArray, n_columns: int, clock: Clock
) -> tuple[IntArray, IntArray]:
    """The prices that prove the matching, those of the columns the least possible.

    A column's price is at least what any row would gain by it over what that row has, where what a matched
    row has grows less as its own column's price rises. So prices rise along alternating paths from 0 until
    nothing moves: Bellman and Ford's relaxation, in which only the columns that moved in the last round are
    looked at again. At an optimum no round runs in a circle, and there are fewer rounds than columns.
    """
    n_rows = chosen.size
    start = np.searchsorted(row, np.arange(n_rows + 1))
    matched = np.flatnonzero(chosen >= 0)
    has = np.zeros(n_rows, np.int64)  # the weight of each row's match
    held = chosen[row] == column
    has[row[held]] = weight[held]
    owner = np.full(n_columns, -1, np.int64)
    owner[chosen[matched]] = matched

    price = np.zeros(n_columns, np.int64)
    np.maximum.at(price, column, weight - has[row])
    moved = np.flatnonzero(price > 0)
    for _ in range(n_columns + 1):
        clock.check()
        rows = owner[moved]
        rows = rows[rows >= 0]
        if not rows.size:
            break
        length = start[rows + 1] - start[rows]
        edges = np.repeat(start[rows] - np.cumsum(length) + length, length) + np.arange(int(length.sum()))
        target = column[edges]
        wanted = weight[edges] - np.repeat(has[rows] - price[chosen[rows]], length)
        higher = wanted > price[target]
        target = target[higher]
        np.maximum.at(price, target, wanted[higher])
        moved = np.unique(target)
    gains = np.where(chosen >= 0, has - price[chosen], 0)
    return gains, price
