"""Changes of a solved graph, and the repair of what they touch."""

from __future__ import annotations

from typing import Final

import numpy as np

from timebank.matching.kernel.compiled import compiled
from timebank.matching.kernel.native.auction import rebase_row, without_partner
from timebank.matching.kernel.native.graph import (
    EXAMPLE_GRAPH,
    EXAMPLE_STATE,
    Graph,
    State,
    transposed,
    turned,
)
from timebank.matching.kernel.native.paths import augment
from timebank.matching.kernel.problem import Int32Array

GONE: Final = -(2**60)
"""The weight of an edge that is no more: too little for any path, and far from the end of int64."""

_UNLIMITED: Final = 2**62


@compiled(EXAMPLE_GRAPH, 0)
def transposed_graph(graph: Graph, n_columns: int) -> Graph:
    """The same edges with the sides swapped."""
    return transposed(graph, n_columns)


@compiled(EXAMPLE_GRAPH, EXAMPLE_GRAPH, EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.column)
def drop_edges(graph: Graph, by_column: Graph, rows: Int32Array, columns: Int32Array) -> None:
    """Mark the edge between each of these rows and the column beside it as gone, where there is one."""
    for k in range(rows.size):
        row, column = rows[k], columns[k]
        for edge in range(graph.start[row], graph.start[row + 1]):
            if graph.column[edge] == column:
                graph.weight[edge] = GONE
        for edge in range(by_column.start[column], by_column.start[column + 1]):
            if by_column.column[edge] == row:
                by_column.weight[edge] = GONE


@compiled(EXAMPLE_GRAPH, EXAMPLE_GRAPH, EXAMPLE_STATE, EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.column)
def repair(graph: Graph, by_column: Graph, state: State, rows: Int32Array, columns: Int32Array) -> None:
    """Bring a state that was optimal to the optimum again, after edges of these rows and columns changed.

    Only prices on the shortest paths from them change.
    """
    sides = turned(state)
    for k in range(rows.size):
        rebase_row(graph, state, 1, 0, rows[k])
    for k in range(columns.size):
        rebase_row(by_column, sides, 1, 0, columns[k])
    never = np.zeros(1, np.uint8)
    free = np.empty(state.u.size, np.int32)
    free = free[: without_partner(state.u, state.row_partner, free)]
    augment(graph, state, free, _UNLIMITED, never)
    free = np.empty(state.v.size, np.int32)
    free = free[: without_partner(state.v, state.column_partner, free)]
    augment(by_column, sides, free, _UNLIMITED, never)
