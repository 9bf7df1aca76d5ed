"""Which candidates an answer better than the one at hand can still hold, and which it must.

Prices bound all answers; with one candidate forced in, or out, they bound the answers that hold it, or do not.
Where that bound shows that nothing better is left, the candidate is out, or in, for good (reduced-cost fixing in
the Lagrangian relaxation, as in Posta, Ferland and Michelon, "An exact method with variable fixing for solving the
generalized assignment problem", 2012, doi:10.1007/s10589-011-9432-0).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from timebank.matching.kernel.bundle.network import Network
from timebank.matching.kernel.compiled import compiled_when_called
from timebank.matching.kernel.problem import IntArray

_MOST_CELLS: Final = 2**23
"""Of the tables of one pledge; a pledge with more is left as it is."""


def losses(network: Network, price: IntArray, scale: int) -> tuple[IntArray, IntArray]:
    """For each candidate, by how much less the bound is for answers that hold it, and for those that do not.

    Prices and losses are in units of 1 / scale.
    """
    held, left_out = np.zeros(network.size, np.int64), np.zeros(network.size, np.int64)
    cells = (np.diff(network.first) + 1) * (network.capacity + 1)
    most = int(cells[cells <= _MOST_CELLS].max(initial=0))
    width = int(network.capacity.max(initial=0)) + 1
    _compare(network, price, scale, np.zeros(most, np.int64), np.zeros((2, width), np.int64), held, left_out)
    return held, left_out


@compiled_when_called
def _compare(
    network: Network,
    price: IntArray,
    scale: int,
    table: IntArray,
    after: NDArray[np.int64],
    held: IntArray,
    left_out: IntArray,
) -> None:
    """Two dynamic programs for each pledge, from its first request on and from its last one back."""
    for i in range(network.capacity.size):
        first, stop = network.first[i], network.first[i + 1]
        width = network.capacity[i] + 1
        if (stop - first + 1) * width > table.size:
            continue
        before = table[: (stop - first + 1) * width].reshape((stop - first + 1, width))
        before[0, :] = 0
        groups, e = 0, first
        while e < stop:
            begin = e
            before[groups + 1, :] = before[groups, :]
            while e < stop and network.request[e] == network.request[begin]:
                _add(network, price, scale, e, before[groups], before[groups + 1])
                e += 1
            groups += 1
        worth = before[groups, width - 1]
        row, next_row = after[0, :width], after[1, :width]
        row[:] = 0
        while e > first:
            end = e
            groups -= 1
            next_row[:] = row
            most, second, best = _together(before[groups], row, 0), 0, -1
            while e > first and network.request[e - 1] == network.request[end - 1]:
                e -= 1
                value = _profit(network, price, scale, e) + _together(before[groups], row, network.hours[e])
                held[e] = worth - value
                if value > most:
                    most, second, best = value, most, e
                else:
                    second = max(second, value)
                _add(network, price, scale, e, row, next_row)
            if best >= 0:
                left_out[best] = worth - second
            row, next_row = next_row, row


@compiled_when_called
def _profit(network: Network, price: IntArray, scale: int, e: int) -> int:
    return int(np.int64(network.weight[e]) * scale - price[network.seat[e]])


@compiled_when_called
def _add(network: Network, price: IntArray, scale: int, e: int, row: IntArray, next_row: IntArray) -> None:
    """Let `next_row` be what each number of hours is worth when this candidate may join what is in `row`."""
    hours, profit = network.hours[e], _profit(network, price, scale, e)
    if profit > 0:
        for y in range(hours, row.size):
            next_row[y] = max(next_row[y], row[y - hours] + profit)


@compiled_when_called
def _together(before: IntArray, after: IntArray, hours: int) -> int:
    """The most that both are worth when so many hours are left out of the capacity."""
    most, last = 0, before.size - 1 - hours
    for y in range(last + 1):
        most = max(most, int(before[y] + after[last - y]))
    return most
