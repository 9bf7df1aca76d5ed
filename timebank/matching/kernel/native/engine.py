"""What single mode asks of the engine `native`."""

from __future__ import annotations

import numpy as np

from timebank.matching.kernel.assignment import Optimum
from timebank.matching.kernel.candidates import Pairs
from timebank.matching.kernel.native.attributes import attribute_optimum
from timebank.matching.kernel.native.edges import solve_graph
from timebank.matching.kernel.native.graph import empty_state, graph_of
from timebank.matching.kernel.native.proof import proved_weight_of_pairs
from timebank.matching.kernel.problem import EdgeProblem
from timebank.matching.kernel.progress import Clock, TimeUpError

__all__ = ["attribute_optimum", "edge_optimum", "proved_weight"]


def edge_optimum(problem: EdgeProblem, clock: Clock) -> Optimum:
    """The optimum of the edge form.

    Raises
    ------
    TimeUpError : the time is up
    """
    # Compiled code takes arrays that could be written to, though it does not write to these.
    pairs = Pairs(
        np.require(problem.seat, requirements="W"),
        np.require(problem.pledge, requirements="W"),
        np.require(problem.weight, requirements="W"),
    )
    by_pledge = problem.n_seats > problem.n_pledges  # rows are the smaller side
    sizes = (problem.n_pledges, problem.n_seats) if by_pledge else (problem.n_seats, problem.n_pledges)
    ends = (pairs.pledge, pairs.seat) if by_pledge else (pairs.seat, pairs.pledge)
    state = empty_state(*sizes)
    with clock.stop_flag() as stop:
        if not solve_graph(graph_of(*ends, pairs.weight, sizes[0]), state, False, stop):
            raise TimeUpError
    if by_pledge:
        return Optimum(pairs, state.column_partner, state.v, state.u)
    return Optimum(pairs, state.row_partner, state.u, state.v)


def proved_weight(found: Optimum) -> int | None:
    """The weight of the answer, where the prices prove that there is none greater over the candidates that were
    solved."""
    weight = proved_weight_of_pairs(*found.pairs, found.seat_pledge, found.seat_price, found.pledge_price)
    return weight if weight >= 0 else None
