"""Shortest augmenting paths: the exact repair of a state by Dijkstra's algorithm, from either side.

After Jonker and Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
problems", 1987, doi:10.1007/BF02278710, extended to rows and columns that may stay out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.compiled import Integer, inner, leaf, place
from timebank.matching.kernel.native.graph import NONE, Graph, State
from timebank.matching.kernel.problem import Int32Array, IntArray

_FAR = np.int64(2**62)


@inner
def augment(
    graph: Graph, state: State, rows: Int32Array, most_edges: Integer, stop: NDArray[np.uint8]
) -> int:
    """Bring the price of each of these rows to 0 or give it a partner, by a shortest path of reduced costs.

    A path from a row ends where it costs least: in a column without a partner, in a row that goes out
    instead (at its price), or at once, the row itself staying out (at its price).

    Needs ``u + v >= w`` on all edges and equality between partners, and keeps it. Work stops once more than
    so many edges have been looked at.

    Returns
    -------
    How many of the rows are done.
    """
    if not rows.size:
        return 0
    n_columns = state.v.size
    # A column's number fits below a distance in one key: distances are below the largest weight.
    bits = 1
    while n_columns >> bits:
        bits += 1
    mask = (1 << bits) - 1
    distance = np.full(n_columns, _FAR, np.int64)
    reached_from = np.empty(n_columns, np.int32)
    done = np.zeros(n_columns, np.bool_)
    touched, scanned = np.empty(n_columns, np.int32), np.empty(n_columns, np.int32)
    level = np.empty(n_columns, np.int32)  # columns at the present distance: a stack, which is cheaper
    heap = np.empty(1024, np.int64)
    edges_seen = 0
    for turn in range(rows.size):
        source = rows[turn]
        if state.u[source] <= 0 or state.row_partner[source] != NONE:
            continue
        if edges_seen > most_edges or stop[0]:
            return turn
        least = state.u[source]  # of all ends found, the cheapest; at first, to leave the source out
        end, leaves = NONE, False
        n_touched = n_scanned = n_level = n_heap = 0
        row, base = source, np.int64(0)
        while least > base:
            edges_seen += graph.start[row + 1] - graph.start[row]
            offset = base + state.u[row]
            for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
                column = graph.column[edge]
                length = offset + state.v[place(column)] - graph.weight[edge]
                if length >= least or length >= distance[place(column)]:
                    continue
                if distance[column] == _FAR:
                    touched[n_touched] = column
                    n_touched += 1
                distance[column] = length
                reached_from[column] = row
                if state.column_partner[column] == NONE:
                    least, end, leaves = length, column, False
                    if length == base:
                        break
                elif length == base:
                    level[n_level] = column
                    n_level += 1
                else:
                    if n_heap == heap.size:
                        larger = np.empty(2 * n_heap, np.int64)
                        larger[:n_heap] = heap
                        heap = larger
                    _push(heap, n_heap, (length << bits) | column)
                    n_heap += 1
            column = NONE
            while n_level and column == NONE:
                n_level -= 1
                if not done[level[n_level]]:
                    column = level[n_level]
            while n_heap and column == NONE:
                key = _pop(heap, n_heap)
                n_heap -= 1
                nearest = key & mask
                if not done[nearest] and distance[nearest] == key >> bits:
                    column = nearest
            if column == NONE or distance[column] >= least:
                break
            done[column] = True
            scanned[n_scanned] = column
            n_scanned += 1
            base = distance[column]
            row = state.column_partner[column]
            if base + state.u[row] < least:
                least, end, leaves = base + state.u[row], column, True
        for k in range(n_scanned):
            column = scanned[k]
            done[column] = False
            state.v[column] += least - distance[column]
            state.u[state.column_partner[column]] -= least - distance[column]
        state.u[source] -= least
        for k in range(n_touched):
            distance[touched[k]] = _FAR
        if end != NONE:
            if leaves:
                state.row_partner[state.column_partner[end]] = NONE
            _shift_partners(state, reached_from, source, end)
    return rows.size


@leaf
def _shift_partners(state: State, reached_from: Int32Array, source: int, end: int) -> None:
    """Along the path, give each column to the row from which it was reached."""
    column = end
    while True:
        row = reached_from[column]
        before = state.row_partner[row]
        state.column_partner[column] = row
        state.row_partner[row] = column
        if row == source:
            return
        column = before


@leaf
def _push(heap: IntArray, size: int, key: int) -> None:
    """Add a key to a heap of so many keys, in which each node has four children."""
    at = size
    while at > 0:
        parent = (at - 1) >> 2
        if heap[parent] <= key:
            break
        heap[at] = heap[parent]
        at = parent
    heap[at] = key


@leaf
def _pop(heap: IntArray, size: int) -> int:
    """Take the least key from a heap of so many keys."""
    least = heap[0]
    key, size = heap[size - 1], size - 1
    at = 0
    while True:
        first = 4 * at + 1
        if first >= size:
            break
        child = first
        for other in range(first + 1, min(first + 4, size)):
            if heap[other] < heap[child]:
                child = other
        if heap[child] >= key:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = key
    return int(least)
