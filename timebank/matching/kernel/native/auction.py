"""Auctions: rows bid for columns by raising their prices, and columns for rows.

After Bertsekas, "The auction algorithm", 1988, doi:10.1007/BF02186476, and Bertsekas and Castañon, "A
forward/reverse auction algorithm for asymmetric assignment problems", 1992, doi:10.1007/BF00247653. Here all
is integer, and both rows and columns may stay out.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.compiled import Integer, inner, leaf, place, prefetch
from timebank.matching.kernel.native.graph import NONE, Graph, State, turned
from timebank.matching.kernel.problem import Int32Array, IntArray

SCALE: Final = 32
"""Prices are finer than weights by so much while scaling; coarser leaves more to repair, finer takes more bids."""

_FIRST_STEP: Final = 8  # the first epsilon is the largest weight divided by this,
_STEP_RATIO: Final = 8  # and each next one is the last divided by that
_PASSES: Final = 2
_BIDS_PER_ROW: Final = 10
_AHEAD: Final = 2  # a row's edges are fetched so many turns before it bids
_LINES, _WEIGHTS_IN_LINE = 3, 8  # of the processor's cache


@leaf
def two_best(graph: Graph, v: IntArray, scale: int, row: int) -> tuple[int, int, int, int]:
    """The best and the second-best gain of a row, 0 for staying out, and the columns that give them."""
    best, second = np.int64(0), np.int64(0)
    column, other = NONE, NONE
    for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
        gain = scale * graph.weight[edge] - v[place(graph.column[edge])]
        if gain > second:
            if gain > best:
                second, other = best, column
                best, column = gain, graph.column[edge]
            else:
                second, other = gain, graph.column[edge]
    return int(best), int(second), column, other


@inner
def reduce_rows(graph: Graph, state: State, stop: NDArray[np.uint8]) -> Int32Array:
    """An auction without epsilon, from nothing: exact, but it stops where rows would bid in a circle.

    A row takes its best column and raises its price until the second-best is as good; the row that held it
    bids at once. Columns without a partner keep the price 0, so the state stays exact.

    Returns
    -------
    The rows that have no partner and yet something to gain.
    """
    n_rows = state.u.size
    left = np.arange(n_rows).astype(np.int32)
    n_left = n_rows
    bids = 0
    for _ in range(_PASSES):
        todo, n_left = n_left, 0
        for turn in range(todo):
            row = left[turn]
            while row != NONE:
                best, second, column, other = two_best(graph, state.v, 1, row)
                bids += 1
                state.u[row] = second
                if column == NONE:
                    break
                if best == second and state.column_partner[column] != NONE:
                    if other != NONE and state.column_partner[other] == NONE:
                        column = other
                    else:  # a bid would raise no price
                        left[n_left] = row
                        n_left += 1
                        break
                displaced = state.column_partner[column]
                state.v[column] += best - second
                state.column_partner[column] = row
                state.row_partner[row] = column
                if displaced != NONE:
                    state.row_partner[displaced] = NONE
                    if bids > _BIDS_PER_ROW * n_rows or stop[0]:
                        left[n_left] = displaced
                        n_left += 1
                        break
                row = displaced
            if bids > _BIDS_PER_ROW * n_rows or stop[0]:
                left[n_left : n_left + todo - turn - 1] = left[turn + 1 : todo].copy()
                n_left += todo - turn - 1
                break
        if n_left in (0, todo) or bids > _BIDS_PER_ROW * n_rows or stop[0]:
            break
    # Prices rose since those that are left looked at them.
    hopeful = 0
    for turn in range(n_left):
        row = left[turn]
        state.u[row] = two_best(graph, state.v, 1, row)[0]
        if state.u[row] > 0:
            left[hopeful] = row
            hopeful += 1
    return left[:hopeful].copy()


@inner
def scale_prices(graph: Graph, by_column: Graph, state: State, stop: NDArray[np.uint8]) -> None:
    """A two-sided auction with a falling epsilon: a state that is nearly optimal, in integers.

    For each epsilon, rows without a partner bid until none of them has anything to gain; this can leave
    columns without a partner whose price is above 0. These bid for rows by the same rules, until none is
    left. Neither undoes the other: columns that bid displace only columns.

    Afterwards u covers all edges, and partners are tight, but a row or column may lack a partner and still
    have a price.
    """
    most = np.int64(0)
    for edge in range(graph.weight.size):
        most = max(most, graph.weight[edge])
    state.v[:] *= SCALE
    epsilon = max(np.int64(1), SCALE * most // _FIRST_STEP)
    # Zeros, since a row is fetched by what stands in a queue, even behind its end.
    rows, columns = np.zeros(state.u.size, np.int32), np.zeros(state.v.size, np.int32)
    while not stop[0]:
        n_rows = rebase(graph, state, SCALE, epsilon, rows)
        _bid(graph, state, epsilon, rows, n_rows, stop)
        n_columns = without_partner(state.v, state.column_partner, columns)
        if n_columns:
            _bid(by_column, turned(state), epsilon, columns, n_columns, stop)
        if epsilon == 1:
            break
        epsilon = max(np.int64(1), epsilon // _STEP_RATIO)
    # Rounding down keeps every difference constraint between prices: v[j] <= v[k] + c, with c an integer.
    state.v[:] //= SCALE
    rebase(graph, state, 1, 0, rows)


@leaf
def rebase(graph: Graph, state: State, scale: Integer, slack: Integer, rows: Int32Array) -> int:
    """Set u to what each row can gain at the prices v, and part partners where it could gain more by `slack`.

    Returns
    -------
    How many rows are without a partner and have something to gain; these are written into `rows`.
    """
    found = 0
    for row in range(state.u.size):
        rebase_row(graph, state, scale, slack, row)
        if state.row_partner[row] == NONE and state.u[row] > 0:
            rows[found] = row
            found += 1
    return found


@leaf
def rebase_row(graph: Graph, state: State, scale: Integer, slack: Integer, row: int) -> None:
    """The same for one row."""
    partner = state.row_partner[row]
    best, held = np.int64(0), np.int64(-1)
    for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
        gain = scale * graph.weight[edge] - state.v[place(graph.column[edge])]
        best = max(best, gain)
        held = gain if graph.column[edge] == partner else held
    if partner != NONE and (held < 0 or best - held > slack):
        state.row_partner[row] = NONE
        state.column_partner[partner] = NONE
        held = best
    state.u[row] = held if partner != NONE else best


@leaf
def without_partner(price: IntArray, partner: Int32Array, out: Int32Array) -> int:
    """Write down who has a price and no partner; returns how many."""
    found = 0
    for i in range(price.size):
        if partner[i] == NONE and price[i] > 0:
            out[found] = i
            found += 1
    return found


@leaf
def _best_and_second(graph: Graph, v: IntArray, row: int) -> tuple[int, int, int]:
    """What `two_best` gives at the scale of an auction, but for the other column; without branches that depend on a
    gain, which processors cannot foresee."""
    best, second, column = np.int64(0), np.int64(0), np.int64(NONE)
    for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
        gain = SCALE * graph.weight[edge] - v[place(graph.column[edge])]
        second = max(second, min(best, gain))
        column = graph.column[edge] if gain > best else column
        best = max(best, gain)
    return int(best), int(second), int(column)


@leaf
def _bid(
    graph: Graph, state: State, epsilon: Integer, queue: Int32Array, waiting: int, stop: NDArray[np.uint8]
) -> None:
    """Rows in the queue, a circle, bid in turn until none has anything to gain; who is displaced queues again."""
    head = 0
    while waiting and not stop[0]:
        row = queue[head]
        _fetch(graph, queue[head + _AHEAD if head + _AHEAD < queue.size else 0])
        head = head + 1 if head + 1 < queue.size else 0
        waiting -= 1
        best, second, column = _best_and_second(graph, state.v, row)
        if column == NONE:
            state.u[row] = 0
            continue
        state.u[row] = max(0, second - epsilon)
        state.v[column] += best - state.u[row]
        displaced = state.column_partner[column]
        state.column_partner[column] = row
        state.row_partner[row] = column
        if displaced != NONE:
            state.row_partner[displaced] = NONE
            tail = head + waiting
            queue[tail if tail < queue.size else tail - queue.size] = displaced
            waiting += 1


@leaf
def _fetch(graph: Graph, row: int) -> None:
    """Have the first edges of a row at hand when its turn to bid comes."""
    first = graph.start[row]
    prefetch(graph.column, first)
    for line in range(_LINES):
        prefetch(graph.weight, first + line * _WEIGHTS_IN_LINE)
