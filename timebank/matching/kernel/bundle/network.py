"""A bundle problem as the solver walks it: candidates by pledge and by seat."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from timebank.matching.kernel.bundle.knapsack import Scratch, make_scratch
from timebank.matching.kernel.problem import IntArray, ProblemError

MOST_CELLS: Final = 2**27
"""Of a single pledge, candidates x blocks: what a knapsack's table may take (two bytes a cell)."""


class Network(NamedTuple):
    """S seats, P pledges and E candidates that fit, ordered by pledge, request, hours and seat.

    Hours and capacities are counted in each pledge's own unit: the greatest that divides the hours of all its
    candidates. No capacity is larger than what its candidates take together.
    """

    first: IntArray  # (P + 1,) the candidates of pledge i are first[i] .. first[i + 1] - 1
    capacity: IntArray  # (P,)
    seat: NDArray[np.int32]  # (E,)
    pledge: NDArray[np.int32]  # (E,)
    weight: NDArray[np.float64]  # (E,) whole numbers
    hours: IntArray  # (E,)
    request: NDArray[np.int32]  # (E,)
    seat_first: (
        IntArray  # (S + 1,) the candidates of seat j are by_seat[seat_first[j]] .. [seat_first[j + 1] - 1]
    )
    by_seat: IntArray  # (E,)

    @property
    def n_seats(self) -> int:
        return int(self.seat_first.size) - 1

    @property
    def n_pledges(self) -> int:
        return int(self.capacity.size)

    @property
    def size(self) -> int:
        return int(self.seat.size)

    def scratch(self) -> Scratch:
        """Memory for the knapsacks of these pledges."""
        items = np.diff(self.first)
        return make_scratch(
            int(items.max(initial=0)),
            int(self.capacity.max(initial=0)),
            int((items * (self.capacity + 1)).max(initial=0)),
        )


def make_network(
    n_seats: int,
    seat: NDArray[np.int32],
    pledge: NDArray[np.int32],
    weight: IntArray,
    hours: IntArray,
    capacity: IntArray,
    request: NDArray[np.int32],
) -> Network:
    """The network of these candidates, without those that never fit.

    Raises
    ------
    ProblemError : a pledge has too many blocks for its candidates to be weighed against each other
    """
    order = np.flatnonzero(hours <= capacity[pledge])
    order = order[by_number(seat[order], n_seats)[0]]
    order = order[np.argsort(hours[order], kind="stable")]
    order = order[by_number(request[seat[order]], n_seats)[0]]
    by_pledge, first = by_number(pledge[order], capacity.size)
    order = order[by_pledge]
    seat, pledge, weight, hours = seat[order], pledge[order], weight[order], hours[order]
    hours, capacity = _in_own_units(first, pledge, hours, capacity)
    cells = np.diff(first) * (capacity.astype(np.float64) + 1)
    if cells.size and cells.max() > MOST_CELLS:
        worst = int(cells.argmax())
        raise ProblemError(
            f"pledge {worst} has {capacity[worst]} blocks for {first[worst + 1] - first[worst]} candidates, "
            f"more than {MOST_CELLS} together"
        )
    by_seat, seat_first = by_number(seat, n_seats)
    return Network(
        first,
        capacity,
        np.ascontiguousarray(seat, np.int32),
        np.ascontiguousarray(pledge, np.int32),
        weight.astype(np.float64),
        hours,
        request[seat],
        seat_first,
        by_seat,
    )


def by_number(numbers: NDArray[np.int32], size: int) -> tuple[IntArray, IntArray]:
    """The places of numbers below `size`, ordered by number and then by place, and (size + 1,) where each number's
    begin: in linear time, as scipy orders the entries of a matrix by row."""
    places = np.arange(numbers.size)
    entries = csr_array((places, (numbers, places)), shape=(size, numbers.size))
    return entries.data, entries.indptr.astype(np.int64)


def narrowed(
    network: Network, price: NDArray[np.float64], rent: NDArray[np.float64], per_seat: int
) -> Network:
    """With the best candidates of each seat only: those worth most above the price of the seat and its hours."""
    return with_only(network, np.flatnonzero(ranks(network, price, rent) < per_seat))


def ranks(network: Network, price: NDArray[np.float64], rent: NDArray[np.float64]) -> IntArray:
    """For each candidate, how many of its seat are worth more above the price of the seat and its hours."""
    worth = network.weight - price[network.seat] - rent[network.pledge] * network.hours
    order = np.argsort(-worth, kind="stable")
    order = order[by_number(network.seat[order], network.n_seats)[0]]
    rank = np.empty(network.size, np.int64)
    rank[order] = np.arange(network.size) - network.seat_first[network.seat[order]]
    return rank


def with_only(network: Network, kept: IntArray) -> Network:
    """With these candidates only, whose numbers rise."""
    seat = network.seat[kept]
    by_seat, seat_first = by_number(seat, network.n_seats)
    return network._replace(
        first=np.searchsorted(network.pledge[kept], np.arange(network.n_pledges + 1)),
        seat=seat,
        pledge=network.pledge[kept],
        weight=network.weight[kept],
        hours=network.hours[kept],
        request=network.request[kept],
        seat_first=seat_first,
        by_seat=by_seat,
    )


def _in_own_units(
    first: IntArray, pledge: NDArray[np.int32], hours: IntArray, capacity: IntArray
) -> tuple[IntArray, IntArray]:
    """Hours and capacities divided by each pledge's unit; capacities not above what is asked in all."""
    has = np.flatnonzero(first[1:] > first[:-1])
    unit = np.ones(capacity.size, np.int64)
    asked = np.zeros(capacity.size, np.int64)
    if has.size:
        unit[has] = np.maximum(1, np.gcd.reduceat(hours, first[has]))
        hours = hours // unit[pledge]
        capacity = capacity // unit
        # In floats first: a sum that is far beyond any table may also be beyond int64.
        about = np.add.reduceat(hours.astype(np.float64), first[has])
        exact = np.add.reduceat(hours, first[has])
        asked[has] = np.where(about < 2.0**62, exact, 2**62)
    return hours, np.minimum(capacity, asked)
