"""The optimum of a list of edges: each stage takes what the one before could not finish within its budget."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.native.auction import rebase, reduce_rows, scale_prices, without_partner
from timebank.matching.kernel.native.compiled import Integer, compiled, inner
from timebank.matching.kernel.native.graph import (
    EXAMPLE_FLAG,
    EXAMPLE_GRAPH,
    EXAMPLE_STATE,
    Graph,
    State,
    best_of_each_row,
    transposed,
    turned,
)
from timebank.matching.kernel.native.paths import augment
from timebank.matching.kernel.native.tight import pair_tight
from timebank.matching.kernel.problem import Int32Array

_DENSE_ROW: Final = 100  # edges; rows that have more on average are first solved on
_KEPT_IN_DENSE_ROW: Final = 24  # so many
_COLD_SCANS: Final = 0.2  # edges that paths may look at before scaling, as a share of all
_DENSE_SCANS: Final = 0.5
_WARM_SCANS: Final = 2.0
_FEW_ROWS: Final = (
    50  # fewer than one row in so many to repair: paths alone, which change prices only locally
)
_UNLIMITED: Final = np.int64(2**62)


@inner
def _solve(graph: Graph, state: State, stop: NDArray[np.uint8]) -> None:
    rows = reduce_rows(graph, state, stop)
    _finish(graph, state, rows, int(_COLD_SCANS * graph.column.size), stop)


@inner
def _repair(graph: Graph, state: State, most_edges: Integer, stop: NDArray[np.uint8]) -> None:
    rows = np.empty(state.u.size, np.int32)
    rows = rows[: rebase(graph, state, 1, 0, rows)]
    _finish(graph, state, rows, most_edges, stop)


@inner
def _finish(
    graph: Graph, state: State, rows: Int32Array, most_edges: Integer, stop: NDArray[np.uint8]
) -> None:
    """From a state that covers all edges, in which these rows lack a partner, and perhaps some columns."""
    n_rows, n_columns = state.u.size, state.v.size
    if rows.size > n_rows // 10:
        pair_tight(graph, state, stop)
    columns = np.empty(n_columns, np.int32)
    if augment(graph, state, rows, most_edges, stop) == rows.size:
        columns = columns[: without_partner(state.v, state.column_partner, columns)]
        if columns.size:
            augment(transposed(graph, n_columns), turned(state), columns, _UNLIMITED, stop)
        return
    by_column = transposed(graph, n_columns)
    scale_prices(graph, by_column, state, stop)
    pair_tight(graph, state, stop)
    left = np.empty(n_rows, np.int32)
    left = left[: without_partner(state.u, state.row_partner, left)]
    augment(graph, state, left, _UNLIMITED, stop)
    columns = columns[: without_partner(state.v, state.column_partner, columns)]
    augment(by_column, turned(state), columns, _UNLIMITED, stop)


@compiled(EXAMPLE_GRAPH, EXAMPLE_STATE, EXAMPLE_FLAG)
def solve_graph(graph: Graph, state: State, stop: NDArray[np.uint8]) -> bool:
    """Bring an empty state to the optimum; False when it was told to stop before.

    Parameters
    ----------
    graph : rows are best the smaller side
    state : of `empty_state`; changed in place
    stop : (1,) work ends soon after another thread has set it
    """
    n_rows, n_edges = state.u.size, graph.column.size
    if not n_edges:
        return True
    if n_edges <= _DENSE_ROW * n_rows:
        _solve(graph, state, stop)
    else:
        _solve(best_of_each_row(graph, _KEPT_IN_DENSE_ROW), state, stop)
        _repair(graph, state, int(_DENSE_SCANS * n_edges), stop)
    return not stop[0]


@compiled(EXAMPLE_GRAPH, EXAMPLE_STATE, EXAMPLE_FLAG)
def resolve_graph(graph: Graph, state: State, stop: NDArray[np.uint8]) -> bool:
    """Bring any prices and partners, of a graph that has changed since, to the optimum; u may be anything.

    Parameters and result are those of `solve_graph`.
    """
    rows = np.empty(state.u.size, np.int32)
    few = rebase(graph, state, 1, 0, rows) <= state.u.size // _FEW_ROWS
    _repair(graph, state, _UNLIMITED if few else int(_WARM_SCANS * graph.column.size), stop)
    return not stop[0]
