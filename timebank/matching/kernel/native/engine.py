"""What single mode asks of the engine `native`."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from timebank.matching.kernel.assignment import Optimum
from timebank.matching.kernel.candidates import Pairs
from timebank.matching.kernel.native.attributes import attribute_optimum
from timebank.matching.kernel.native.edges import solve_list
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
    pairs = Pairs(_writable(problem.seat), _writable(problem.pledge), _writable(problem.weight))
    by_pledge = problem.n_seats > problem.n_pledges  # rows are the smaller side
    with clock.stop_flag() as stop:
        if by_pledge:
            weight, state = solve_list(
                pairs.pledge, pairs.seat, pairs.weight, problem.n_pledges, problem.n_seats, stop
            )
        else:
            weight, state = solve_list(*pairs, problem.n_seats, problem.n_pledges, stop)
        if stop[0]:
            raise TimeUpError
    proved = weight if weight >= 0 else None
    if by_pledge:
        return Optimum(pairs, state.column_partner, state.v, state.u, proved)
    return Optimum(pairs, state.row_partner, state.u, state.v, proved)


def _writable(array: NDArray[Any]) -> NDArray[Any]:
    """Compiled code takes arrays that could be written to, though it does not write to these."""
    return array if array.flags.writeable else array.copy()


def proved_weight(found: Optimum) -> int | None:
    """The weight of the answer, where the prices prove that there is none greater over the candidates that were
    solved."""
    weight = proved_weight_of_pairs(*found.pairs, found.seat_pledge, found.seat_price, found.pledge_price)
    return weight if weight >= 0 else None
