"""Partners by tight edges alone: where many weights are equal, most of the work ends here.

After Hopcroft and Karp's phases of augmenting paths, 1973, doi:10.1137/0202019, by depth-first search with
look-ahead.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.compiled import inner, leaf, place
from timebank.matching.kernel.native.graph import NONE, Graph, State
from timebank.matching.kernel.problem import Int32Array, IntArray

_LEAST_SHARE: Final = 50
"""A phase that helps fewer than one in so many of those left is the last: many phases that gain one each would
cost more than the paths of Dijkstra's algorithm."""


@inner
def pair_tight(graph: Graph, state: State, stop: NDArray[np.uint8]) -> None:
    """Find partners for rows that have a price and none, along tight edges; no price changes."""
    n_rows = state.u.size
    look = graph.start[:-1].copy()  # edges before these have a partner or were never tight
    seen = np.zeros(state.v.size, np.int32)  # the last phase in which a column was looked at
    path, free = np.empty(n_rows, np.int32), 0
    for row in range(n_rows):
        free += state.row_partner[row] == NONE and state.u[row] > 0
    phase, gained = 0, 1
    while free and gained and gained * _LEAST_SHARE >= free and not stop[0]:
        phase, gained = phase + 1, 0
        turn = graph.start[:-1].copy()
        for row in range(n_rows):
            if state.row_partner[row] == NONE and state.u[row] > 0 and not stop[0]:
                gained += _find_path(graph, state, row, phase, look, turn, seen, path)
        free -= gained


@leaf
def _find_path(
    graph: Graph,
    state: State,
    source: int,
    phase: int,
    look: IntArray,
    turn: IntArray,
    seen: Int32Array,
    path: Int32Array,
) -> bool:
    """Search a path of tight edges from a row to a column without a partner, and take it."""
    depth = 0
    path[0] = source
    while depth >= 0:
        row = path[depth]
        column = _free_neighbour(graph, state, row, look)
        if column != NONE:
            for step in range(depth, -1, -1):
                before = state.row_partner[path[step]]
                state.row_partner[path[step]] = column
                state.column_partner[column] = path[step]
                column = before
            return True
        column = NONE
        while turn[row] < graph.start[row + 1] and column == NONE:
            edge = turn[row]
            turn[row] += 1
            if seen[graph.column[edge]] != phase and _is_tight(graph, state, row, edge):
                column = graph.column[edge]
        if column == NONE:
            depth -= 1
        else:
            seen[column] = phase
            depth += 1
            path[depth] = state.column_partner[column]
    return False


@leaf
def _free_neighbour(graph: Graph, state: State, row: int, look: IntArray) -> int:
    """A column without a partner at a tight edge. A column never loses its partner here, so nothing is looked
    at twice."""
    edge, end = look[row], graph.start[row + 1]
    while edge < end:
        column = graph.column[edge]
        if state.column_partner[column] == NONE and _is_tight(graph, state, row, edge):
            break
        edge += 1
    look[row] = edge
    return int(graph.column[edge]) if edge < end else NONE


@leaf
def _is_tight(graph: Graph, state: State, row: int, edge: int) -> bool:
    return bool(state.u[row] + state.v[place(graph.column[edge])] == graph.weight[edge])
