"""The bound that a checker will find, worked out in integers from whole prices."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.bundle.relaxation import Floats
from timebank.matching.kernel.compiled import compiled_when_called
from timebank.matching.kernel.problem import IntArray

MOST_SCALE: Final = 10_000
_LIMIT: Final = 2**61


def price_scale(largest: int, n_seats: int) -> int:
    """Into how many units a point is divided: many, but no sum of prices or profits may overflow."""
    return max(1, min(MOST_SCALE, _LIMIT // (max(1, largest) * (n_seats + 1))))


def whole_prices(price: Floats, most: IntArray, scale: int, must_fill: bool) -> IntArray:
    """Prices in whole units. No seat needs a price above what its best candidate weighs (`most`)."""
    low = -_LIMIT // (price.size + 1) if must_fill else 0
    whole = np.rint(np.clip(price * scale, low, 2.0**61)).astype(np.int64)
    return whole if must_fill else np.minimum(whole, most * scale)


def bundle_worths(network: Network, price: IntArray, scale: int) -> IntArray:
    """For each pledge, the most that a bundle is worth at these prices, in units of the scale."""
    worth = np.zeros(network.n_pledges, np.int64)
    rows = np.zeros((2, int(network.capacity.max(initial=0)) + 1), np.int64)
    _solve_knapsacks(network, price, scale, rows, worth)
    return worth


def exact_sum(numbers: IntArray) -> int:
    """Exact, also beyond 64 bits."""
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFFFFFF).sum())


@compiled_when_called
def _solve_knapsacks(
    network: Network, price: IntArray, scale: int, rows: NDArray[np.int64], worth: IntArray
) -> None:
    row, next_row = rows[0], rows[1]
    for i in range(network.capacity.size):
        capacity = network.capacity[i]
        for y in range(capacity + 1):
            row[y] = 0
        e, stop = network.first[i], network.first[i + 1]
        while e < stop:
            request = network.request[e]
            for y in range(capacity + 1):
                next_row[y] = row[y]
            while e < stop and network.request[e] == request:
                hours = network.hours[e]
                profit = np.int64(network.weight[e]) * scale - price[network.seat[e]]
                if profit > 0:
                    for y in range(hours, capacity + 1):
                        next_row[y] = max(next_row[y], row[y - hours] + profit)
                e += 1
            row, next_row = next_row, row
        worth[i] = row[capacity]
