"""Whether prices prove an answer: nothing that was solved weighs more than the prices of its two ends, and all prices
together are the weight of the answer, than which then none is greater (weak duality)."""

from __future__ import annotations

import numpy as np

from timebank.matching.kernel.compiled import compiled, place
from timebank.matching.kernel.native.graph import EXAMPLE_GRAPH, EXAMPLE_STATE, NONE, Graph, State, weight_of
from timebank.matching.kernel.problem import Int32Array, IntArray

_SIDE = EXAMPLE_STATE.row_partner
_PRICE = EXAMPLE_STATE.u


@compiled(_SIDE, _SIDE, _PRICE, _SIDE, _PRICE, _PRICE)
def proved_weight_of_pairs(
    seat: Int32Array, pledge: Int32Array, weight: IntArray, seat_pledge: Int32Array, u: IntArray, v: IntArray
) -> int:
    """The weight of an answer over these candidates, or -1 where the prices do not prove it."""
    total, prices, excess = np.int64(0), np.int64(0), np.int64(0)
    held = 0
    for edge in range(place(seat.size)):
        i = place(seat[edge])
        excess = max(excess, weight[edge] - u[i] - v[place(pledge[edge])])
        here = seat_pledge[i] == pledge[edge]
        total += weight[edge] if here else 0
        held += here
    if excess > 0:
        return -1
    used = np.zeros(v.size, np.bool_)
    for i in range(u.size):
        j = seat_pledge[i]
        if u[i] < 0 or (j != NONE and used[j]):
            return -1
        if j != NONE:
            used[j] = True
            held -= 1
        prices += u[i]
    for j in range(v.size):
        if v[j] < 0:
            return -1
        prices += v[j]
    return int(total) if held == 0 and total == prices else -1


@compiled(EXAMPLE_GRAPH, EXAMPLE_STATE)
def proved_weight_of_state(graph: Graph, state: State) -> int:
    """The same of all partners in a graph together, or -1 where the prices do not prove that there is no greater."""
    total, prices = np.int64(0), np.int64(0)
    for row in range(state.u.size):
        partner, price = state.row_partner[row], state.u[row]
        most = np.int64(0)
        for edge in range(place(graph.start[row]), place(graph.start[row + 1])):
            most = max(most, graph.weight[edge] - state.v[place(graph.column[edge])])
        held = weight_of(graph, row, partner) if partner != NONE else 0
        if most > price or held < 0 or (partner != NONE and state.column_partner[partner] != row):
            return -1
        total += held
        prices += price
    for column in range(state.v.size):
        if state.v[column] < 0:
            return -1
        prices += state.v[column]
    return int(total) if total == prices else -1
