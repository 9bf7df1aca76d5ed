"""Prices from the linear relaxation, in which a seat may be split among pledges: by HiGHS, with few candidates.

The best candidates of each seat are solved first; candidates that would be worth more than the price of the seat
and the rent of its hours join, until there are none (column generation).
"""

from __future__ import annotations

from time import perf_counter
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from timebank.matching.kernel.bundle.network import Network, ranks
from timebank.matching.kernel.problem import IntArray

_PER_SEAT: Final = 6
_ROUNDS: Final = 4
_WORTH_MORE: Final = 1e-6


def once_rows(network: Network, which: IntArray) -> csr_array:
    """A row for each seat, over the candidates `which`: how many of them hold the seat."""
    place = np.arange(which.size)
    return csr_array((np.ones(which.size), (network.seat[which], place)), shape=(network.n_seats, which.size))


def load_rows(network: Network, which: IntArray) -> csr_array:
    """A row for each pledge, over the candidates `which`: the hours that they take."""
    hours, place = network.hours[which].astype(np.float64), np.arange(which.size)
    return csr_array((hours, (network.pledge[which], place)), shape=(network.n_pledges, which.size))


def prices_to_fill(
    network: Network, price: NDArray[np.float64], rent: NDArray[np.float64], seconds: float
) -> NDArray[np.float64]:
    """The prices of seats that must be filled, from those at hand; those come back where time does not do."""
    begin = perf_counter()
    which = np.flatnonzero(ranks(network, price, rent) < _PER_SEAT)
    for _ in range(_ROUNDS):
        left = seconds - (perf_counter() - begin)
        if left <= 0:
            break
        load: Any = load_rows(network, which)  # scipy's types leave out that these may be sparse
        once: Any = once_rows(network, which)
        found = linprog(
            -network.weight[which],
            A_ub=load,
            b_ub=network.capacity.astype(np.float64),
            A_eq=once,
            b_eq=np.ones(network.n_seats),
            method="highs-ipm",
            options={"time_limit": left},
        )
        if found.status != 0:
            break
        price, rent = -found.eqlin.marginals, -found.ineqlin.marginals
        excess = network.weight - price[network.seat] - rent[network.pledge] * network.hours
        excess[which] = 0.0
        more = np.flatnonzero(excess > _WORTH_MORE)
        if not more.size:
            break
        which = np.union1d(which, more)
    return price
