"""The graph of candidates as the compiled code sees it, and the state of a solution in it.

One side are rows, the other columns; which is which is for the caller to say. Everything is an integer.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from timebank.matching.kernel.compiled import compiled, inner
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


def empty_state(n_rows: int, n_columns: int) -> State:
    return State(
        np.zeros(n_rows, np.int64),
        np.zeros(n_columns, np.int64),
        np.full(n_rows, NONE, np.int32),
        np.full(n_columns, NONE, np.int32),
    )


EXAMPLE_GRAPH: Final = Graph(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.int64))
EXAMPLE_STATE: Final = empty_state(0, 0)
EXAMPLE_FLAG: Final = np.zeros(1, np.uint8)


@inner
def turned(state: State) -> State:
    """The same state with the sides swapped; both share their arrays."""
    return State(state.v, state.u, state.column_partner, state.row_partner)


@inner
def transposed(graph: Graph, n_columns: int) -> Graph:
    """The same edges with the sides swapped."""
    n_rows, n_edges = graph.start.size - 1, graph.column.size
    start = np.zeros(n_columns + 1, np.int64)
    for edge in range(n_edges):
        start[graph.column[edge] + 1] += 1
    for column in range(n_columns):
        start[column + 1] += start[column]
    place = start[:-1].copy()
    row_of, weight = np.empty(n_edges, np.int32), np.empty(n_edges, np.int64)
    for row in range(n_rows):
        for edge in range(graph.start[row], graph.start[row + 1]):
            at = place[graph.column[edge]]
            place[graph.column[edge]] = at + 1
            row_of[at] = row
            weight[at] = graph.weight[edge]
    return Graph(start, row_of, weight)


@compiled(EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.weight, 0)
def graph_of(row: Int32Array, column: Int32Array, weight: IntArray, n_rows: int) -> Graph:
    """The graph of a list of edges; one that is ordered by row shares its arrays with the list."""
    start = np.zeros(n_rows + 1, np.int64)
    reached = 0  # the rows before this one have a start
    for edge in range(row.size):
        if row[edge] >= reached:
            start[reached : row[edge] + 1] = edge
            reached = row[edge] + 1
        elif row[edge] < reached - 1:
            break
    else:
        start[reached:] = row.size
        return Graph(start, column, weight)
    start[:] = 0
    for edge in range(row.size):
        start[row[edge] + 1] += 1
    for i in range(n_rows):
        start[i + 1] += start[i]
    place = start[:-1].copy()
    ends, weights = np.empty(row.size, np.int32), np.empty(row.size, np.int64)
    for edge in range(row.size):
        at = place[row[edge]]
        place[row[edge]] = at + 1
        ends[at] = column[edge]
        weights[at] = weight[edge]
    return Graph(start, ends, weights)


@inner
def best_of_each_row(graph: Graph, most: int) -> Graph:
    """At most so many edges of each row, those of the greatest weight.

    Each row is read from another place on: where weights are equal, rows would otherwise all keep the same
    columns.
    """
    n_rows = graph.start.size - 1
    start = np.zeros(n_rows + 1, np.int64)
    for row in range(n_rows):
        start[row + 1] = start[row] + min(most, graph.start[row + 1] - graph.start[row])
    column, weight = np.empty(start[n_rows], np.int32), np.empty(start[n_rows], np.int64)
    for row in range(n_rows):
        begin, end = graph.start[row], graph.start[row + 1]
        low, room = start[row], start[row + 1] - start[row]
        if not room:
            continue
        middle = begin + 40503 * row % (end - begin)
        kept = _keep_best(graph, middle, end, column[low:], weight[low:], 0, room)
        _keep_best(graph, begin, middle, column[low:], weight[low:], kept, room)
    return Graph(start, column, weight)


@inner
def _keep_best(
    graph: Graph, begin: int, end: int, column: Int32Array, weight: IntArray, kept: int, room: int
) -> int:
    """Merge some edges into the best so far, which are ordered by falling weight; returns how many these are now."""
    least = np.int64(-1) if kept < room else weight[room - 1]
    for edge in range(begin, end):
        w = graph.weight[edge]
        if w <= least:
            continue
        kept = min(kept + 1, room)
        at = kept - 1
        while at > 0 and weight[at - 1] < w:
            weight[at], column[at] = weight[at - 1], column[at - 1]
            at -= 1
        weight[at], column[at] = w, graph.column[edge]
        if kept == room:
            least = weight[room - 1]
    return kept
