"""The graph of candidates as the compiled code sees it, and the state of a solution in it.

One side are rows, the other columns; which is which is for the caller to say. Everything is an integer.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.compiled import compiled, inner, leaf, place
from timebank.matching.kernel.problem import Int32Array, IntArray

NONE: Final = -1
"""The partner of a row or column that has none."""


class Graph(NamedTuple):
    """The edges of each row: those of row i stand at ``start[i] .. start[i + 1]``."""

    start: IntArray
    column: Int32Array
    weight: IntArray


class State(NamedTuple):
    """Prices u, v >= 0 of rows and columns, and the partner of each, `NONE` where it has none.

    The state is optimal for a graph when ``u[i] + v[j] >= w`` for each edge, with equality (the edge is
    *tight*) where i and j are partners, and 0 is the price of whatever has no partner.
    """

    u: IntArray
    v: IntArray
    row_partner: Int32Array
    column_partner: Int32Array


@compiled(0, 0)
def empty_state(n_rows: int, n_columns: int) -> State:
    return State(
        np.zeros(n_rows, np.int64),
        np.zeros(n_columns, np.int64),
        np.full(n_rows, np.int32(NONE)),
        np.full(n_columns, np.int32(NONE)),
    )


EXAMPLE_GRAPH: Final = Graph(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
EXAMPLE_STATE: Final = empty_state(0, 0)
EXAMPLE_FLAG: Final = np.zeros(1, np.uint8)


@leaf
def weight_of(graph: Graph, row: int, column: int) -> int:
    """The weight of an edge, or -1 where there is no such edge."""
    for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
        if graph.column[edge] == column:
            return int(graph.weight[edge])
    return -1


@inner
def turned(state: State) -> State:
    """The same state with the sides swapped; both share their arrays."""
    return State(state.v, state.u, state.column_partner, state.row_partner)


@inner
def transposed(graph: Graph, n_columns: int) -> Graph:
    """The same edges with the sides swapped."""
    n_rows, n_edges = graph.start.size - 1, graph.column.size
    start = np.zeros(n_columns + 1, np.int64)
    for edge in range(place(n_edges)):
        start[place(graph.column[edge] + 1)] += 1
    for column in range(n_columns):
        start[column + 1] += start[column]
    free = start[:-1].copy()
    row_of, weight = np.empty(n_edges, np.int32), np.empty(n_edges, np.int64)
    for row in range(n_rows):
        for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
            column = place(graph.column[edge])
            at = place(free[column])
            free[column] += 1
            row_of[at] = row
            weight[at] = graph.weight[edge]
    return Graph(start, row_of, weight)


@leaf
def _is_ordered(row: Int32Array) -> bool:
    """Whether no row stands before a smaller one."""
    falls = 0
    for edge in range(1, row.size):
        falls += row[edge] < row[edge - 1]
    return falls == 0


@leaf
def _end_of_row(row: Int32Array, i: int, begin: int) -> int:
    """Behind the last edge of row i, which stands nowhere before `begin`: by steps that double, then halve."""
    low, step = begin, 1
    while low + step <= row.size and row[low + step - 1] <= i:
        low += step
        step *= 2
    while step > 1:
        step //= 2
        if low + step <= row.size and row[low + step - 1] <= i:
            low += step
    return low


@compiled(EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.weight, 0)
def graph_of(row: Int32Array, column: Int32Array, weight: IntArray, n_rows: int) -> Graph:
    """The graph of a list of edges; one that is ordered by row shares its arrays with the list."""
    start = np.zeros(n_rows + 1, np.int64)
    if _is_ordered(row):
        edge = 0
        for i in range(n_rows):
            edge = _end_of_row(row, i, edge)
            start[i + 1] = edge
        return Graph(start, column, weight)
    for edge in range(place(row.size)):
        start[place(row[edge] + 1)] += 1
    for i in range(n_rows):
        start[i + 1] += start[i]
    free = start[:-1].copy()
    ends, weights = np.empty(row.size, np.int32), np.empty(row.size, np.int64)
    for edge in range(place(row.size)):
        i = place(row[edge])
        at = place(free[i])
        free[i] += 1
        ends[at] = column[edge]
        weights[at] = weight[edge]
    return Graph(start, ends, weights)


@leaf
def _less_than_best(graph: Graph, begin: int, end: int, best: IntArray) -> int:
    """A weight that at least as many of these edges exceed as `best` holds: each of its places takes the best of those
    that are dealt out to it."""
    for k in range(best.size):
        best[k] = graph.weight[begin + k]
    for first in range(begin + best.size, end - best.size + 1, best.size):
        for k in range(place(best.size)):
            best[k] = max(best[k], graph.weight[place(first) + k])
    least = best[0]
    for k in range(1, best.size):
        least = min(least, best[k])
    return int(least) - 1


@leaf
def _heavier(
    graph: Graph, begin: int, end: int, least: int, edges: IntArray, weights: IntArray, found: int
) -> int:
    """Write down the edges that weigh more than `least`, behind those found before; returns how many these are now."""
    for edge in range(place(begin), place(end)):
        # Without a branch, which no processor could foresee: what does not belong there is overwritten by the next.
        edges[place(found)], weights[place(found)] = edge, graph.weight[edge]
        found += graph.weight[edge] > least
    return found


@leaf
def _reached(weights: IntArray, size: int, by: int) -> int:
    """The greatest number that so many of the first `size` weights reach, by halving the range of what it can be."""
    low, high = weights[0], weights[0]
    for k in range(place(size)):
        low, high = min(low, weights[k]), max(high, weights[k])
    while low < high:
        middle = high - (high - low) // 2
        reach = 0
        for k in range(place(size)):
            reach += weights[k] >= middle
        if reach >= by:
            low = middle
        else:
            high = middle - 1
    return int(low)


@inner
def best_of_each_row(graph: Graph, most: int) -> Graph:
    """At most so many edges of each row, those of the greatest weight.

    Each row is read from another place on: where weights are equal, rows would otherwise all keep the same
    columns.
    """
    n_rows = graph.start.size - 1
    start = np.zeros(n_rows + 1, np.int64)
    longest = 0
    for row in range(n_rows):
        length = graph.start[row + 1] - graph.start[row]
        start[row + 1] = start[row] + min(most, length)
        longest = max(longest, length)
    column, weight = np.empty(start[n_rows], np.int32), np.empty(start[n_rows], np.int64)
    best = np.empty(most, np.int64)
    edges, weights = np.empty(longest + 1, np.int64), np.empty(longest + 1, np.int64)
    for row in range(n_rows):
        begin, end = graph.start[row], graph.start[row + 1]
        if begin == end:
            continue
        least = _less_than_best(graph, begin, end, best) if end - begin > most else -1
        middle = begin + 40503 * row % (end - begin)
        found = _heavier(graph, middle, end, least, edges, weights, 0)
        found = _heavier(graph, begin, middle, least, edges, weights, found)
        cut = _reached(weights, found, min(most, found))
        at = start[row]
        for equal in (False, True):
            for k in range(found):
                if at == start[row + 1]:
                    break
                if weights[k] == cut if equal else weights[k] > cut:
                    column[at], weight[at] = graph.column[edges[k]], weights[k]
                    at += 1
    return Graph(start, column, weight)
