"""The optimum of a list of edges: each stage takes what the one before could not finish within its budget."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.compiled import Integer, compiled, inner
from timebank.matching.kernel.native.auction import rebase, reduce_rows, scale_prices, without_partner
from timebank.matching.kernel.native.graph import (
    EXAMPLE_FLAG,
    EXAMPLE_GRAPH,
    EXAMPLE_STATE,
    Graph,
    State,
    best_of_each_row,
    empty_state,
    graph_of,
    transposed,
    turned,
)
from timebank.matching.kernel.native.paths import augment
from timebank.matching.kernel.native.proof import proved_weight_of_state
from timebank.matching.kernel.native.tight import pair_tight
from timebank.matching.kernel.problem import Int32Array, IntArray

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


@compiled(EXAMPLE_GRAPH, EXAMPLE_STATE, False, EXAMPLE_FLAG)
def solve_graph(graph: Graph, state: State, warm: bool, stop: NDArray[np.uint8]) -> int:
    """Bring a state to the optimum, and prove it.

    Parameters
    ----------
    graph : rows are best the smaller side
    state : of `empty_state`, or any prices v and partners where it is `warm`; changed in place
    warm : begin with the state as it is, as after changes of the graph
    stop : (1,) work ends soon after another thread has set it

    Returns
    -------
    The weight of the optimum, or -1 where the prices prove none, as when the work was told to stop.
    """
    n_rows, n_edges = state.u.size, graph.column.size
    dense = n_edges > _DENSE_ROW * n_rows
    if not warm:
        start = best_of_each_row(graph, _KEPT_IN_DENSE_ROW) if dense else graph
        rows = reduce_rows(start, state, stop)
        _finish(start, state, rows, int(_COLD_SCANS * start.column.size), stop)
        weight = proved_weight_of_state(graph, state)
        if weight >= 0 or not dense or stop[0]:
            return weight
    rows = np.empty(n_rows, np.int32)
    rows = rows[: rebase(graph, state, 1, 0, rows)]
    few = warm and rows.size <= n_rows // _FEW_ROWS
    scans = _WARM_SCANS if warm else _DENSE_SCANS
    _finish(graph, state, rows, _UNLIMITED if few else int(scans * n_edges), stop)
    return proved_weight_of_state(graph, state)


@compiled(EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.column, EXAMPLE_GRAPH.weight, 0, 0, EXAMPLE_FLAG)
def solve_list(
    row: Int32Array,
    column: Int32Array,
    weight: IntArray,
    n_rows: int,
    n_columns: int,
    stop: NDArray[np.uint8],
) -> tuple[int, State]:
    """What `solve_graph` returns for a list of edges, and the state."""
    state = empty_state(n_rows, n_columns)
    return solve_graph(graph_of(row, column, weight, n_rows), state, False, stop), state
